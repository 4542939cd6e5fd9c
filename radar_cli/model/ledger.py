"""The records of the ledger: what a watch over a Celery has seen. Times are Unix time in µs."""

from dataclasses import dataclass, field
from enum import StrEnum


class TaskState(StrEnum):
    """The state of a task, in the order in which one goes through them."""

    SENT = "sent"
    RECEIVED = "received"
    STARTED = "started"
    RETRY = "retry"  # failed, and will be tried again
    SUCCESS = "success"
    FAILURE = "failure"
    REVOKED = "revoked"
    EXPIRED = "expired"
    REJECTED = "rejected"
    LOST = "lost"  # see `TaskRecord.stage`
    UNSEEN = "unseen"  # it isn't there any more, and the watch has missed how it ended


ENDED = frozenset(
    {
        TaskState.SUCCESS,
        TaskState.FAILURE,
        TaskState.REVOKED,
        TaskState.EXPIRED,
        TaskState.REJECTED,
        TaskState.LOST,
        TaskState.UNSEEN,
    }
)
# An end that was concluded, and that an event may disprove.
CONCLUDED = frozenset({TaskState.LOST, TaskState.UNSEEN})


class Stage(StrEnum):
    """The stage at which a task, or the firing of an entry, broke."""

    NOT_ATTEMPTED = "not attempted"  # Beat didn't try
    NOT_PUBLISHED = "not published"  # Beat tried, and the broker has nothing of it
    NOT_RECEIVED = "not received"  # no worker has fetched it
    HELD_BY_NOBODY = "held by nobody"  # fetched, and no worker that answers holds it
    NOT_STARTED = "not started"  # a worker has it, and doesn't begin
    WORKER_GONE = "worker gone"  # its worker ended while it ran
    NO_END = "no end"  # its worker lives, runs it no more, and told of no end
    UNKNOWN = "unknown task"  # dropped: no worker knows it


_REASONS = {
    Stage.NOT_ATTEMPTED: "Beat did not try to send it",
    Stage.NOT_PUBLISHED: "Beat tried to send it, and nobody has seen its task",
    Stage.NOT_RECEIVED: "it was sent, and no worker has received it",
    Stage.HELD_BY_NOBODY: "it was fetched, and no worker that answers holds it",
    Stage.NOT_STARTED: "a worker has received it, and does not begin",
    Stage.WORKER_GONE: "its worker is gone, or the process that ran it",
    Stage.NO_END: "its worker lives and runs it no more, and told of no end: its result could not"
    " be stored, or it called sys.exit()",
    Stage.UNKNOWN: "no worker knows the task: it was dropped",
}


def describe_stage(stage: str) -> str:
    """Return what a stage means, in words."""
    return f"{stage}: {_REASONS[Stage(stage)]}" if stage in _REASONS else stage


@dataclass(slots=True)
class TaskRecord:
    """A task, from being sent to its end, as far as events and looks tell."""

    id: str
    name: str = ""
    state: TaskState = TaskState.SENT
    stage: str = ""  # of `Stage`, where it broke
    worker: str = ""
    queue: str = ""
    entry: str = ""  # of Beat's schedule, if that sent it
    sent_us: int | None = None
    received_us: int | None = None
    started_us: int | None = None
    ended_us: int | None = None
    eta_us: int | None = None
    runtime_us: int | None = None
    retries: int = 0
    exception: str = ""  # the class
    place: str = ""  # the innermost line of the app's own code
    message: str = ""
    traceback: str = ""  # its end, without secrets
    called: str = ""  # the arguments, without secrets
    root: str = ""
    parent: str = ""
    changed_us: int = 0

    @property
    def wait_us(self) -> int | None:
        """Return how long it waited in its queue, not counting the time until its ETA."""
        begun_us = self.started_us or self.received_us
        if begun_us is None or self.sent_us is None:
            return None
        return max(0, begun_us - max(self.sent_us, self.eta_us or 0))

    @property
    def is_ended(self) -> bool:
        """Whether nothing more is expected of it."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """A worker as it was last seen; `gone_us` is when it went, None while it is there."""

    node: str
    seen_us: int
    since_us: int
    pool: str = ""
    slots: int | None = None
    active: int = 0
    processed: int = 0
    queues: tuple[str, ...] = ()
    gone_us: int | None = None
    said_goodbye: bool = False


@dataclass(frozen=True, slots=True)
class QueueSample:
    """A queue at a moment; None is what the broker doesn't tell."""

    name: str
    time_us: int
    depth: int | None = None
    unacked: int | None = None
    consumers: int | None = None


@dataclass(frozen=True, slots=True)
class Firing:
    """A firing of an entry of Beat's schedule, due at `due_us`, and the task that came of it."""

    entry: str
    due_us: int
    task: str = ""
    task_id: str = ""
    attempted_us: int | None = None
    published_us: int | None = None
    received_us: int | None = None
    started_us: int | None = None
    ended_us: int | None = None
    state: str = ""
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Blindness:
    """A time in which the watch saw nothing, and why."""

    begin_us: int
    end_us: int
    why: str


@dataclass(slots=True)
class Batch:
    """Changes that are written to the ledger together."""

    tasks: list[TaskRecord] = field(default_factory=list)
    workers: list[WorkerRecord] = field(default_factory=list)
    queues: list[QueueSample] = field(default_factory=list)
    firings: list[Firing] = field(default_factory=list)
    blind: list[Blindness] = field(default_factory=list)
    missed_events: int = 0

    def __bool__(self) -> bool:
        return bool(self.tasks or self.workers or self.queues or self.firings or self.blind)
