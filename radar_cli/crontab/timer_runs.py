"""Runs of systemd's timers, as systemd keeps them: made into pings, so that nothing is wrapped.

Of each timer systemd knows when it last triggered and when it does next, and of its service how
that ended. The ids of these pings are made of that, so that each counts once however often it is
asked. A timer that is stopped or disabled triggers no more: then the run that was due is missed.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from radar_cli.core.errors import StateError
from radar_cli.core.ids import KEY_MAX
from radar_cli.model.ping import Ping

RUNTIME = "/run/systemd/system"  # there while systemd is at work (sd_booted(3))
_PATIENCE_S = 30.0
_PROPERTIES = (
    *("Id", "Result", "ActiveState", "ConditionResult", "ExecMainCode", "ExecMainStatus"),
    *("ExecMainStartTimestamp", "InactiveEnterTimestamp"),
)
_ACTIVE = ("active", "activating", "deactivating", "reloading")
_KILLED = ("2", "3")  # CLD_KILLED and CLD_DUMPED (wait(2)), as ExecMainCode has them
_NO_KEY = re.compile(r"[^a-z0-9_.-]+")
_SLACK_S = 300
_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class TimerState:
    """A timer as systemd knows it. Times are Unix time in microseconds, None if there is none."""

    unit: str
    service: str
    last_us: int | None
    next_us: int | None

    @property
    def key(self) -> str:
        """The key of its monitor."""
        return key_of(self.unit)


def key_of(unit: str) -> str:
    """Return the key of a timer's monitor: its name, with what no key has made a `-`."""
    return _NO_KEY.sub("-", unit.lower()).strip("-.")[:KEY_MAX] or "timer"


def is_systemd_here(runtime: str = RUNTIME) -> bool:
    """Whether systemd runs this machine."""
    return os.path.isdir(runtime)


def ask_timers() -> list[TimerState]:
    """Return the timers of the system. StateError: systemd doesn't tell."""
    text = _ask("list-timers", "--all", "--output=json")
    try:
        return [
            TimerState(
                str(row["unit"]), str(row["activates"]), _time(row["last"]), _time(row["next"])
            )
            for row in json.loads(text)
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(f"systemctl list-timers prints something else: {error}") from None


def ask_services(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return what systemd knows of services, by their names. StateError: it doesn't tell."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    text = _ask("show", "--timestamp=unix", f"--property={','.join(_PROPERTIES)}", "--", *wanted)
    found = {}
    for block in text.split("\n\n"):
        pairs = (line.partition("=") for line in block.splitlines())
        properties = {name: value for name, _, value in pairs}
        if "Id" in properties:
            found[properties["Id"]] = properties
    return found


def _ask(*words: str) -> str:
    try:
        done = subprocess.run(
            ["systemctl", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            env={**os.environ, "LC_ALL": "C", "SYSTEMD_PAGER": ""},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StateError(f"systemctl {words[0]}: {error}") from None
    if done.returncode:
        message = done.stderr.decode("utf-8", "replace").strip()
        raise StateError(f"systemctl {words[0]}: {message or f'exit {done.returncode}'}")
    return done.stdout.decode("utf-8", "replace")


def _time(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def make_pings(
    timers: Iterable[TimerState], services: Mapping[str, Mapping[str, str]], host: str
) -> Iterator[Ping]:
    """Yield the pings of the last run of each timer, and what they declare of its monitor."""
    for timer in timers:
        if timer.last_us is None:
            continue
        service = services.get(timer.service, {})
        began_us = max(timer.last_us, _read_unix(service.get("ExecMainStartTimestamp", "")))
        fields = {**declare(timer, timer.last_us), "host": host}
        run_id = _make_id(timer, host, "run", began_us)
        yield Ping(
            "start",
            timer.key,
            ping_id=_make_id(timer, host, "start", began_us),
            run_id=run_id,
            time_us=began_us,
            fields=fields,
        )
        ended_us = _find_end(service, began_us)
        if ended_us is not None:
            kind, outcome = _find_outcome(service, began_us, ended_us)
            yield Ping(
                kind,
                timer.key,
                ping_id=_make_id(timer, host, kind, ended_us),
                run_id=run_id,
                time_us=ended_us,
                fields={**fields, **outcome},
            )


def declare(timer: TimerState, from_us: int) -> dict[str, str]:
    """Return what a timer's monitor is declared as: the next run is due when systemd says so."""
    fields = {"tags": "timer", "name": f"{timer.unit} of systemd"}
    if timer.next_us is not None and timer.next_us > from_us:
        fields["every"] = str(max(1, (timer.next_us - from_us) // _SECOND_US))
        # A timer may be late by its AccuracySec, one minute unless somebody has set it.
        fields["gracePeriod"] = str(_SLACK_S)
    return fields


def _find_end(service: Mapping[str, str], began_us: int) -> int | None:
    if service.get("ActiveState") in _ACTIVE or not service:
        return None
    if service.get("ConditionResult") == "no":
        return began_us  # it had no reason to run
    ended_us = _read_unix(service.get("InactiveEnterTimestamp", ""))
    # Both are cut to the second.
    if ended_us + _SECOND_US > began_us:
        return max(ended_us, began_us)
    return None if service.get("Result", "success") == "success" else began_us


def _find_outcome(
    service: Mapping[str, str], began_us: int, ended_us: int
) -> tuple[str, dict[str, str]]:
    fields = {"duration": f"{(ended_us - began_us) / 1e6:.6f}"}
    result = service.get("Result", "success")
    status = service.get("ExecMainStatus", "")
    if service.get("ExecMainCode") in _KILLED:
        fields["signal"] = status
    elif status.isdigit():
        fields["exit"] = status
    if result == "success":
        return "success", fields
    if result not in ("exit-code", "signal"):
        fields["reason"] = f"systemd: {result}"
    return "fail", fields


def _read_unix(text: str) -> int:
    digits = text.removeprefix("@")
    return int(digits) * _SECOND_US if digits.isascii() and digits.isdigit() else 0


def _make_id(timer: TimerState, host: str, what: str, time_us: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"radar:{host}/{timer.unit}/{what}/{time_us}"))
