"""Findings as people, Nagios and Prometheus read them."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

from radar_cli.celery.findings import (
    EXIT_CODES,
    LAYERS,
    Finding,
    FindingFields,
    State,
    by_urgency,
    verdict,
)
from radar_cli.celery.probes import TIMESTAMP
from radar_cli.cli.nagios import CRITICAL, OK, UNKNOWN, format_line
from radar_cli.cli.render import Cell, Result, Table
from radar_cli.core.prometheus import Sample, format_family

_STYLES: dict[State, str] = {"ok": "green", "bad": "bold red", "unknown": "yellow"}
_NAGIOS: dict[State, int] = {"ok": OK, "bad": CRITICAL, "unknown": UNKNOWN}
_NAMED = 10
SERIES_MAX = 200
_COLUMNS = ("layer", "subject", "state", "finding", "cause", "hint")
# What is measured of a queue or worker, as metrics: (key in data, name, help).
_MEASURED = {
    "queues": (
        ("depth", "queue_depth", "messages that wait, of all priorities"),
        ("unacked", "queue_unacked", "messages that are fetched and not acknowledged"),
        ("consumers", "queue_consumers", "workers that consume the queue"),
        ("waited_s", "queue_waited_seconds", "how long the next message has waited at least"),
    ),
    "workers": (
        ("active", "worker_active", "tasks that run"),
        ("slots", "worker_slots", "tasks that can run at once"),
        ("reserved", "worker_reserved", "tasks that are fetched and don't run yet"),
        ("total", "worker_tasks_total", "tasks taken since the worker's start"),
    ),
    "broker": (("connect_s", "broker_connect_seconds", "how long connecting took"),),
}
_LABELS = {"queues": "queue", "workers": "worker", "broker": "broker"}


class VerdictFields(TypedDict):
    """The worst of all states, and every finding."""

    verdict: State
    findings: list[FindingFields]


def show_findings(findings: Sequence[Finding], *, with_ok: bool) -> Result:
    """A table, with what is bad first; and all of it for programs."""
    shown = [f for f in by_urgency(findings) if with_ok or f.state != "ok"]
    rows = [
        (f.layer, f.subject, Cell(f.state, _STYLES[f.state]), f.message, f.cause, f.hint)
        for f in shown
    ]
    state = verdict(findings)
    data: VerdictFields = {
        "verdict": state,
        "findings": [finding.describe() for finding in findings],
    }
    table = Table(_COLUMNS, rows, wrapped=("finding", "cause"), hint="hint")
    return Result(data, table, exit_code=EXIT_CODES[state])


def in_a_line(findings: Sequence[Finding]) -> str:
    """The verdict in a line: what isn't ok, or how much is."""
    wrong = [finding for finding in by_urgency(findings) if finding.state != "ok"]
    if not wrong:
        counts = Counter(finding.layer for finding in findings)
        return ", ".join(f"{layer} {count} ok" for layer, count in counts.items())
    words = [_name(finding) for finding in wrong[:_NAMED]]
    more = len(wrong) - len(words)
    return "; ".join(words) + (f"; and {more} more" if more else "")


def for_nagios(findings: Sequence[Finding]) -> Result:
    """A line with performance data, and Nagios's exit codes."""
    depths = {
        finding.subject: finding.data["depth"]
        for finding in findings
        if finding.layer == "queues" and finding.data.get("depth") is not None
    }
    return format_line("RADAR CELERY", _NAGIOS[verdict(findings)], in_a_line(findings), depths)


def for_prometheus(findings: Sequence[Finding]) -> Result:
    """Gauges in text format 0.0.4, for node_exporter's textfile collector.

    Of each layer at most SERIES_MAX are listed, what isn't well first: labels have a bound.
    """
    state = verdict(findings)
    counts = Counter((f.layer, f.state) for f in findings)
    findings = _bound(findings)
    well = "1 if {} is well, 0 if not, -1 if it can't be known"
    found: list[Sample] = [
        ({"layer": f.layer, "subject": f.subject}, _number(f.state)) for f in findings
    ]
    counted: list[Sample] = [
        ({"layer": layer, "state": each}, counts[layer, each])
        for layer in LAYERS
        for each in _STYLES
    ]
    looked = "when radar celery check looked, Unix time"
    many = "how many findings there are, listed or not"
    families = [
        format_family(
            TIMESTAMP.removeprefix("radar_"), "gauge", looked, [({}, round(time.time()))]
        ),
        format_family("celery_findings", "gauge", many, counted),
        format_family("celery_ok", "gauge", well.format("all"), [({}, _number(state))]),
        format_family("celery_finding_ok", "gauge", well.format("it"), found),
    ]
    for layer, measured in _MEASURED.items():
        for key, name, help_text in measured:
            samples: list[Sample] = [
                ({_LABELS[layer]: f.subject}, f.data[key])
                for f in findings
                if f.layer == layer
                and isinstance(f.data.get(key), (int, float))
                and not (layer == "queues" and f.subject == "unacked")
            ]
            if samples:
                kind = "counter" if name.endswith("_total") else "gauge"
                families.append(format_family(f"celery_{name}", kind, help_text, samples))
    return Result(None, text="\n".join(families), exit_code=EXIT_CODES[state])


def _bound(findings: Sequence[Finding]) -> list[Finding]:
    listed: Counter[str] = Counter()
    found = []
    for finding in by_urgency(findings):
        listed[finding.layer] += 1
        if listed[finding.layer] <= SERIES_MAX:
            found.append(finding)
    return found


def _name(finding: Finding) -> str:
    cause = f" ({finding.cause})" if finding.cause else ""
    return f"{finding.layer} {finding.subject}: {finding.message}{cause}"


def _number(state: State) -> int:
    return {"ok": 1, "bad": 0, "unknown": -1}[state]
