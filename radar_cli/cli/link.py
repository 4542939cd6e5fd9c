"""`radar link`: a launcher for crontabs, which runs the job even when radar can't."""

import os
import shlex
import stat
import sys
from typing import Iterator, TypedDict

import click

import radar_cli
from radar_cli.cli.answers import answers
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Result
from radar_cli.crontab import link
from radar_cli.wrap import options


class LinkFields(TypedDict):
    """A launcher that was written; `replaced` is the version that the one before it started."""

    path: str
    python: str
    version: str
    folders: list[str]
    replaced: str | None
    on_cron_path: bool


@click.command(name="link")
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--force", is_flag=True, help="Replace FILE, whatever it is.")
@common_options
@answers(LinkFields)
@pass_session
def command(session: Session, file: str | None, force: bool) -> Result:
    """Write a launcher for crontabs to FILE: it runs the job even when radar can't be started.

    It starts this radar with this Python; after an upgrade, run it again. Without FILE it is
    /usr/local/lib/radar/radar for root, and ~/.local/lib/radar/radar for everybody else.
    """
    del session
    path = os.path.abspath(file or link.default_path(os.environ))
    folders = link.find_folders(os.environ)
    before = link.write_link(path, make_script(folders), force=force)
    version = radar_cli.__version__
    is_found = os.path.dirname(path) in link.CRON_PATH.split(":")
    data: LinkFields = {
        "path": path,
        "python": sys.executable,
        "version": version,
        "folders": folders,
        "replaced": None if before is None else before.version,
        "on_cron_path": is_found and os.path.basename(path) == "radar",
    }
    # Cron takes a % for the end of the line (crontab(5)).
    typed = "radar" if data["on_cron_path"] else shlex.quote(path).replace("%", r"\%")
    how = "" if data["on_cron_path"] else f", by its full path (cron looks in {link.CRON_PATH})"
    text = (
        f"{path} starts radar {version} with {sys.executable}\n"
        f"in a crontab{how}: {typed} run MONITOR -- COMMAND"
    )
    return Result(data, text=text, notes=tuple(_remarks(path)))


def make_script(folders: list[str]) -> bytes:
    """Return the launcher, which knows the options of `radar run`."""
    return link.make_script(folders, *_known_options())


def make_portable_script(*, python: str = "", folder: str = "") -> bytes:
    """Return the launcher of a package, or the one that a zip archive of radar begins with."""
    return link.make_portable_script(*_known_options(), python, folder)


def _known_options() -> tuple[list[str], list[str]]:
    """Return the options of `radar run` without and with a value."""
    switches = [row[0] for row in options.TABLE if row[1] == "switch"]
    valued = [row[0] for row in options.TABLE if row[1] != "switch"]
    return [*options.ACCEPTED_ANYWHERE, *switches], valued


def _remarks(path: str) -> Iterator[str]:
    folder, name = os.path.split(path)
    if name == "radar" and os.path.basename(folder) == "bin":
        yield f"an upgrade by pip, pipx or uv replaces what is called radar, if {folder} is its"
    private = os.geteuid() == 0 and _find_private(sys.executable)
    if private:
        yield f"only root can reach {private}: the jobs of other users run unwatched"


def _find_private(path: str) -> str:
    """Return the folder above `path` into which only its owner may go, "" if there is none."""
    while (folder := os.path.dirname(path)) != path:
        path = folder
        if not os.stat(folder).st_mode & stat.S_IXOTH:
            return folder
    return ""
