"""The expectations of whoever asks for a verdict."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expected:
    """Expectations: what must be there, and what must not be exceeded; None: anything goes."""

    queues: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    worker_count: int | None = None
    max_depth: int | None = None
    max_wait_s: float | None = None
    max_runtime_s: float | None = None
    visibility_timeout_s: float = 3600.0  # after which Redis's messages are delivered again
