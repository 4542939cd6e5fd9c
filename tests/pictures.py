"""The pictures of the README and the docs, made of a real terminal and a real browser.

    python -m tests.pictures [FOLDER]

It plants the same monitors each time, with a day of runs; FOLDER is docs/pictures, if not given.
"""

import os
import random
import re
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from radar_cli.model.ping import Ping
from radar_cli.store.store import Store
from tests.support.chromium import chromium
from tests.support.docs import CHECKOUT
from tests.support.ledger import plant_ledger
from tests.support.radar import environment, radar_path
from tests.support.radar_server import RadarServer, serving
from tests.support.server import Server
from tests.support.terminal import Terminal

Part = tuple[str, int, int]
_SECOND_US = 1_000_000
_COLUMNS, _ROWS = 108, 12
_FONT = re.compile(r"@font-face \{.*?\}", re.DOTALL)
_FAILURE = b"dumping shop...\npg_dump: error: could not write: No space left on device\n"
# Key, schedule, minutes between runs, seconds that one takes, last line, tags.
_JOBS = (
    ("backup", "5 */2 * * *", 120, 340, b"pg_dump: 18 GB written\n", "db nightly"),
    ("certs", "0 */6 * * *", 360, 4, b"2 certificates are valid for 61 days\n", "web"),
    ("invoices", "*/30 * * * *", 30, 21, b"14 invoices sent\n", "billing"),
    ("mail-queue", "*/10 * * * *", 10, 2, b"queue is empty\n", "web"),
    ("sync", "0 * * * *", 60, 95, b"sent 1.2 GB, total size 84 GB\n", "db"),
)


def plant(store: Store, now_us: int) -> None:
    """Put a day of runs of some jobs into a store: the last backup has failed."""
    chance = random.Random(1)
    for key, schedule, minutes, takes_s, output, tags in _JOBS:
        period_us = minutes * 60 * _SECOND_US
        begin_us = now_us - 24 * 3600 * _SECOND_US
        declared = {"schedule": schedule, "tz": "UTC", "tags": tags}
        store.monitors.create(key, declared, begin_us)
        slot_us = begin_us - begin_us % period_us + period_us
        if key == "backup":
            slot_us += 5 * 60 * _SECOND_US
        pings = []
        while slot_us < now_us - 400 * _SECOND_US:
            run_id = f"{chance.getrandbits(128):032x}"
            run_id = "-".join((run_id[:8], run_id[8:12], run_id[12:16], run_id[16:20], run_id[20:]))
            took_us = round(takes_s * chance.uniform(0.8, 1.3) * _SECOND_US)
            is_last = slot_us + period_us >= now_us - 400 * _SECOND_US
            has_failed = key == "backup" and is_last
            kind, body = ("fail", _FAILURE) if has_failed else ("success", output)
            fields = {"duration": f"{took_us / 1e6:.3f}", "exit": str(int(has_failed))}
            fields |= {"host": "db1.example.com", "output": str(len(body))}
            pings.append(Ping("start", key, run_id=run_id, time_us=slot_us))
            end_us = slot_us + took_us
            pings.append(Ping(kind, key, run_id=run_id, time_us=end_us, fields=fields, body=body))
            slot_us += period_us
        store.pings.add(pings, now_us)
    store.outages.note_check(now_us)


