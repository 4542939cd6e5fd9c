"""The files of older releases: copies of them to work on, and the facts that are read of them.

A file of a release never changes again, so its format may be known here. What today's radar makes
of it is read from its commands and its HTTP interface alone, and only the facts that no version
changes: which monitors, their statuses and reasons, how many runs, what they wrote.
"""

import calendar
import json
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.radar import environment, run_radar
from tests.support.requirements import require

ROOT = Path(__file__).parent / "0.1"
# When the files are judged, in UTC. All that is in them happened in the 15 days before.
NOW = "2026-10-26 10:00:00"
_FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
_ANY_SILENCE_NS = 10**18  # in a sign of life


def faked(now: str = NOW) -> dict[str, str]:
    """The variables by which a program takes `now` for the time at its start.

    Timeouts go by the monotonic clock, and files have their real times.
    """
    require(_FAKETIME is not None, "libfaketime is not installed (tests/run installs it)")
    return {
        "LD_PRELOAD": str(_FAKETIME),
        "FAKETIME": f"@{now}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def expected(name: str) -> Any:
    """What the release itself made of its files."""
    return json.loads((ROOT / "expected" / f"{name}.json").read_text())


def copy_state(folder: Path) -> Path:
    """Copy the state directory, with the modes and the ages that Git doesn't keep."""
    state = folder / "state"
    shutil.copytree(ROOT / "state", state)
    a_day_ago = calendar.timegm(time.strptime(NOW, "%Y-%m-%d %H:%M:%S")) - 86_400
    for path in (state, *state.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (a_day_ago, a_day_ago))
    return state


def copy_config(folder: Path) -> dict[str, str]:
    """Copy the config files; return the variables that name them."""
    config = folder / "config"
    shutil.copytree(ROOT / "config", config)
    for path in config.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return {
        "RADAR_CONFIG": str(config / "user.toml"),
        "RADAR_SYSTEM_CONFIG": str(config / "system.toml"),
    }


def sign_of_age(sign: bytes, age_s: float) -> bytes:
    """Return a sign of life as if it had been given so many seconds ago on this machine.

    It holds times of the monotonic clock, which begins anew with each boot: when it was given,
    and until when the next may stay away, which keeps its distance. Its process is one that still
    is: no other one's excuse counts any more.
    """
    given, quiet_until, _ = sign.split()
    moved_ns = time.monotonic_ns() - round(age_s * 1e9) - int(given)
    until_ns = int(quiet_until)
    if 0 < until_ns < _ANY_SILENCE_NS:  # 0 excuses none
        until_ns += moved_ns
    # A machine that was started just now has no earlier time than 0.
    given_ns = max(0, int(given) + moved_ns)
    return b"%019d %019d %010d\n" % (given_ns, until_ns, os.getpid())


def read_json(*words: str, env: dict[str, str]) -> Any:
    """Return the data that a command prints as JSON, whatever the version of its envelope."""
    done = run_radar(*words, "--json", env=env, text=True)
    assert done.stdout, f"radar {' '.join(words)}: {done.stderr}"
    return json.loads(done.stdout)["data"]


def judge(env: dict[str, str]) -> dict[str, Any]:
    """Return what radar says of each monitor: its status, and why it is down."""
    entries = read_json("status", env=env)
    return {each["key"]: [each["status"], each["reason"]] for each in entries}


def look(env: dict[str, str], *keys: str) -> dict[str, Any]:
    """Return what is known of all monitors, or of these: judgement, flips, runs, last output."""
    monitors = judge(env)
    chosen = keys or tuple(monitors)
    history = ("monitors", "history", "--limit", "1000")
    flips = read_json(*history, "--flips", "mended", env=env)
    return {
        "monitors": monitors,
        "flips": [[each["status"], each["reason"]] for each in flips],
        "runs": {key: len(read_json(*history, key, env=env)) for key in chosen},
        "outputs": {key: _last_output(key, env) for key in chosen},
    }


def narrow(known: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return of what `look` returned for all what it returns for these."""
    return {
        name: {key: of[key] for key in keys} if name in ("runs", "outputs") else of
        for name, of in known.items()
    }


def _last_output(key: str, env: dict[str, str]) -> str:
    return run_radar("monitors", "output", key, env=env).stdout.decode()


def read_settings(*words: str, env: dict[str, str]) -> dict[str, Any]:
    """Return the settings in force by their keys."""
    entries = read_json("config", "list", "--show-secrets", *words, env=env)
    return {each["key"]: each["value"] for each in entries}


def machine(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a radar that has copies of the old state and config, at NOW."""
    state = str(copy_state(folder))
    return {**environment(RADAR_STATE_DIR=state), **copy_config(folder), **faked(), **more}


def is_alive(name: str, age_s: float, words: Sequence[str], folder: Path) -> bool:
    """Return whether `radar celery alive` takes who gave a sign so long ago for alive.

    The file is a copy in `folder`, beside which it says that its process has started.
    """
    file = folder / name
    shutil.copy(ROOT / "alive" / f"{name}.started", folder)
    file.write_bytes(sign_of_age((ROOT / "alive" / name).read_bytes(), age_s))
    done = run_radar("celery", "alive", *words, "--file", file, env=environment())
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0
