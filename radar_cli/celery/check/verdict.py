"""The whole check: broker, workers, queues and schedule, within a time."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from radar_cli.celery.addresses import is_unverified, without_password
from radar_cli.celery.broker import Broker, leave, load_driver, open_broker
from radar_cli.celery.causes import BrokerError, explain
from radar_cli.celery.check.bounded import Bounded
from radar_cli.celery.check.expected import Expected
from radar_cli.celery.check.looking import Looker
from radar_cli.celery.check.memory import Memory, compare, forget, load_memory, save_memory
from radar_cli.celery.check.queues import judge_queues
from radar_cli.celery.check.seen import Look
from radar_cli.celery.check.waits import remember_waits
from radar_cli.celery.check.workers import judge_workers, name_silent
from radar_cli.celery.findings import Finding, State
from radar_cli.celery.processes import find_worker
from radar_cli.celery.project import Project
from radar_cli.celery.queues import is_bound
from radar_cli.celery.schedule.entry import Entry
from radar_cli.celery.schedule.judging import judge_schedule
from radar_cli.celery.schedule.sources import open_source
from radar_cli.core.errors import RadarError, UsageError
from radar_cli.core.grammar import format_duration

# What proves that the broker itself is bad; else it may be radar that is configured wrongly.
_BAD_CAUSES = frozenset(
    (
        *("refused", "hang", "loading", "disk", "memory", "replica", "clients", "alarm"),
        *("cluster", "stale-replica", "no-primary", "script"),
    )
)
_UNVERIFIED_HINT = "kombu verifies it with ?ssl_cert_reqs=CERT_REQUIRED"

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Checked:
    """The findings so far, and the looks that they come from."""

    findings: list[Finding] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    registered: frozenset[str] | None = None  # the tasks that workers know
    memory: Memory = field(default_factory=Memory)  # of earlier checks, and then for the next
    beats: set[str] = field(default_factory=set)  # that answer on the broker


def check(
    project: Project,
    expected: Expected,
    *,
    beat: str = "",
    timeout_s: float = 10.0,
    memory: Path | None = None,
    forgets: bool = False,
) -> list[Finding]:
    """Judge everything now. Whatever the broker does, it takes no longer than `timeout_s`.

    `beat` is where Beat's schedule is, empty if nobody asks; `memory` is a folder for what one
    check remembers for the next; with `forgets`, nothing that was there before is missed. Raises
    UsageError.
    """
    load_driver(project.broker)
    checked = Checked()
    if memory is not None:
        checked.memory = load_memory(memory, project.broker)
        if forgets:
            checked.memory = forget(checked.memory)
    bound: Bounded[bool] = Bounded(timeout_s)

    def work() -> bool:
        broker = _open(project, timeout_s, checked)
        if broker is not None:
            try:
                _look(broker, project, expected, bool(beat), bound, checked, memory)
            except UsageError:
                raise
            except Exception as error:
                leave(broker.connection)
                raise explain(error, broker.shown, None, url=project.broker) from error
        if beat:
            bound.stage = "the schedule"
            _look_at_schedule(beat, broker, checked)
        if broker is not None:
            leave(broker.connection)
            if memory is not None:
                save_memory(memory, project.broker, checked.memory)
        return True

    done: bool | None = True
    try:
        bound.stage = "the broker"
        done = bound.run(work)
    except BrokerError as error:
        checked.findings.append(_judge_broken(error))
    findings = list(checked.findings)  # an abandoned thread may add to its own
    if done is None:
        findings.append(_judge_hanging(project, bound.stage, timeout_s, findings))
    return [*relate(findings, checked.entries), *_missing_layers(findings, beat=bool(beat))]


def _open(project: Project, timeout_s: float, checked: Checked) -> Broker | None:
    try:
        broker = open_broker(
            project.broker,
            timeout_s=timeout_s,
            options=project.options,
            use_ssl=project.use_ssl,
            exchange=project.exchange,
        )
    except BrokerError as error:
        checked.findings.append(_judge_broken(error))
        return None
    took = format_duration(broker.connect_s)
    data = {"kind": broker.kind, "connect_s": round(broker.connect_s, 4)}
    message, hint = f"answers in {took}", ""
    if is_unverified(project.broker, project.use_ssl):
        message, hint = f"{message}; its certificate isn't verified", _UNVERIFIED_HINT
    checked.findings.append(Finding("broker", broker.shown, "ok", message, "", hint, data))
    return broker


def _look(
    broker: Broker,
    project: Project,
    expected: Expected,
    with_tasks: bool,
    bound: Bounded[bool],
    checked: Checked,
    memory: Path | None,
) -> None:
    bound.stage = "workers and queues"
    with Looker(broker, expected.queues or project.queues) as looker:
        looks = looker.look_for_progress(bound.left_s, with_tasks=with_tasks)
        checked.looks = looks
        waited_s = {}
        now = time.time()
        if memory is not None:
            waited_s = remember_waits(memory, project.broker, looks[-1].queues, now)

        def is_there(node: str) -> bool | None:
            return is_bound(broker, node)

        silent = name_silent(
            looks[-1], expected, is_there, find_worker, checked.memory.workers.keys()
        )
        news, checked.memory = compare(
            checked.memory, looks[-1], silent, now, tells_goodbye=broker.kind == "redis"
        )
        checked.findings += judge_workers(
            looks, expected, now, find_worker, is_there, news=news, silent=silent
        )
        checked.findings += judge_queues(looks, expected, waited_s, news.queues)
        checked.beats = looker.beats
        checked.registered = looker.registered


def _look_at_schedule(text: str, broker: Broker | None, checked: Checked) -> None:
    now = datetime.fromtimestamp(time.time(), UTC)
    try:
        source = open_source(text, connection=broker and broker.connection)
        checked.entries = list(source.entries(now))
        beats = source.beats(now)
    except UsageError:
        if broker is not None:
            raise
        # It is kept in the broker, whose finding says what is wrong.
        reason = checked.findings[-1].message
        checked.findings.append(
            Finding("schedule", text, "unknown", "can't be read", f"broker: {reason}")
        )
        return
    except RadarError as error:
        checked.findings.append(
            Finding("schedule", text, "unknown", error.message, hint=error.hint)
        )
        return
    last = checked.looks[-1] if checked.looks else None
    is_told = last is not None and bool(last.workers) and not last.silent
    consumed = (
        {q for worker in last.workers.values() for q in worker.queues or ()} if last else set()
    )
    checked.findings += judge_schedule(
        checked.entries,
        beats,
        now,
        # Silent workers may know more tasks and take from more queues.
        registered=checked.registered if is_told else None,
        consumed=consumed if is_told else None,
    )


def _judge_broken(error: BrokerError) -> Finding:
    state: State = "bad" if error.cause in _BAD_CAUSES else "unknown"
    data = {"cause": error.cause}
    shown, _, message = error.message.partition(": ")
    return Finding("broker", shown, state, message, hint=error.hint, data=data)


def _judge_hanging(
    project: Project, stage: str, timeout_s: float, findings: list[Finding]
) -> Finding:
    shown = without_password(project.broker)
    took = format_duration(timeout_s)
    message = f"no answer about {stage} within {took}"
    if stage == "the schedule":
        return Finding("schedule", "Beat", "unknown", message)
    cause = "it accepts connections and doesn't answer, or not to the end"
    # Once it has let radar in, it may merely be slow.
    is_open = any(finding.layer == "broker" for finding in findings)
    state: State = "unknown" if is_open else "bad"
    return Finding(
        *("broker", f"{shown} again" if is_open else shown, state, message),
        cause=cause,
        hint="look at the broker; a larger --timeout if it is only slow",
        data={"cause": "hang"},
    )


def _missing_layers(findings: list[Finding], *, beat: bool) -> list[Finding]:
    """A word for each layer that could not be looked at."""
    there = {finding.layer for finding in findings}
    reason = next((f.message for f in findings if f.layer == "broker" and f.state != "ok"), "")
    missing = []
    if reason and "workers" not in there:
        missing.append(Finding("workers", "all", "unknown", "can't be asked", f"broker: {reason}"))
    if reason and "queues" not in there:
        missing.append(Finding("queues", "all", "unknown", "can't be seen", f"broker: {reason}"))
    if beat and "schedule" not in there:
        missing.append(Finding("schedule", "Beat", "unknown", "wasn't looked at"))
    return missing


def relate(findings: Iterable[Finding], entries: Iterable[Entry]) -> list[Finding]:
    """The findings with causes across layers.

    What Beat sent into a queue that nobody empties; a Beat that lives and whose broker is away.
    """
    found = list(findings)
    sent = [entry for entry in entries if entry.queue and entry.has_run and entry.last_run_at]
    is_away = any(finding.layer == "broker" and finding.state == "bad" for finding in found)
    related = [_with_sent(finding, sent) for finding in found]
    return [_without_broker(finding) for finding in related] if is_away else related


def _without_broker(finding: Finding) -> Finding:
    if finding.layer != "schedule" or finding.state != "ok" or "how" not in finding.data:
        return finding
    return replace(finding, cause="it is alive; what it sends is lost while the broker is away")


def _with_sent(finding: Finding, sent: Iterable[Entry]) -> Finding:
    into = [entry for entry in sent if entry.queue == finding.subject and entry.last_run_at]
    if finding.layer != "queues" or finding.state != "bad" or not into:
        return finding
    last = max(into, key=lambda entry: entry.last_run_at or _NEVER)
    words = f"Beat sent {last.name} to it at {last.last_run_at:%H:%M:%S} UTC"
    return replace(finding, cause=f"{finding.cause}; {words}" if finding.cause else words)
