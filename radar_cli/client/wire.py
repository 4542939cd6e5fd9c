"""Monitors, runs, pings and flips as JSON: on the wire, and in what `--json` prints.

Times are ISO 8601 in UTC to the microsecond, durations seconds, memory bytes. What an `encode_…`
writes its `decode_…` reads without loss.
"""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Collection, TypedDict

from radar_cli.core.grammar import format_seconds
from radar_cli.core.shapes import Moment, Seconds, one_of
from radar_cli.model.alias import Alias
from radar_cli.model.attention import Attention
from radar_cli.model.fault import BAD, BEWARE, Fault
from radar_cli.model.flip import Flip
from radar_cli.model.monitor import Outage, Pause, to_us
from radar_cli.model.notice_log import ChannelHealth, Logged
from radar_cli.model.notice_timing import Window
from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord, read_faults, write_faults
from radar_cli.model.run import Origin, Run
from radar_cli.model.state import Reason, Status, View

RUNNING, HUNG = "running", "hung"
StatusWord = Annotated[str, one_of(Status)]
ReasonWord = Annotated[str, one_of(Reason)]


class OriginFields(TypedDict):
    """The sender of the last ping of a run, as the server saw it."""

    address: str
    method: str
    agent: str


class FaultFields(TypedDict):
    """A fault of a declaration; `text` is what was refused, or is doubtful."""

    kind: Annotated[str, one_of([BAD, BEWARE])]
    field: str
    text: str
    message: str
    since: Moment | None


class RunSummaryFields(TypedDict):
    """One run, without its output."""

    run_id: str | None
    outcome: Annotated[str, one_of(["success", "fail", RUNNING, HUNG])]
    started_at: Moment | None
    ended_at: Moment | None
    duration_s: Seconds | None
    exit_code: int | None
    signal: int | None
    reason: str | None
    cpu_s: Seconds | None
    max_rss_bytes: int | None
    tries: int
    host: str | None
    message: str | None
    url: str | None
    task: str | None
    output_bytes: int | None
    omitted_bytes: int
    output_unread: bool
    origin: OriginFields | None


class RunFields(RunSummaryFields):
    """One run; `output` is the end of what it wrote, with U+FFFD for what is no UTF-8."""

    output: str


class MonitorFields(TypedDict):
    """A monitor as it is declared, and how it is."""

    key: str
    name: str
    schedule: str | None
    every_s: Seconds | None
    tz: str | None
    grace_s: Seconds
    max_runtime_s: Seconds | None
    failure_tolerance: int
    tags: list[str]
    notes: str | None
    status: StatusWord
    reason: ReasonWord | None
    since: Moment | None
    running: bool
    expected_at: Moment | None
    paused: bool
    paused_until: Moment | None
    created_at: Moment | None
    hosts: str | None
    faults: list[FaultFields]


class AcknowledgedByFields(TypedDict):
    """Somebody who sees to a monitor that is down, and since when."""

    at: Moment | None
    by: str


class SilencedFields(TypedDict):
    """The maintenance window in which no notices of a monitor are sent; `why` is for people."""

    window: str
    why: str
    until: Moment | None


class AttentionFields(TypedDict):
    """A monitor to which somebody sees, or of which no notices are sent; null if neither is so."""

    acknowledged: AcknowledgedByFields | None
    silenced: SilencedFields | None


class AliasFields(TypedDict):
    """An old key of a monitor; `used_at` is when a ping last came by it."""

    alias: str
    monitor: str
    made_at: Moment | None
    used_at: Moment | None


class WindowFields(TypedDict):
    """A maintenance window; `length_s` is how long each of its times lasts, with a schedule."""

    id: str
    name: str
    monitors: str
    tag: str | None
    begin: Moment | None
    end: Moment | None
    schedule: str | None
    tz: str | None
    length_s: Seconds | None
    on: bool
    on_until: Moment | None
    next: Moment | None


class NoticeFields(TypedDict):
    """A notice of `count` monitors; `fate` is null while it is on its way."""

    id: str
    channel: str
    kind: str | None
    monitors: list[str]
    count: int
    made_at: Moment | None
    settled_at: Moment | None
    next_try_at: Moment | None
    tries: int
    fate: Annotated[str, one_of(["delivered", "given up"])] | None
    answer: str | None


