"""Places of radar's files: the two config files and the state directory."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM_CONFIG = "/etc/radar/config.toml"
ROOT_STATE = "/var/lib/radar"


def user_config_file(environ: "Mapping[str, str]") -> str:
    """Return the person's config file: `RADAR_CONFIG`, else the one in `XDG_CONFIG_HOME`."""
    named = environ.get("RADAR_CONFIG")
    if named:
        return expand_home(named, environ)
    return _base(environ, "XDG_CONFIG_HOME", "/.config") + "/radar/config.toml"


def system_config_file(environ: "Mapping[str, str]") -> str:
    """Return the machine's config file; `RADAR_SYSTEM_CONFIG` moves it, for packagers and tests."""
    named = environ.get("RADAR_SYSTEM_CONFIG")
    return expand_home(named, environ) if named else SYSTEM_CONFIG


def state_directory(environ: "Mapping[str, str]") -> str:
    """Return the folder of pings and store: RADAR_STATE_DIR, root's, or the person's own."""
    named = environ.get("RADAR_STATE_DIR")
    if named:
        return expand_home(named, environ)
    if os.geteuid() == 0:
        return ROOT_STATE
    return _base(environ, "XDG_STATE_HOME", "/.local/state") + "/radar"


def make_private_folder(path: str) -> None:
    """Make a folder and those above it, as far as they are missing, for nobody but this user.

    Whatever the umask: under 0777 not even radar could use its own folder again. OSError: it can't
    be made.
    """
    missing = []
    while path and not os.path.lexists(path):
        missing.append(path)
        path = os.path.dirname(path)
    for each in reversed(missing):
        try:
            os.mkdir(each, 0o700)
        except FileExistsError:  # another run was quicker
            continue
        os.chmod(each, 0o700)


def expand_home(path: str, environ: "Mapping[str, str]") -> str:
    """`path` with a leading `~/` replaced: cron and systemd leave it as it is in a variable."""
    return home(environ) + path[1:] if path.startswith("~/") else path


def home(environ: "Mapping[str, str]") -> str:
    """Return the home directory, without a trailing slash; "" stands for `/`."""
    directory = environ.get("HOME")
    if not directory:
        import pwd

        try:
            directory = pwd.getpwuid(os.geteuid()).pw_dir
        except KeyError:  # a container may run as a uid that no database knows
            directory = "/"
    return directory.rstrip("/")


def _base(environ: "Mapping[str, str]", variable: str, below_home: str) -> str:
    """Return an XDG base directory; the specification has relative ones ignored."""
    base = environ.get(variable, "")
    return base.rstrip("/") if base.startswith("/") else home(environ) + below_home
