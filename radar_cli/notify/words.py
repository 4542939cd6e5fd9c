"""The built-in words of a notice: subject, text, and data. They are read on a phone at 3 AM."""

import signal
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from radar_cli.core.grammar import format_duration
from radar_cli.model.run import Run
from radar_cli.notify.excerpt import last_lines, one_line
from radar_cli.notify.notice import Notice

DATA_VERSION = 1
_NAME_MAX = 60  # characters, in a subject
_FAULT_MAX = 120
_NAMES_MAX = 90  # characters of names, in a subject
_LISTED_MAX = 100  # monitors, in a text
_ACTED_ON_MAX = 10  # of so many each has its link to act
_URL_MAX = 2000
_NOTE_MAX = 2000
_LATEST_S = 250_000_000_000.0  # in the year 9892
_ARE_MANY = {
    "down": "are down",
    "up": "are up again",
    "late": "are late",
    "fault": "are declared wrongly, or may be",
}
_SINCE = {"missed": "missed since", "failed": "failed at", "hung": "hung since"}


def subject(notice: Notice) -> str:
    """One line, like `[radar] backup is down: missed since 02:05`."""
    return f"[radar] {headline(notice)}"


def headline(notice: Notice) -> str:
    """The subject, without who says it."""
    return _headline_of_many(notice) if notice.others else _headline_of_one(notice)


def _headline_of_many(notice: Notice) -> str:
    """Count the monitors, and name as many of them as fit."""
    names: list[str] = []
    for each in notice.all:
        name = one_line(each.name or each.monitor, _NAME_MAX)
        if names and len(", ".join((*names, name))) > _NAMES_MAX:
            break
        names.append(name)
    what = _ARE_MANY.get(notice.kind, f"are {notice.status}")
    if notice.kind == "down" and all(each.previous == "down" for each in notice.all):
        what = "are still down"
    more = len(notice.all) - len(names)
    listed = ", ".join(names) + (f" and {more} more" if more else "")
    return f"{len(notice.all)} monitors {what}: {listed}"


def _headline_of_one(notice: Notice) -> str:
    if notice.kind == "channel":
        return one_line(notice.happened, _FAULT_MAX)
    if notice.kind == "test":
        host = one_line(notice.host, _NAME_MAX)
        return "this is a test: notices arrive" + (f" from {host}" if host else "")
    name = one_line(notice.name or notice.monitor, _NAME_MAX)
    if notice.downs:
        times = "once" if notice.downs == 1 else f"{notice.downs} times"
        length_us = notice.noticed_us - (notice.previous_since_us or notice.noticed_us)
        within = format_duration(max(1, round(length_us / 1e6)))
        return f"{name} went down {times} within {within}, and is {notice.status} now"
    if notice.kind == "late":
        return f"{name} is late: due at {_short_time(notice)}"
    if notice.kind == "up":
        before_us = notice.previous_since_us
        if notice.previous != "down" or before_us is None or before_us >= notice.since_us:
            return f"{name} is up again"
        seconds = max(1, round((notice.since_us - before_us) / 1e6))
        return f"{name} is up again after {format_duration(seconds)}"
    if notice.kind == "fault":
        how = "is declared wrongly" if notice.reason == "bad" else "may be declared wrongly"
        return f"{name} {how}: {one_line(notice.happened, _FAULT_MAX)}"
    when = _short_time(notice)
    # A notice of a down that was one before is a reminder.
    down = "still down" if notice.previous == "down" else "down"
    if notice.reason in _SINCE:
        return f"{name} is {down}: {_SINCE[notice.reason]} {when}"
    return f"{name} is {down} since {when}"


