"""`radar recipe`: files for CI, systemd, containers and Ansible, filled in."""

import os
from typing import TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.recipes.filling import RECIPES, Job, fill
from radar_cli.cli.render import Result, Table
from radar_cli.core.cron import find_fault
from radar_cli.core.errors import BadValueError, StateError, UsageError
from radar_cli.core.ids import check_key
from radar_cli.crontab.link import known_paths

_DEFAULT_COMMAND = ("/usr/local/bin/backup.sh",)
_SERVER = "https://radar.example.com"
_LINK = known_paths({"HOME": "/"})[0]  # root's: these files are for a machine


class FileFields(TypedDict):
    """A file of a recipe; `path` is where it is to be, in a project or beside others."""

    path: str
    text: str


class RecipeFields(TypedDict):
    """A recipe, filled in."""

    recipe: str
    description: str
    files: list[FileFields]


@click.command(name="recipe")
@click.argument("name", type=click.Choice(tuple(RECIPES)), required=False)
@click.argument("words", metavar="[-- COMMAND [ARG]...]", nargs=-1, type=click.UNPROCESSED)
@click.option("--monitor", metavar="MONITOR", default="backup", help="The job's monitor (backup).")
@click.option(
    "--schedule", metavar="CRON", default="5 2 * * *", help="When the job runs (5 2 * * *)."
)
@click.option("--tz", metavar="ZONE", default="UTC", help="Timezone of the schedule (UTC).")
@click.option(
    "--image",
    metavar="IMAGE",
    default="python:3.13-slim",
    help="The image of a container (python:3.13-slim).",
)
@click.option(
    "--package", metavar="WORD", default="radar-cli", help="What pip installs (radar-cli)."
)
@click.option(
    "--link", metavar="FILE", default=_LINK, help="The launcher that 'radar link' has written."
)
@click.option("--write", "folder", metavar="FOLDER", default="", help="Write the files there.")
@common_options
@answers(list[RecipeFields])
@pass_session
def command(
    session: Session,
    name: str | None,
    words: tuple[str, ...],
    monitor: str,
    schedule: str,
    tz: str,
    image: str,
    package: str,
    link: str,
    folder: str,
) -> Result:
    """Print a recipe: the files that run a job under radar in CI, systemd, a container, Ansible.

    Without a name, list all recipes. The files are filled in with the options (--server is the
    server that the job reports to) and with COMMAND; nothing is asked or changed, unless --write
    names a folder for them.
    """
    server = session.server or _SERVER
    _check(monitor, schedule, [tz, image, server, package, link, *words])
    job = Job(
        monitor,
        schedule,
        tz,
        words or _DEFAULT_COMMAND,
        image,
        server,
        package,
        link,
    )
    data = [_fill(each, job) for each in RECIPES if name in (None, each)]
    if folder:
        if name is None:
            raise UsageError("--write needs the name of a recipe", "see 'radar recipe'")
        written = _write(folder, data[0]["files"])
        return Result(data, text="\n".join(written))
    if name is None:
        rows = [(each["recipe"], each["description"]) for each in data]
        return Result(data, Table(("recipe", "what it is"), rows))
    return Result(data, text=_join(data[0]["files"]))


def _check(monitor: str, schedule: str, values: list[str]) -> None:
    """Refuse what can't stand in the files. Raises UsageError."""
    try:
        check_key(monitor)
    except BadValueError as error:
        raise error.as_usage_error("--monitor") from None
    if fault := find_fault(schedule):
        raise UsageError(f"bad schedule {schedule[:60]!r}: {fault}")
    for value in values:
        if not value.isprintable():
            raise UsageError(f"bad value {value[:60]!r}", "it has to be printable")
    for value in values[:5]:
        if any(each in value for each in " \"'\\"):
            raise UsageError(f"bad value {value[:60]!r}", "no blank, quote or backslash fits there")


def _fill(name: str, job: Job) -> RecipeFields:
    files: list[FileFields] = [{"path": path, "text": text} for path, text in fill(name, job)]
    return {"recipe": name, "description": RECIPES[name], "files": files}


def _join(files: list[FileFields]) -> str:
    """Return the files one after another; several have their path above them."""
    if len(files) == 1:
        return files[0]["text"].rstrip("\n")
    parts = (f"# ---- {each['path']}\n{each['text']}" for each in files)
    return "\n".join(parts).rstrip("\n")


def _write(folder: str, files: list[FileFields]) -> list[str]:
    """Write the files, none over another that is there, and return their paths."""
    paths = [os.path.join(folder, each["path"]) for each in files]
    for path in paths:
        if os.path.lexists(path):
            raise UsageError(f"{path} is there already", "nothing is written; remove it first")
    try:
        for path, each in zip(paths, files, strict=True):
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "x", encoding="utf-8") as file:
                file.write(each["text"])
    except OSError as error:
        raise StateError(f"{error.filename}: can't be written: {error.strerror}") from None
    return paths
