"""The whole check: broker, workers, queues and schedule, within a time."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from radar_cli.celery.addresses import is_unverified, split_failover, without_password
from radar_cli.celery.broker import Broker, leave, load_driver, open_broker
from radar_cli.celery.broker_causes import BrokerError, explain
from radar_cli.celery.check.bounded import Bounded
from radar_cli.celery.check.expected import Expected
from radar_cli.celery.check.looking import Looker
from radar_cli.celery.check.memory import (
    Memory,
    compare,
    compare_entries,
    forget,
    load_memory,
    save_memory,
)
from radar_cli.celery.check.queues import judge_queues
from radar_cli.celery.check.seen import Look
from radar_cli.celery.check.tasks import Reported, judge_ended
from radar_cli.celery.check.waits import remember_waits
from radar_cli.celery.check.workers import judge_workers, name_silent
from radar_cli.celery.findings import Finding, State
from radar_cli.celery.processes import find_beats, find_worker
from radar_cli.celery.project import Project
from radar_cli.celery.queues import is_bound
from radar_cli.celery.schedule.entry import Beat, Entry
from radar_cli.celery.schedule.judging import (
    judge_processes,
    judge_schedule,
    judge_several,
    judge_vanished,
)
from radar_cli.celery.schedule.own import compare_own, read_own
from radar_cli.celery.schedule.restart import excuse_restart, started_at
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
# Of a failover URL: each is tried, and none for long.
_ADDRESSES_MAX = 8
_ADDRESS_S = 1.0
_ONE_OF = "one of"
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
    reported: Reported | None = None,
) -> list[Finding]:
    """Judge everything now. Whatever the broker does, it takes no longer than `timeout_s`.

    `beat` is where Beat's schedule is, empty if nobody asks; `memory` is a folder for what one
    check remembers for the next; with `forgets`, nothing that was there before is missed.
    `reported` returns the runs of tasks that monitors were told of since a time (None: nothing is
    known). Raises UsageError.
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
            _look_at_schedule(beat, broker, checked, project)
        bound.stage = "the tasks"
        checked.findings += judge_ended(project, broker, reported, time.time_ns() // 1000)
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
    checked.findings += _judge_failover(project)
    return broker


def _judge_failover(project: Project) -> list[Finding]:
    """A finding on each address of a failover URL that can't be used: one of them hides it."""
    urls = split_failover(project.broker)
    findings = []
    for url in urls[:_ADDRESSES_MAX] if len(urls) > 1 else ():
        try:
            opened = open_broker(
                url, timeout_s=_ADDRESS_S, options=project.options, use_ssl=project.use_ssl
            )
            leave(opened.connection)
        except BrokerError as error:
            found = _judge_broken(error)
            cause = f"{_ONE_OF} {len(urls)} addresses: the others stand in for it"
            findings.append(replace(found, cause=found.cause or cause))
    return findings


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


def _look_at_schedule(text: str, broker: Broker | None, checked: Checked, project: Project) -> None:
    now = datetime.fromtimestamp(time.time(), UTC)
    try:
        source = open_source(text, connection=broker and broker.connection)
        entries, beats = list(source.entries(now)), source.beats(now)
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
    is_file = ":" not in text or text.startswith("file:")
    processes = [] if text.startswith("redbeat") else find_beats()
    before = checked.memory.synced.get(source.text)
    checked.entries = excuse_restart(
        entries,
        beats,
        now,
        started_at=started_at(text, processes) if is_file else None,
        changed_before=None if before is None else datetime.fromtimestamp(before, UTC),
    )
    checked.findings += _judge_memory(source.text, beats, checked)
    if not text.startswith(("redbeat", "remote")):
        others = [Beat(node, now, 0.0, "its answer to a ping") for node in sorted(checked.beats)]
        checked.findings += judge_processes(processes, text) or judge_several(others)
    own = _judge_own(project, checked.entries, is_copy=is_file)
    checked.findings += own
    differing = {finding.subject for finding in own}
    last = checked.looks[-1] if checked.looks else None
    is_told = last is not None and bool(last.workers) and not last.silent
    consumed = (
        {q for worker in last.workers.values() for q in worker.queues or ()} if last else set()
    )
    judged = judge_schedule(
        checked.entries,
        beats,
        now,
        # Silent workers may know more tasks and take from more queues.
        registered=checked.registered if is_told else None,
        consumed=consumed if is_told else None,
    )
    checked.findings += [
        each for each in judged if each.state != "ok" or each.subject not in differing
    ]


def _judge_memory(source: str, beats: Sequence[Beat], checked: Checked) -> list[Finding]:
    """Miss entries that earlier checks saw, and remember what is there now."""
    names = [entry.name for entry in checked.entries]
    vanished, memory = compare_entries(checked.memory, source, names)
    synced = dict(memory.synced)
    if len(beats) == 1 and beats[0].seen_at is not None:
        synced[source] = beats[0].seen_at.timestamp()
    checked.memory = replace(memory, synced=synced)
    return judge_vanished(vanished)


def _judge_own(project: Project, entries: list[Entry], *, is_copy: bool) -> list[Finding]:
    """Compare what Beat keeps with the app's own schedule, if an app was named."""
    if project.app is None:
        return []
    try:
        own = read_own(project.app)
    except Exception as error:  # noqa: BLE001  (the modules of an app are anybody's code)
        reason = f"{type(error).__name__}: {error}"
        message = f"the app's own schedule can't be read: {reason[:200]}"
        return [Finding("schedule", "the app", "unknown", message)]
    return compare_own(own, entries, is_copy=is_copy)


def _judge_broken(error: BrokerError) -> Finding:
    state: State = "bad" if error.cause in _BAD_CAUSES else "unknown"
    data = {"cause": error.cause}
    return Finding("broker", error.broker, state, error.reason, hint=error.hint, data=data)


def _judge_hanging(
    project: Project, stage: str, timeout_s: float, findings: list[Finding]
) -> Finding:
    shown = without_password(project.broker)
    took = format_duration(timeout_s)
    message = f"no answer about {stage} within {took}"
    if stage == "the schedule":
        return Finding("schedule", "Beat", "unknown", message)
    if stage == "the tasks":
        return Finding("tasks", "all", "unknown", message)
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
    bad = [f for f in findings if f.layer == "broker" and f.state != "ok"]
    # An address for which another stands in has kept nobody from looking.
    reason = next((f.message for f in bad if not f.cause.startswith(_ONE_OF)), "")
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
