"""Remarks of `radar doctor`."""

from dataclasses import dataclass

GOOD, BEWARE, BAD = "ok", "beware", "bad"


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark on one thing that was looked at; `hint` says what to do."""

    what: str
    state: str
    message: str
    hint: str = ""
