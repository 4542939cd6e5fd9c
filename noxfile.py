"""What is run on this project, by nox: `nox --list` shows it, and CONTRIBUTING.md explains it.

    nox -s types                               one session
    nox -s fast-3.12 -- tests/wrap -k signal   with arguments for pytest
    nox -t daily                               what `tests/run` runs; also: -t fast, -t nightly

`tests/run` installs what isn't Python's, and nox, and calls it. TESTS_PYTHONS="3.12 3.13" chooses
the Pythons; all that are here, without it. The first of them runs everything.

Each Python has one environment, .venv/3.X, which its sessions share: one for each session, as nox
makes them, would be ten of half a gigabyte. It is made again when something of its stamp changes.
What is tested is the wheel, as users get it, built once and installed in each of them.
"""

import fcntl
import functools
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "format", "types", "laws"]
nox.options.default_venv_backend = "none"  # but see `prepare`

COVERAGE_AT_LEAST = 92  # per cent of lines and branches
WORKERS = 4  # for two processors: half of the time a test waits for a process or a server
ENVIRONMENT_FORM = 1  # to be raised with each change of how `prepare` makes one
CELERIES = ("5.3", "5.5")  # besides the newest, which all tests run with
CELERY_AT_MOST = "5m"  # for the tests with one of them; a quiet machine takes a third of that
NIGHTLY_TEST_S = 3600  # at most, for each test of a nightly session
INTERRUPTED_S = 30.0  # at most, for pytest to end after ^C
# What may differ from one Python to the next; all the rest is tried on each of them every night.
NEXT_TO_PYTHON = [f"tests/{name}" for name in ("launch", "wrap", "net", "core")]
# Beat writes its schedule as this Python does it.
NEXT_TO_PYTHON += [f"tests/celery/test_{name}.py" for name in ("shelf", "schedulers", "beat")]
BEGINNING = ["tests/launch", "tests/core"]
# The same tests once more where radar will run: behind a slow network, and not as root.
IN_THE_FIELD = ["--slow-network", "--other-user"]
# What puts itself into every Python by PYTHONPATH.
INSTRUMENTATION = {"opentelemetry-distro": "opentelemetry-distro[otlp]", "ddtrace": "ddtrace"}

_CHECKOUT = Path(__file__).parent
_VENVS = _CHECKOUT / ".venv"
_WHEELS = _VENVS / "wheel"
_SECOND_TRY = _CHECKOUT / "tests/support/second_try.py"
_TRACED_THREADS = _CHECKOUT / "tests/support/traced_threads.py"
_IS_USABLE = "import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != sys.argv[1])"


@functools.cache
def find_interpreter(version: str) -> str | None:
    """Return the path of a Python of this version that can make environments."""
    folders = os.get_exec_path()
    folders += sorted(glob.glob(os.path.expanduser(f"~/.pyenv/versions/{version}*/bin")))
    uv = os.path.expanduser(f"~/.local/share/uv/python/cpython-{version}*/bin")
    folders += sorted(glob.glob(uv))
    for folder in folders:
        path = f"{folder}/python{version}"
        # A shim may be there for a Python that isn't; Debian's may lack venv.
        if os.access(path, os.X_OK):
            words = [path, "-c", _IS_USABLE, version]
            if subprocess.run(words, capture_output=True, check=False).returncode == 0:
                return path
    return None


WANTED = os.environ.get("TESTS_PYTHONS", "3.11 3.12 3.13").split()
PYTHONS = [version for version in WANTED if find_interpreter(version)]
if not PYTHONS:
    sys.exit(f"noxfile.py: no Python {' '.join(WANTED)} with venv and ensurepip here")
for _version in WANTED:
    if _version not in PYTHONS:
        print(f"no usable Python {_version} here: not tested on it", file=sys.stderr)
FIRST, OTHERS = PYTHONS[0], PYTHONS[1:]


# The environments.


def prepare(session: nox.Session, name: str) -> Path:
    """Make the environment current, with all that the tests need, and return its `bin`."""
    _lock(session)
    venv = _VENVS / name
    if name in _current:
        return venv / "bin"
    python = find_interpreter(name.partition("-celery-")[0])
    if python is None:
        session.error(f"no Python for {name} here")
    stamp = _stamp(python)
    kept = venv / "stamp"
    if not kept.exists() or kept.read_text() != stamp:
        session.log(f"an environment for {name}: this takes minutes")
        session.run(python, "-m", "venv", "--clear", str(venv))
        # An older pip doesn't know the dependency groups of pyproject.toml.
        _pip(session, venv, "--upgrade", "pip>=25.1")
        celery = name.partition("-celery-")[2]
        if celery:
            # Of its time: pip would take the newest kombu, with a redis that is too old for it.
            pinned = [f"celery[redis]=={celery}.*", f"kombu=={celery}.*"]
            _pip(session, venv, "--group", "celery", *pinned)
        else:
            _pip(session, venv, "--group", "dev")
        # The tests with an older Celery want the server, too.
        _pip(session, venv, f"{_wheel(session, name)}{'[server]' if celery else ''}")
        _trace_threads(venv)
        kept.write_text(stamp)
    _current.add(name)
    return venv / "bin"