def facts(notice: Notice) -> list[tuple[str, str]]:
    """Return the known facts, each with its label."""
    monitor = one_line(notice.monitor)
    name = one_line(notice.name)
    found = [
        ("Monitor", f"{name} ({monitor})" if name and name != monitor else monitor),
        ("Expected", one_line(notice.expected)),
        ("Happened", one_line(notice.happened)),
        ("Since", long_time(notice, notice.since_us)),
        ("Noticed", long_time(notice, notice.noticed_us)),
        ("Outage", _outage_line(notice)),
        ("On", one_line(notice.host)),
        ("Tags", one_line(" ".join(notice.tags))),
    ]
    if notice.kind == "channel":
        found = [("Since", long_time(notice, notice.since_us)), ("On", one_line(notice.host))]
    if notice.kind == "test":
        found = [fact for fact in found if fact[0] not in ("Monitor", "Since")]
    if notice.last_run is not None:
        found.append(("Last run", run_line(notice, notice.last_run)))
        found.append(("Link", one_line(notice.last_run.url, _URL_MAX)))
    return [(label, value) for label, value in found if value]


def _outage_line(notice: Notice) -> str:
    """Return when nobody looked, if the deadline fell into that time."""
    if notice.outage_us is None:
        return ""
    begin_us, end_us = notice.outage_us
    length = format_duration(max(1, (end_us - begin_us) // 1_000_000))
    return f"nobody looked from {_time(notice, begin_us)} to {_time(notice, end_us)}, for {length}"


def run_line(notice: Notice, run: Run) -> str:
    """Format how a run went, in a line."""
    parts = [{"success": "success", "fail": "failed"}.get(run.outcome, "still running")]
    moment_us = run.ended_us if run.started_us is None else run.started_us
    if moment_us is not None:
        verb = "ended" if run.started_us is None else "began"
        parts.append(f"{verb} {_time(notice, moment_us)}")
    if run.duration_s is not None:
        parts.append(f"took {format_duration(max(0.0, run.duration_s))}")
    if run.signal is not None:
        parts.append(_signal_name(run.signal))
    elif run.exit_code is not None:
        parts.append(f"exit {run.exit_code}")
    parts += [one_line(run.reason), f"on {one_line(run.host)}" if run.host else ""]
    parts.append(one_line(run.message))
    return ", ".join(part for part in parts if part)


def text(notice: Notice) -> str:
    """The whole notice as plain text, its last line ended."""
    lines = [headline(notice), ""]
    if notice.others:
        lines += [f"    {line}" for line in summaries(notice)]
    else:
        lines += [f"{label + ':':<10}{value}" for label, value in facts(notice)]
        lines += _more_of_one(notice)
    for heading, hints in (("To look further:", notice.look), ("To mute it:", notice.mute)):
        if hints:
            lines += ["", heading, *(f"    {one_line(line)}" for line in hints)]
    return "\n".join(lines) + "\n"


def summaries(notice: Notice) -> list[str]:
    """Return a line for each monitor of several, with the link to its page; not for too many."""
    found = []
    for each in notice.all[:_LISTED_MAX]:
        link = f"  {one_line(each.url, _URL_MAX)}" if each.url else ""
        found.append(f"{_headline_of_one(each)}{link}")
        if each.act_url and len(notice.all) <= _ACTED_ON_MAX:
            found.append(f"  see to it, or mute it: {one_line(each.act_url, _URL_MAX)}")
    more = len(notice.all) - _LISTED_MAX
    return [*found, f"... and {more} more"] if more > 0 else found


def notes(notice: Notice) -> list[str]:
    """Return the lines of the monitor's notes."""
    return [one_line(line, _NOTE_MAX) for line in notice.notes.splitlines()]


def _more_of_one(notice: Notice) -> list[str]:
    """The monitor's notes, and the end of what its last run wrote."""
    lines: list[str] = []
    if notice.notes:
        lines += ["", "Its notes:", *(f"    {line}".rstrip() for line in notes(notice))]
    if notice.last_run is not None:
        tail, is_cut = last_lines(notice.last_run)
        if tail:
            lines += ["", "The end of its output:", *(["    ..."] if is_cut else [])]
            lines += [f"    {line}".rstrip() for line in tail]
    return lines


def data(notice: Notice) -> dict[str, Any]:
    """The notice for programs: times in ISO 8601, durations in seconds.

    What it says of several monitors is in `monitors`; beside that stands what it says of the first.
    """
    return {
        "radar": DATA_VERSION,
        "key": _valid(notice.key),
        "kind": notice.kind,
        **_describe_one(notice),
        "monitors": [_describe_one(each) for each in notice.all] if notice.monitor else [],
        "subject": subject(notice),
        # Chat services that take a JSON object show what is called so.
        "text": text(notice),
    }


def _describe_one(notice: Notice) -> dict[str, Any]:
    run = notice.last_run
    return {
        "monitor": _valid(notice.monitor),
        "name": _valid(notice.name),
        "status": notice.status,
        "previous": notice.previous,
        "reason": notice.reason or None,
        "since": _iso(notice.since_us),
        "noticed": _iso(notice.noticed_us),
        "outage": None if notice.outage_us is None else [*map(_iso, notice.outage_us)],
        "expected": _valid(notice.expected),
        "happened": _valid(notice.happened),
        "host": _valid(notice.host) or None,
        "tags": [_valid(tag) for tag in notice.tags],
        "url": _valid(notice.url) or None,
        "notes": _valid(notice.notes) or None,
        "incident": _valid(notice.incident) or None,
        "downs": notice.downs,
        "act_url": _valid(notice.act_url) or None,
        "look": [_valid(line) for line in notice.look],
        "mute": [_valid(line) for line in notice.mute],
        "last_run": None if run is None else _describe(run),
    }


def _describe(run: Run) -> dict[str, Any]:
    tail, is_cut = last_lines(run)
    return {
        "run_id": _valid(run.run_id) or None,
        "outcome": run.outcome or None,
        "started_at": None if run.started_us is None else _iso(run.started_us),
        "ended_at": None if run.ended_us is None else _iso(run.ended_us),
        "duration_s": run.duration_s,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "reason": _valid(run.reason) or None,
        "host": _valid(run.host) or None,
        "message": _valid(run.message) or None,
        "url": _valid(run.url) or None,
        "output": "\n".join(tail),
        "is_output_cut": is_cut,
    }


def long_time(notice: Notice, time_us: int) -> str:
    """A moment in the monitor's timezone, as `Sat 2026-07-18 02:05:00 CEST (Europe/Berlin)`."""
    moment = _moment(notice, time_us)
    place = "" if notice.tz in ("", "UTC") else f" ({one_line(notice.tz, _NAME_MAX)})"
    return f"{moment:%a %Y-%m-%d %H:%M:%S %Z}{place}"


def _time(notice: Notice, time_us: int) -> str:
    return f"{_moment(notice, time_us):%Y-%m-%d %H:%M:%S %Z}"


def _short_time(notice: Notice) -> str:
    """Format since when, with the date only if that was another day."""
    since, noticed = _moment(notice, notice.since_us), _moment(notice, notice.noticed_us)
    if since.date() == noticed.date():
        return f"{since:%H:%M}"
    year = "" if since.year == noticed.year else f" {since.year}"
    return f"{since.day} {since:%b}{year} {since:%H:%M}"


def _moment(notice: Notice, time_us: int) -> datetime:
    return datetime.fromtimestamp(_seconds(time_us), _zone(notice.tz))


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (LookupError, ValueError, OSError):
        return UTC  # what a ping declares may be anything, and its monitor's fault says so


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def to_utc(time_us: int) -> datetime:
    """A moment of Unix time, in microseconds."""
    return datetime.fromtimestamp(_seconds(time_us), UTC)


def _iso(time_us: int) -> str:
    return to_utc(time_us).isoformat(timespec="microseconds")


def _seconds(time_us: int) -> float:
    """Unix time that a calendar has; a ping may claim any."""
    return min(max(time_us / 1e6, 0.0), _LATEST_S)


def _valid(words: str) -> str:
    """`words` without lone surrogates, which stand for bytes and are no Unicode."""
    return words.encode("utf-8", "replace").decode()