def iso(time_us: int | None) -> str | None:
    """ISO 8601 in UTC, as everything that programs read."""
    if time_us is None:
        return None
    return datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="microseconds")


def from_iso(text: str | None) -> int | None:
    """The time that `iso` wrote. ValueError: it didn't."""
    return None if text is None else to_us(datetime.fromisoformat(text))


def describe_monitor(known: MonitorRecord, view: View, now_us: int) -> MonitorFields:
    """Describe what a monitor is declared as and what it says."""
    monitor, declared = known.monitor, known.declared
    pause = monitor.pause_at(now_us)
    return {
        "key": known.key,
        "name": monitor.name,
        "schedule": declared.get("schedule"),
        "every_s": monitor.every_s,
        "tz": declared.get("tz"),
        "grace_s": monitor.grace_s,
        "max_runtime_s": monitor.max_runtime_s,
        "failure_tolerance": monitor.failure_tolerance,
        "tags": list(monitor.tags),
        "notes": monitor.notes or None,
        "status": str(view.status),
        "reason": None if view.reason is None else str(view.reason),
        "since": iso(view.since_us),
        "running": view.is_running,
        "expected_at": iso(view.expected_us),
        "paused": view.status == Status.PAUSED,
        "paused_until": iso(pause.end_us) if pause is not None else None,
        "created_at": iso(known.created_us),
        "hosts": str(monitor.hosts) or None,
        "faults": [describe_fault(fault) for fault in known.active_faults],
    }


def encode_monitor(
    known: MonitorRecord,
    now_us: int,
    attention: Attention = Attention(),  # noqa: B008 (it can't be changed)
) -> dict[str, Any]:
    """A monitor as the API answers it; `record` is what `decode_monitor` reads."""
    return {
        **describe_monitor(known, known.view_at(now_us), now_us),
        **describe_attention(attention),
        "watched": known.is_watched,
        "version": known.version,
        "fingerprint": known.fingerprint,
        "record": {
            "declared": known.declared,
            "settled": sorted(known.settled),
            "created_us": known.created_us,
            "pauses": [[pause.begin_us, pause.end_us] for pause in known.pauses],
            "faults": json.loads(write_faults(known.faults)),
            "outages": [[outage.begin_us, outage.end_us] for outage in known.outages],
            "judged": json.loads(known.encode()),
        },
    }


def decode_monitor(entry: dict[str, Any]) -> MonitorRecord:
    """The monitor in what `encode_monitor` wrote."""
    record = entry["record"]
    return MonitorRecord(
        entry["key"],
        record["declared"],
        record["created_us"],
        json.dumps(record["judged"]),
        tuple(Pause(begin_us, end_us) for begin_us, end_us in record["pauses"]),
        frozenset(record["settled"]),
        entry["version"],
        tuple(Outage(begin_us, end_us) for begin_us, end_us in record.get("outages", ())),
        read_faults(json.dumps(record.get("faults", []))),
    )


def describe_attention(attention: Attention) -> AttentionFields:
    """Return who sees to a monitor, and until when no notices of it are sent."""
    return {
        "acknowledged": {"at": iso(attention.acked_us), "by": attention.acked_by}
        if attention.is_acked
        else None,
        "silenced": {
            "window": attention.window,
            "why": attention.why,
            "until": iso(attention.until_us),
        }
        if attention.is_silenced
        else None,
    }


def decode_attention(entry: dict[str, Any]) -> Attention:
    """Return what `describe_attention` described; an older server says nothing of it."""
    acked, silenced = entry.get("acknowledged") or {}, entry.get("silenced") or {}
    return Attention(
        from_iso(acked.get("at")),
        acked.get("by", ""),
        silenced.get("window", ""),
        silenced.get("why", ""),
        from_iso(silenced.get("until")),
    )


def describe_window(window: Window, now_us: int) -> WindowFields:
    """Return a maintenance window, and whether it is on."""
    span = window.span_at(now_us)
    return {
        "id": window.id,
        "name": window.name,
        "monitors": window.monitors,
        "tag": window.tag or None,
        "begin": iso(window.begin_us),
        "end": iso(window.end_us),
        "schedule": window.schedule or None,
        "tz": window.tz if window.schedule else None,
        "length_s": window.length_us / 1e6 if window.schedule else None,
        "on": span is not None,
        "on_until": None if span is None else iso(span[1]),
        "next": iso(window.next_us(now_us)),
    }


