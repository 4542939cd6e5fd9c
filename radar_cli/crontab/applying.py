"""Carrying out the edits of crontabs: backups first, then the files, then the monitors."""

import json
import os
import pwd
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from radar_cli.core.errors import RadarError
from radar_cli.core.ids import expand_host
from radar_cli.crontab.keeping import Keeping
from radar_cli.crontab.link import CRON_PATH, ask_version, default_path, known_paths, read_link
from radar_cli.crontab.sources import Machine, own_name
from radar_cli.crontab.wrapping import Change, Edit, find_grace, keep_lines
from radar_cli.crontab.writing import write

_PATIENCE_S = 60.0
# What of a crontab's variables says where radar's monitors are.
_OF_RADAR = ("RADAR_", "CRONRADAR_", "XDG_", "HOME", "http", "HTTP", "no_proxy", "NO_PROXY")

Environment = tuple[tuple[str, str], ...]


@dataclass
class Applied:
    """The edits that were carried out, and what stood in the way of the others."""

    edits: list[Edit] = field(default_factory=list)
    backups: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass
class Made:
    """The monitors that were created."""

    created: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def find_link(environ: Mapping[str, str]) -> str:
    """Return the link that is there, root's first, else where this user's would be written."""
    for path in known_paths(environ):
        try:
            if read_link(path) is not None:
                return path
        except OSError:
            continue
    return default_path(environ)


def starts(path: str) -> bool:
    """Whether there is a link that starts a radar."""
    try:
        return read_link(path) is not None and bool(ask_version(path, os.environ))
    except (RadarError, OSError):
        return False


def apply(
    edits: Iterable[Edit],
    machine: Machine,
    keeping: Keeping,
    now: datetime,
    *,
    is_kept: bool = True,
) -> Applied:
    """Write crontabs, one after the other; one that can't be written stops no other.

    With `is_kept` the lines as they were are kept first. StateError: they can't be.
    """
    applied = Applied()
    for edit in edits:
        backup = keeping.back_up(edit.source.path, edit.source.text, now)
        if is_kept:
            keeping.add(keep_lines(edit))
        try:
            write(edit.source, edit.text, machine)
        except RadarError as error:
            applied.failures.append(error.line())
            continue
        applied.backups.append(backup)
        applied.edits.append(edit)
    return applied


def declare(edits: Iterable[Edit], link: str, zone: str) -> Made:
    """Create the monitors of wrapped jobs: where their users' pings go, and with their rights."""
    groups: dict[tuple[str, Environment], list[dict[str, Any]]] = defaultdict(list)
    for edit in edits:
        for change in edit.changes:
            if change.job is not None:
                group = (change.user, _pick_variables(change.job.variables))
                groups[group].append(_declaration(change, zone))
    made = Made()
    for (user, variables), rows in groups.items():
        try:
            made.created += _declare_as(user, variables, link, rows)
        except (OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
            why = f"no user {user}" if isinstance(error, KeyError) else str(error)
            keys = ", ".join(row["key"] for row in rows)
            made.failures.append(f"no monitors yet for {keys}: {why}")
    return made


def _declaration(change: Change, zone: str) -> dict[str, Any]:
    assert change.job is not None  # noqa: S101  (declare() has looked)
    options: dict[str, Any] = {
        "name": f"{expand_host(change.key)} of {change.user}",
        "tag": ["cron"],
    }
    if change.job.schedule:
        options["schedule"] = change.job.schedule
        options["grace"] = find_grace(change.job) or None
    return {"key": expand_host(change.key), "options": options, "tz": change.tz or zone}


def _pick_variables(variables: Mapping[bytes, bytes]) -> Environment:
    named = ((os.fsdecode(name), os.fsdecode(value)) for name, value in variables.items())
    return tuple(sorted((name, value) for name, value in named if name.startswith(_OF_RADAR)))


def _declare_as(
    user: str, variables: Environment, link: str, rows: list[dict[str, Any]]
) -> list[str]:
    """Have the monitors created by a process of that user, in the environment of its jobs.

    KeyError: there is no such user; ValueError: radar has refused.
    """
    rights: dict[str, Any] = {}
    environ = dict(os.environ)
    if user != own_name():
        entry = pwd.getpwnam(user)
        environ = {"HOME": entry.pw_dir, "LOGNAME": user, "USER": user, "PATH": CRON_PATH}
        groups = os.getgrouplist(user, entry.pw_gid)
        rights = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}
    done = subprocess.run(
        [link, "crontab", "declare", "--json"],
        input=json.dumps(rows).encode("ascii"),
        env=environ | dict(variables),
        cwd="/",
        capture_output=True,
        timeout=_PATIENCE_S,
        check=False,
        **rights,
    )
    if done.returncode:
        errors = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ValueError(
            errors[-1].removeprefix("radar: ") if errors else f"exit {done.returncode}"
        )
    created: list[str] = json.loads(done.stdout)["data"]["created"]
    return created
