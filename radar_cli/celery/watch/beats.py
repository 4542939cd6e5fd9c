"""Beat itself, as this machine's process table shows it.

Its file is written every few minutes, so that a Beat which hangs isn't told from one that sleeps.
"""

from dataclasses import dataclass

from radar_cli.celery.processes import BeatProcess, find_beats, keeps

_OTHER_SOURCES = ("redbeat", "remote", "django:")


@dataclass(frozen=True, slots=True)
class SeenBeat:
    """The process of a Beat; pid 0 is one that can't be seen, on another machine say."""

    pid: int = 0
    is_stopped: bool = False
    is_gone: bool = False  # and it was there

    @property
    def is_there(self) -> bool:
        """Whether the process lives, stopped or not."""
        return self.pid > 0 and not self.is_gone

    def describe(self) -> str:
        """Return why it sends nothing, as far as its process tells."""
        if not self.pid:
            return "Beat sends nothing that is due"
        if self.is_gone:
            return f"Beat is gone (it was process {self.pid}), and sends nothing that is due"
        how = "is stopped by a signal" if self.is_stopped else "lives"
        return f"Beat (process {self.pid}) {how}, and sends nothing that is due"


class BeatSeeker:
    """Finds the Beat that keeps a schedule's file, and remembers it."""

    def __init__(self, source: str) -> None:
        self._path = "" if source.startswith(_OTHER_SOURCES) else source
        self._known = 0

    def look(self) -> SeenBeat:
        """Return the process as it is now."""
        found = find_beats() if self._path else []
        return self.judge([beat for beat in found if keeps(self._path, beat)])

    def judge(self, found: list[BeatProcess]) -> SeenBeat:
        """Return the process among those that keep the file; one that runs goes before others."""
        if found:
            beat = min(found, key=lambda each: each.is_stopped)
            self._known = beat.pid
            return SeenBeat(beat.pid, beat.is_stopped)
        return SeenBeat(self._known, is_gone=self._known > 0)