_current: set[str] = set()  # the environments that this run has looked at


def prepare_tests(session: nox.Session, name: str) -> Path:
    """Install the wheel of this checkout as well, and what its tests look for beside it."""
    programs = prepare(session, name)
    _install_wheel(session, name)
    if "-celery-" not in name:
        _install_instrumentation(session, name)
    return programs


def _lock(session: nox.Session) -> None:
    """Be the only one in this checkout: another run's wheel would be replaced under its tests.

    What the tests start inherits no descriptor of Python's, so that nothing else holds the lock.
    """
    if _held:
        return
    _VENVS.mkdir(exist_ok=True)
    file = open(_VENVS / "lock", "w")  # noqa: SIM115  (held until this process ends)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        session.log("waiting for another run in this checkout")
        fcntl.flock(file, fcntl.LOCK_EX)
    _held.append(file)
    shutil.rmtree(_WHEELS, ignore_errors=True)  # the last run's


_held: list[object] = []


def _stamp(python: str) -> str:
    """Return a digest of all that decides what an environment holds, save for radar itself."""
    project = nox.project.load_toml("pyproject.toml")
    tables = ("dependencies", "optional-dependencies", "requires-python")
    parts = [{name: project["project"][name] for name in tables}]
    parts += [project["dependency-groups"], project["build-system"], {"form": ENVIRONMENT_FORM}]
    version = subprocess.check_output([python, "-VV"])
    stamp = version + json.dumps(parts).encode() + _TRACED_THREADS.read_bytes()
    return hashlib.sha256(stamp).hexdigest()


def _trace_threads(venv: Path) -> None:
    """Have the environment's measured processes import tests/support/traced_threads.py."""
    [packages] = venv.glob("lib/python3*/site-packages")
    shutil.copy(_TRACED_THREADS, packages)
    hook = 'os.getenv("COVERAGE_PROCESS_CONFIG") and __import__("traced_threads")'
    (packages / "traced_threads.pth").write_text(f"import os; {hook}\n")


def _wheel(session: nox.Session, name: str) -> Path:
    """Return the wheel, built once for all Pythons, with hatchling of an environment."""
    venv = _VENVS / name
    if "-celery-" in name:  # has no hatchling
        venv = prepare(session, FIRST).parent
    if not _WHEELS.exists():
        words = ["-qq", "--no-deps", "--no-build-isolation", "--wheel-dir", str(_WHEELS), "."]
        session.run(f"{venv}/bin/pip", "wheel", *words)
    [wheel] = _WHEELS.glob("*.whl")
    return wheel


def _install_wheel(session: nox.Session, name: str) -> None:
    if name not in _installed:
        wheel = str(_wheel(session, name))
        _pip(session, _VENVS / name, "--force-reinstall", "--no-deps", wheel)
        _installed.add(name)


_installed: set[str] = set()


def _install_instrumentation(session: nox.Session, name: str) -> None:
    for short, package in INSTRUMENTATION.items():
        folder = _VENVS / "instrumentation" / name / short  # ddtrace is compiled for one version
        if not folder.exists():
            try:
                _pip(session, _VENVS / name, "--target", str(folder), package)
            except nox.command.CommandFailed:
                shutil.rmtree(folder, ignore_errors=True)
                session.warn(f"could not install {package}: its tests will skip")


def _pip(session: nox.Session, venv: Path, *words: str) -> None:
    session.run(f"{venv}/bin/pip", "install", "-qq", "--disable-pip-version-check", *words)


# The sessions, in the order in which they run.


def pytest(
    session: nox.Session,
    name: str,
    part: str,
    chosen: list[str],
    options: list[str],
    env: dict[str, str] | None = None,
) -> None:
    """Run pytest with what is installed in the environment of that name."""
    programs = prepare_tests(session, name)
    words = [f"{programs}/pytest", *options, "-n", str(WORKERS)]
    if part == "coverage":
        words[:0] = [f"{programs}/coverage", "run"]
    if part == "celery":
        words[:0] = ["timeout", "--foreground", "-s", "INT", "-k", "30s", CELERY_AT_MOST]
    # There may be no such test among those that arguments choose.
    fine = [0, 5] if session.posargs and part != "tests" else [0]
    command = [f"{programs}/python", str(_SECOND_TRY), f"{part}-{name}", *words]
    session.run(
        *command,
        *(session.posargs or chosen),
        env=env,
        success_codes=fine,
        # pytest stops what its tests have started.
        interrupt_timeout=INTERRUPTED_S,
        terminate_timeout=INTERRUPTED_S,
    )


@nox.session(tags=["daily", "fast", "nightly"])
def lint(session: nox.Session) -> None:
    """Look for what ruff's rules forbid."""
    session.run(f"{prepare(session, FIRST)}/ruff", "check", ".")


