"""Findings as people, Nagios and Prometheus read them."""

from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

from radar_cli.celery.findings import (
    EXIT_CODES,
    Finding,
    FindingFields,
    State,
    by_urgency,
    verdict,
)
from radar_cli.cli.render import Cell, Result, Table, clean

_STYLES: dict[State, str] = {"ok": "green", "bad": "bold red", "unknown": "yellow"}
_NAGIOS: dict[State, tuple[str, int]] = {
    "ok": ("OK", 0),
    "bad": ("CRITICAL", 2),
    "unknown": ("UNKNOWN", 3),
}
_NAMED = 10
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
    return Result(data, Table(_COLUMNS, rows), exit_code=EXIT_CODES[state])


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
    word, code = _NAGIOS[verdict(findings)]
    data = [
        f"'{_label(finding.subject)}'={finding.data['depth']}"
        for finding in findings
        if finding.layer == "queues" and finding.data.get("depth") is not None
    ]
    text = f"RADAR CELERY {word} - {in_a_line(findings)}".replace("|", "/")
    return Result(None, text=f"{text} | {' '.join(data)}" if data else text, exit_code=code)


def for_prometheus(findings: Sequence[Finding]) -> Result:
    """Gauges in text format 0.0.4, for node_exporter's textfile collector."""
    state = verdict(findings)
    lines = [
        "# HELP radar_celery_ok 1 if all is well, 0 if not, -1 if it can't be known",
        "# TYPE radar_celery_ok gauge",
        f"radar_celery_ok {_number(state)}",
        "# HELP radar_celery_finding_ok 1 if it is well, 0 if not, -1 if it can't be known",
        "# TYPE radar_celery_finding_ok gauge",
    ]
    for f in findings:
        labels = f'layer="{f.layer}",subject="{_escape(f.subject)}"'
        lines.append(f"radar_celery_finding_ok{{{labels}}} {_number(f.state)}")
    for layer, measured in _MEASURED.items():
        for key, name, help_text in measured:
            samples = [
                f'radar_celery_{name}{{{_LABELS[layer]}="{_escape(f.subject)}"}} {f.data[key]:.15g}'
                for f in findings
                if f.layer == layer
                and isinstance(f.data.get(key), (int, float))
                and not (layer == "queues" and f.subject == "unacked")
            ]
            if samples:
                full = f"radar_celery_{name}"
                kind = "counter" if name.endswith("_total") else "gauge"
                lines += [f"# HELP {full} {help_text}", f"# TYPE {full} {kind}", *samples]
    return Result(None, text="\n".join(lines), exit_code=EXIT_CODES[state])


def _name(finding: Finding) -> str:
    cause = f" ({finding.cause})" if finding.cause else ""
    return f"{finding.layer} {finding.subject}: {finding.message}{cause}"


def _number(state: State) -> int:
    return {"ok": 1, "bad": 0, "unknown": -1}[state]


def _escape(text: str) -> str:
    return clean(text).replace('"', '\\"')


def _label(text: str) -> str:
    return clean(text).replace("'", "").replace("=", "")
