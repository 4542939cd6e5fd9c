"""Faults that radar once had, or nearly: the simulation has to find each of them.

Each is a change of the source of one or two functions, made while a world is lived through.
"""

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import FunctionType


class Change:
    """A function of radar's, and what is written otherwise in it: old and new texts by turns."""

    def __init__(self, module: str, function: str, *texts: str) -> None:
        self.module, self.function, self.texts = module, function, texts

    def _find(self) -> FunctionType:
        found: object = import_module(f"radar_cli.{self.module}")
        for name in self.function.split("."):
            found = inspect.getattr_static(found, name)
        return _function(found)

    @contextmanager
    def made(self) -> Iterator[None]:
        """Have it so within a `with` block, for all who have imported the function."""
        found = self._find()
        source = textwrap.dedent(inspect.getsource(found))
        for old, new in zip(self.texts[::2], self.texts[1::2], strict=True):
            assert source.count(old) == 1, f"{self.function} doesn't hold {old!r} once"
            source = source.replace(old, new)
        names: dict[str, object] = {}
        exec(source, found.__globals__, names)
        kept, found.__code__ = found.__code__, _function(names[found.__name__]).__code__
        try:
            yield
        finally:
            found.__code__ = kept


def _function(found: object) -> FunctionType:
    """The function that a name in a module or a class stands for."""
    function = found.fget if isinstance(found, property) else found
    assert isinstance(function, FunctionType)
    return function


@dataclass(frozen=True)
class Mutant:
    """A fault, and the changes that make it; `embedded`: in the store of a machine."""

    fault: str
    changes: tuple[Change, ...]
    embedded: bool = False

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Have the fault within a `with` block."""
        with ExitStack() as stack:
            for change in self.changes:
                stack.enter_context(change.made())
            yield


MUTANTS = {
    "forgiven": Mutant(
        "an outage moves a deadline that lies after it, as its slot fell into it",
        (
            Change(
                *("model.monitor", "Monitor.judged_us", "self.outage_at(deadline_us))"),
                "self.outage_at(deadline_us)"
                " or self.outage_at(deadline_us - round(self.grace_s * 1e6)))",
            ),
        ),
    ),
    "moved-again": Mutant(
        "a deadline that was moved is moved again by each outage",
        (
            Change(
                *("model.monitor", "Monitor.judged_us"),
                "return outage.end_us + max(wait_us, _DELIVERY_AT_LEAST_US)",
                "return self.judged_us(outage.end_us + max(wait_us, _DELIVERY_AT_LEAST_US))",
            ),
        ),
    ),
    "no-heartbeat": Mutant(
        "nobody notes that somebody looks",
        (
            Change(
                *("store.outages", "Outages.keep_watch"),
                "change.execute(_SET, (_SERVER, str(now_us)))",
                "pass",
            ),
        ),
    ),
    "no-outage": Mutant(
        "an outage is not noticed",
        (
            Change(
                *("store.outages", "Outages.keep_watch"),
                "if now_us - began_us >= OUTAGE_FROM_US:",
                "if False:",
            ),
        ),
    ),
    "unmoved": Mutant(
        "an outage is noticed, and moves nothing",
        (Change("store.outages", "_go_through", "save(change, known, now_us, encoded)", "pass"),),
    ),
    "unmoved-late": Mutant(
        "an outage moves no deadline of a run of which is heard after it",
        (Change("model.record", "MonitorRecord.note_outages", "if missing :=", "if False and"),),
    ),
    "waits-for-older": Mutant(
        "a deadline after an outage waits for an older one that has moved",
        (Change("model.state", "_first_missed", "while monitor.schedule", "while False and None"),),
    ),
    "starts-up": Mutant(
        "a machine that has only begun stands for one that was missed",
        (Change("model.state", "apply", "isinstance(monitor.hosts, int) and", "False and"),),
    ),
    "ghost": Mutant(
        "a start without an end covers silence, though a later run went well",
        (
            Change(
                *("model.state", "_is_covering"),
                "start_us >= state.succeeded_start_us for",
                "True for",
            ),
        ),
    ),
    "ghost-hangs": Mutant(
        "a start without an end makes it down, though a later run went well",
        (
            Change(
                *("model.state", "_let_pass"),
                " and start_us >= state.succeeded_start_us",
                "",
            ),
        ),
    ),
    "older-success": Mutant(
        "the success of a run that is older than the failure brings it up",
        (Change("model.state", "_apply", "if start_us < state.failed_start_us:", "if False:"),),
    ),
    "no-correction": Mutant(
        "a late replay corrects nothing",
        (
            Change(
                *("model.record", "MonitorRecord.is_before"),
                "return self.newest < in_order(ping) and self.passed_us <= ping.time_us",
                "return True",
            ),
        ),
    ),
    "told-anew": Mutant(
        "a late replay brings the flips of the whole story once more",
        (Change("model.record", "MonitorRecord.flips", "if not self._is_replayed:", "if True:"),),
    ),
    "two-flips": Mutant(
        "two servers flip one monitor at once: the UPDATE is unconditional",
        (
            Change(
                *("store.monitors", "save", " WHERE key = ? AND version = ?", " WHERE key = ?"),
                *("*(known.key, known.version)", "known.key"),
            ),
            Change("store.monitors", "Monitors._judge_some", " FOR UPDATE SKIP LOCKED", ""),
        ),
    ),
    "one-set": Mutant(
        "complete sets of two apps, which call themselves alike, retire each other's monitors",
        (
            Change(
                *("store.declaring", "_retire_others"),
                "source_key IN (?, '')",
                "(source_key IN (?, '') OR true)",
            ),
        ),
    ),
    "embedded-moves": Mutant(
        "a check of the store on this machine moves deadlines that it should judge at once",
        (
            Change(
                *("store.outages", "Outages.note_check"),
                "_keep(change, outage)",
                "_go_through(change, outage, now_us)",
            ),
        ),
        embedded=True,
    ),
    "wiped": Mutant(
        "a newer flip wipes an alarm that is on its way",
        (
            Change(
                *("store.alerts", "_enqueue"),
                "return add_alerts(change, key, news, now_us)",
                "change.execute('DELETE FROM alert WHERE monitor = ? AND fate = ?', (key, ''))\n"
                "    return add_alerts(change, key, news, now_us)",
            ),
        ),
    ),
    "reminders-doubled": Mutant(
        "two servers remind of the same at once",
        (Change("store.reminders", "_remind", "AND remind_us <= ?", "AND ? > 0"),),
    ),
    "reminders-never-end": Mutant(
        "it is reminded of again at the next look",
        (
            Change(
                *("store.reminders", "_remind"),
                "set_reminder(change, flip_id, now_us + how.later_us)",
                "set_reminder(change, flip_id, now_us)",
            ),
        ),
    ),
}
