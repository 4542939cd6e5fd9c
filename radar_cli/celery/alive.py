"""`radar celery alive`: is the worker or Beat of this machine alive? One look at a file.

Routed past click, since a probe runs every few seconds for as long as there are workers.
"""

import os
import sys
import time

from radar_cli.celery.signs import STARTED_SUFFIX, default_file, read_silence

MAX_AGE_S = 60.0
_SWITCHES = ("--beat", "--started")
_DEAD = 1


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def alive(words: "list[str]", leave_to_click: "Callable[[], int]") -> int:
    """Run the probe and return its exit code: 0 alive, 1 not. What it can't parse, click does."""
    file, max_age_s, switches = "", MAX_AGE_S, set()
    waiting = iter(words)
    for word in waiting:
        name, equals, value = word.partition("=")
        if word in _SWITCHES:
            switches.add(word)
        elif name in ("--file", "--max-age"):
            value = value if equals else next(waiting, "")
            if name == "--file" and value:
                file = value
                continue
            from radar_cli.core.grammar import parse_period

            try:
                max_age_s = parse_period(value)
            except ValueError:
                return leave_to_click()
        else:
            return leave_to_click()
    is_alive, message = look(
        file, max_age_s, beat="--beat" in switches, started="--started" in switches
    )
    if sys.stdout is not None:
        sys.stdout.write(message + "\n")
    return 0 if is_alive else _DEAD


def look(file: str, max_age_s: float, *, beat: bool, started: bool) -> "tuple[bool, str]":
    """Whether the worker (or Beat) is alive, and the line to print."""
    role = "beat" if beat else "worker"
    name = "Beat" if beat else "the worker"
    file = file or default_file(os.environ, role)
    try:
        if started:
            os.stat(file + STARTED_SUFFIX)
            return True, f"{name} has started"
        age_s, note = read_silence(file, time.monotonic_ns)
    except OSError as error:
        what = "not started" if started else "no sign of life"
        return False, f"{name} gave {what}: {file}: {error.strerror}"
    if age_s > max_age_s:
        since = "before this machine started" if age_s == float("inf") else f"{age_s:.0f} s"
        why = f" ({note})" if note else ""
        return False, f"{name} is silent for {since}, more than {max_age_s:g} s: {file}{why}"
    is_excused = age_s < 0 and note
    return True, f"{name} is alive: {note if is_excused else f'{max(0.0, age_s):.1f} s'}"