def decode_window(entry: dict[str, Any]) -> Window:
    """Return the window that `describe_window` described."""
    return Window(
        entry["id"],
        entry["name"],
        entry["monitors"],
        entry["tag"] or "",
        from_iso(entry["begin"]) or 0,
        from_iso(entry["end"]),
        entry["schedule"] or "",
        entry["tz"] or "UTC",
        round((entry["length_s"] or 0) * 1e6),
    )


def encode_notice(logged: Logged) -> NoticeFields:
    """Return a notice of the log as the API answers it."""
    return {
        "id": logged.id,
        "channel": logged.channel,
        "kind": logged.kind or None,
        "monitors": list(logged.monitors),
        "count": logged.count,
        "made_at": iso(logged.created_us),
        "settled_at": iso(logged.settled_us),
        "next_try_at": iso(logged.next_try_us),
        "tries": logged.tries,
        "fate": logged.fate or None,
        "answer": logged.answer or None,
    }


def decode_notice(entry: dict[str, Any]) -> Logged:
    """Return the notice that `encode_notice` encoded."""
    return Logged(
        entry["id"],
        entry["channel"],
        entry["kind"] or "",
        tuple(entry["monitors"]),
        entry["count"],
        from_iso(entry["made_at"]) or 0,
        from_iso(entry["settled_at"]),
        from_iso(entry["next_try_at"]),
        entry["tries"],
        entry["fate"] or "",
        entry["answer"] or "",
    )


def describe_channel(health: ChannelHealth) -> dict[str, Any]:
    """Return how a channel fares."""
    return {
        "channel": health.name,
        "delivered_at": iso(health.delivered_us),
        "failing_since": iso(health.failing_us),
        "failures": health.failures,
        "error": health.error or None,
    }


def decode_channel(entry: dict[str, Any]) -> ChannelHealth:
    """Return what `describe_channel` described."""
    return ChannelHealth(
        entry["channel"],
        from_iso(entry["delivered_at"]),
        from_iso(entry["failing_since"]),
        entry["failures"],
        entry["error"] or "",
    )


def encode_alias(alias: Alias) -> AliasFields:
    """An old key of a monitor as the API answers it."""
    return {
        "alias": alias.key,
        "monitor": alias.monitor,
        "made_at": iso(alias.made_us),
        "used_at": iso(alias.used_us),
    }


def decode_alias(entry: dict[str, Any]) -> Alias:
    """The alias in what `encode_alias` wrote."""
    made_us = from_iso(entry["made_at"]) or 0
    return Alias(entry["alias"], entry["monitor"], made_us, from_iso(entry["used_at"]))


def describe_fault(fault: Fault) -> FaultFields:
    """Return what is wrong with a declaration, by the name that its field has in the API."""
    return {
        "kind": fault.kind,
        "field": DECLARED.get(fault.field, fault.field),
        "text": fault.text,
        "message": fault.message,
        "since": iso(fault.since_us),
    }


def encode_run(run: Run, going_on: Collection[str] = ()) -> RunFields:
    """One run; one whose end isn't known is running if `going_on` has its id, and else hung."""
    output = run.output.decode("utf-8", "replace")
    return {**summarize_run(run, going_on), "output": output}


def summarize_run(run: Run, going_on: Collection[str] = ()) -> RunSummaryFields:
    """Describe the same without its output."""
    return {
        "run_id": run.run_id or None,
        "outcome": find_outcome(run, going_on),
        "started_at": iso(run.started_us),
        "ended_at": iso(run.ended_us),
        "duration_s": run.duration_s,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "reason": run.reason or None,
        "cpu_s": run.cpu_s,
        "max_rss_bytes": run.max_rss_bytes,
        "tries": run.tries,
        "host": run.host or None,
        "message": run.message or None,
        "url": run.url or None,
        "task": run.task or None,
        "output_bytes": run.output_bytes,
        "omitted_bytes": run.omitted_bytes,
        "output_unread": run.is_unread,
        "origin": _describe_origin(run.origin),
    }


