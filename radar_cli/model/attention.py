"""Attention: who sees to a monitor that is down, or has silenced it, and until when."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attention:
    """Attention to a monitor: who sees to it, until when it is silenced. Times are Unix µs."""

    acked_us: int | None = None  # when somebody said so; None: nobody did
    acked_by: str = ""
    window: str = ""  # the id of the one that is on now and ends last; "": none is
    why: str = ""
    until_us: int | None = None  # when it ends; None: when somebody ends it

    @property
    def is_acked(self) -> bool:
        """Whether somebody sees to it."""
        return self.acked_us is not None

    @property
    def is_silenced(self) -> bool:
        """Whether no notices of it are sent now."""
        return bool(self.window)
