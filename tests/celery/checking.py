"""Running `radar celery check` and reading its findings."""

from pathlib import Path
from typing import Any

from tests.cli.envelopes import read_envelope
from tests.support.radar import run_radar


class Verdict:
    """What one check said."""

    def __init__(self, url: str, *words: str | Path) -> None:
        done = run_radar("celery", "check", "-b", url, "--json", *words, text=True)
        self.code = done.returncode
        self.said = done.stdout + done.stderr
        self.data: dict[str, Any] = read_envelope(done, codes=(0, 1, 3))["data"]
        self.state: str = self.data["verdict"]

    @staticmethod
    def read(done: Any) -> dict[str, Any]:
        """The data of a check that was run otherwise."""
        return dict(read_envelope(done, codes=(0, 1, 3))["data"])

    def __getitem__(self, which: tuple[str, str]) -> dict[str, Any]:
        """The finding of a layer on a subject."""
        found = [f for f in self.data["findings"] if (f["layer"], f["subject"]) == which]
        assert len(found) == 1, (which, self.said)
        return dict(found[0])

    def wrong(self) -> list[tuple[str, str]]:
        """Layer and subject of all that isn't ok."""
        return [(f["layer"], f["subject"]) for f in self.data["findings"] if f["state"] != "ok"]