def find_outcome(run: Run, going_on: Collection[str]) -> str:
    """Find how a run ended, or whether it goes on (`going_on` has its id) or hangs."""
    return run.outcome or (RUNNING if run.run_id in going_on else HUNG)


def decode_run(entry: dict[str, Any]) -> Run:
    """The run in what `encode_run` wrote."""
    return Run(
        entry["run_id"] or "",
        started_us=from_iso(entry["started_at"]),
        ended_us=from_iso(entry["ended_at"]),
        outcome="" if entry["outcome"] in (RUNNING, HUNG) else entry["outcome"],
        duration_s=entry["duration_s"],
        exit_code=entry["exit_code"],
        signal=entry["signal"],
        reason=entry["reason"] or "",
        cpu_s=entry["cpu_s"],
        max_rss_bytes=entry["max_rss_bytes"],
        tries=entry["tries"],
        host=entry["host"] or "",
        message=entry["message"] or "",
        url=entry.get("url") or "",  # radar 0.1 doesn't send it
        task=entry.get("task") or "",  # as above
        output=entry["output"].encode(),
        output_bytes=entry["output_bytes"],
        omitted_bytes=entry["omitted_bytes"],
        is_unread=entry.get("output_unread", False),  # radar 0.1 doesn't say it
        # radar 0.1 doesn't say it.
        origin=Origin(**entry["origin"]) if entry.get("origin") else None,
    )


def encode_ping(ping: Ping) -> dict[str, Any]:
    """A ping as the API answers it."""
    return {
        "id": ping.id,
        "kind": ping.kind,
        "run_id": ping.run_id or None,
        "time": iso(ping.time_us),
        "fields": ping.fields,
        "output": ping.body.decode("utf-8", "replace"),
        "origin": _describe_origin(ping.origin),
    }


def _describe_origin(origin: Origin | None) -> OriginFields | None:
    if origin is None:
        return None
    return {"address": origin.address, "method": origin.method, "agent": origin.agent}


def encode_flip(flip: Flip) -> dict[str, Any]:
    """A flip as the API answers it."""
    return {
        "id": flip.id,
        "since": iso(flip.time_us),
        "status": flip.status,
        "reason": flip.reason or None,
        "previous": flip.previous,
        "noticed_at": iso(flip.noticed_us),
    }


def decode_flip(monitor: str, entry: dict[str, Any]) -> Flip:
    """The flip in what `encode_flip` wrote."""
    return Flip(
        entry["id"],
        monitor,
        entry["previous"],
        entry["status"],
        entry["reason"] or "",
        from_iso(entry["since"]) or 0,
        from_iso(entry["noticed_at"]) or 0,
    )


# A field as pings have it: its name in the API.
DECLARED = {
    "name": "name",
    "schedule": "schedule",
    "every": "every_s",
    "tz": "tz",
    "gracePeriod": "grace_s",
    "max_runtime": "max_runtime_s",
    "failure_tolerance": "failure_tolerance",
    "tags": "tags",
    "hosts": "hosts",
    "notes": "notes",
    "applied": "applied",
}
_SECONDS = ("every", "gracePeriod", "max_runtime")


def encode_declared(declared: "dict[str, str | None]") -> dict[str, Any]:
    """Encode a declaration by the names and types of the API; None clears."""
    return {DECLARED[field]: _to_json(field, text) for field, text in declared.items()}


def decode_declared(given: dict[str, Any]) -> "dict[str, str | None]":
    """The fields, as pings have them, of what `encode_declared` wrote."""
    return {
        field: _from_json(field, given[name]) for field, name in DECLARED.items() if name in given
    }


def _to_json(field: str, text: str | None) -> Any:
    if text is None:
        return None
    if field in _SECONDS:
        return float(text)
    if field == "failure_tolerance":
        return int(text)
    return text.split() if field == "tags" else text


def _from_json(field: str, value: Any) -> str | None:
    if value is None or value in ("", []):
        return None
    if field in _SECONDS and not isinstance(value, str):
        return format_seconds(value)
    return " ".join(value) if field == "tags" else str(value)