@nox.session(tags=["daily", "fast", "nightly"])
def format(session: nox.Session) -> None:  # noqa: A001  (the session's name)
    """Check that the code is formatted."""
    session.run(f"{prepare(session, FIRST)}/ruff", "format", "--check", ".")


@nox.session(tags=["daily", "fast", "nightly"])
def types(session: nox.Session) -> None:
    """Check the types."""
    session.run(f"{prepare(session, FIRST)}/mypy")


@nox.session(tags=["daily", "fast", "nightly"])
def laws(session: nox.Session) -> None:
    """Check the laws between the rooms: which may import which."""
    session.run(f"{prepare(session, FIRST)}/lint-imports", "--no-logo", "--no-cache")


@nox.session(tags=["daily", "fast", "nightly"])
def docs(session: nox.Session) -> None:
    """Build the docs; a link that leads nowhere is an error."""
    session.run(f"{prepare(session, FIRST)}/mkdocs", "build", "--strict", "--quiet")


def _declare_near(version: str, tags: list[str], chosen: list[str]) -> None:
    @nox.session(name=f"near-{version}", tags=tags)
    def near(session: nox.Session) -> None:
        """Test what lives next to the interpreter."""
        pytest(session, version, "near", chosen, ["-m", "not slow"])


def _declare_fast(version: str, tags: list[str]) -> None:
    @nox.session(name=f"fast-{version}", tags=tags)
    def fast(session: nox.Session) -> None:
        """Run the tests that aren't slow."""
        pytest(session, version, "fast", [], ["-m", "not slow"])


for _version in OTHERS:
    # What the first and the last agree on is left to the night, but for how radar begins.
    _declare_near(_version, ["daily"], NEXT_TO_PYTHON if _version == OTHERS[-1] else BEGINNING)
for _version in OTHERS:
    _declare_fast(_version, ["nightly"])
_declare_near(FIRST, [], NEXT_TO_PYTHON)
_declare_fast(FIRST, ["fast"])


@nox.session(name=f"nightly-{FIRST}", tags=["nightly"])
def nightly(session: nox.Session) -> None:
    """Run the tests marked `nightly` at their nightly depth."""
    options = ["-m", "nightly", "--timeout", str(NIGHTLY_TEST_S)]
    pytest(session, FIRST, "nightly", [], options, env={"TESTS_NIGHTLY": "1"})


@nox.session(name=f"nightly-field-{FIRST}", tags=["nightly"])
def nightly_field(session: nox.Session) -> None:
    """Run many tests behind a slow network and as another user than root."""
    chosen = ["tests/pings", "tests/net", "tests/wrap", "tests/cli/test_outbox.py"]
    options = ["-m", "not slow and not nightly", *IN_THE_FIELD]
    pytest(session, FIRST, "nightly-field", chosen, options)


@nox.session(name=f"tests-{FIRST}", tags=["daily"])
def tests(session: nox.Session) -> None:
    """Run all tests."""
    pytest(session, FIRST, "tests", [], [])


@nox.session(name=f"field-{FIRST}", tags=["daily"])
def field(session: nox.Session) -> None:
    """Run a few tests behind a slow network and as another user than root."""
    if session.posargs:
        session.skip("only some tests are wanted")
    chosen = ["tests/pings/test_answers.py", "tests/wrap/test_verdicts.py"]
    pytest(session, FIRST, "field", chosen, ["-m", "not slow", *IN_THE_FIELD])


@nox.session(tags=["nightly"])
def coverage(session: nox.Session) -> None:
    """Run all tests, and judge what they cover.

    Nightly: each process that is measured takes 0.1 s longer, and the tests start thousands.
    """
    program = f"{prepare(session, FIRST)}/coverage"
    env = {"COVERAGE_FILE": f"{_VENVS}/coverage/data"}
    shutil.rmtree(_VENVS / "coverage", ignore_errors=True)
    (_VENVS / "coverage").mkdir(parents=True)
    pytest(session, FIRST, "coverage", [], [], env=env)
    least = COVERAGE_AT_LEAST
    if session.posargs:
        least = 0
        session.log("only some tests ran: no threshold")
    session.run(program, "combine", "-q", env=env)
    session.run(program, "report", f"--fail-under={least}", env=env)


def _declare_celery(version: str) -> None:
    @nox.session(name=f"celery-{version}", tags=["daily"])
    def celery(session: nox.Session) -> None:
        """Run the tests that tell the troubles of Celery apart, with an older one."""
        # Arguments that choose other tests choose none of these; others want what isn't there.
        if session.posargs and "tests/celery" not in " ".join(session.posargs):
            session.skip("no test of Celery is wanted")
        name = f"{FIRST}-celery-{version}"
        pytest(session, name, "celery", ["tests/celery"], ["-m", "celery_versions"])


for _version in CELERIES:
    _declare_celery(_version)