def draw_status(state: Path, target: Path) -> None:
    """Draw what `radar status` prints at a terminal."""
    env = environment(RADAR_STATE_DIR=str(state), TERM="xterm-256color", TZ="UTC")
    words = [str(radar_path()), "status"]
    with Terminal(words, env, rows=_ROWS, columns=_COLUMNS) as terminal:
        terminal.wait(60)
        shown = terminal.screen.decode().replace("\r\n", "\n").rstrip()
    console = Console(record=True, width=_COLUMNS, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print("[bold]$[/bold] radar status")
    console.print(Text.from_ansi(shown), soft_wrap=True)
    drawn = console.export_svg(title="radar status", theme=SVG_EXPORT_THEME)
    # It would load a font from elsewhere; any of fixed width does.
    target.write_text(_FONT.sub("", drawn))


def photograph(server: RadarServer, profile: Path, folder: Path) -> None:
    """Take screenshots of the pages, light and dark."""
    with chromium(profile) as page:
        page.resize(1100, 560, scale=1.5)
        page.open(f"{server.url}/login")
        page.evaluate(f"document.querySelector('input[name=key]').value = '{server.key}'")
        page.evaluate("document.querySelector('form').submit()")
        page.wait("document.querySelector('a[href$=\"/monitors/backup\"]') !== null")
        for name, path, scale in (
            ("dashboard", "/", 1.5),
            ("monitor", "/monitors/backup", 1.0),
            ("celery", "/celery", 1.0),
        ):
            for is_dark in (False, True):
                page.resize(1100, 560, is_dark=is_dark, scale=scale)
                page.open(server.url + path)
                page.screenshot(folder / f"{name}{'-dark' if is_dark else ''}.png")


# When a monitor with the schedule `0 * * * *` and a grace of 15 min is late or down. A part is its
# status, and the minutes after 2:00 from and to which it holds; a run has begin, end and outcome.
_CASES: tuple[tuple[str, tuple[Part, ...], tuple[int, int, str] | None], ...] = (
    ("on time", (("up", -15, 90),), (0, 20, "ok")),
    ("late start", (("up", -15, 0), ("late", 0, 9), ("up", 9, 90)), (9, 30, "ok")),
    ("missed", (("up", -15, 0), ("late", 0, 15), ("down", 15, 90)), None),
    ("failed", (("up", -15, 12), ("down", 12, 90)), (0, 12, "failed")),
    ("hung", (("up", -15, 75), ("down", 75, 90)), (0, 90, "no end")),
)
_MARKS = ((0, "2:00", "slot"), (15, "2:15", "deadline"), (60, "3:00", "next"), (75, "3:15", ""))
LIGHT = {
    "text": "#1f2328",
    "faint": "#656d76",
    "line": "#d0d7de",
    "run": "#57606a",
    "up": "#2da44e",
    "late": "#bf8700",
    "down": "#cf222e",
    "back": "#ffffff",
}
DARK = {
    "text": "#e6edf3",
    "faint": "#8d96a0",
    "line": "#30363d",
    "run": "#9ea7b3",
    "up": "#3fb950",
    "late": "#d29922",
    "down": "#f85149",
    "back": "#0d1117",
}
_LEFT, _TOP, _STEP, _PER_MINUTE = 90, 62, 46, 6.6


def draw_lateness(colors: dict[str, str]) -> str:
    """Draw on a time line when a run is on time, late, missed, failed or hung."""

    def x(minute: float) -> float:
        return round(_LEFT + (minute + 15) * _PER_MINUTE, 1)

    def write(at: float, y: float, text: str, color: str, anchor: str = "start") -> str:
        place = f'x="{at}" y="{y}" text-anchor="{anchor}"'
        return f'<text {place} fill="{colors[color]}">{text}</text>'

    def bar(part: tuple[int, int], y: float, height: int, color: str) -> str:
        place = f'x="{x(part[0])}" y="{y}" width="{round(x(part[1]) - x(part[0]), 1)}"'
        return f'<rect {place} height="{height}" rx="3" fill="{colors[color]}"/>'

    bottom = _TOP + len(_CASES) * _STEP
    size = f'viewBox="0 0 {x(90) + 10:.0f} {bottom + 12}" width="{x(90) + 10:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
        f'<rect width="100%" height="100%" rx="6" fill="{colors["back"]}"/>',
    ]
    for minute, clock, name in _MARKS:
        dashes = f'stroke="{colors["line"]}" stroke-dasharray="4 3"'
        lines += [
            f'<path d="M{x(minute)} 44V{bottom}" {dashes}/>',
            write(x(minute), 36, clock, "text", "middle"),
            write(x(minute), 19, name, "faint", "middle"),
        ]
    for number, (name, parts, run) in enumerate(_CASES):
        y = _TOP + number * _STEP
        lines.append(write(12, y + 14, name, "text"))
        lines += [bar((begin, end), y, 8, status) for status, begin, end in parts]
        for status, begin, end in parts:
            if status != "up":
                lines.append(write(x((begin + end) / 2), y - 4, status, status, "middle"))
        if run is None:
            lines.append(write(x(0) + 4, y + 24, "no run", "faint"))
        else:
            lines += [bar(run[:2], y + 13, 12, "run"), write(x(run[0]) + 6, y + 23, run[2], "back")]
    return "\n".join([*lines, "</svg>", ""])


def main(folder: Path) -> None:
    """Make all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lateness.svg").write_text(draw_lateness(LIGHT))
    (folder / "lateness-dark.svg").write_text(draw_lateness(DARK))
    now_us = time.time_ns() // 1000
    with tempfile.TemporaryDirectory() as made:
        state = Path(made) / "state"
        with Server() as hook:
            config = f'[notify.ops]\nwebhook = "{hook.url}/"\n'
            with serving(state, config=config) as server:
                with server.store() as store:
                    plant(store, now_us)
                    plant_ledger(store.ledger, now_us)
                photograph(server, Path(made) / "profile", folder)
        draw_status(state, folder / "status.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else CHECKOUT / "docs/pictures")
