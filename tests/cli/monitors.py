"""Calling `radar monitors`, and putting pings of the past into its store."""

import time
from pathlib import Path
from typing import Any

from radar_cli.model.ping import Ping
from radar_cli.store.opening import open_embedded
from tests.cli.envelopes import read_envelope
from tests.support.radar import environment, run_radar

_HOUR_US = 3_600_000_000


def show(*words: str, **variables: str) -> str:
    """What `radar monitors WORDS` prints, if it succeeds."""
    env = {**environment(), **variables}
    done = run_radar("monitors", *words, env=env, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def data(*words: str) -> Any:
    """What it tells programs."""
    return read_envelope(run_radar("monitors", *words, "--json", text=True))["data"]


def remember(state_dir: Path, *pings: tuple[str, float, dict[str, str]]) -> None:
    """Put pings of `job` into the store: kind, hours ago, fields.

    Of the fields `rid` is the run's id (else each two pings are a run), `said` the output.
    """
    now_us = time.time_ns() // 1000
    with open_embedded(str(state_dir)) as store:
        told = [
            Ping(
                kind,
                "job",
                run_id=fields.get("rid", f"r{number // 2}"),
                time_us=now_us - round(hours * _HOUR_US),
                fields={name: value for name, value in fields.items() if name != "rid"},
                body=fields.get("said", "").encode(),
            )
            for number, (kind, hours, fields) in enumerate(pings)
        ]
        store.pings.add(told, now_us)
