"""`radar completion words`, which the scripts ask: quick, silent, and it changes nothing."""

import importlib
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from radar_cli.cli.commands import COMMANDS
from radar_cli.cli.completion.sources import MOST_KEYS
from radar_cli.cli.completion.words import complete
from radar_cli.store.completion_keys import read_keys
from radar_cli.store.opening import open_embedded
from tests.support.pings import read_pings
from tests.support.radar import environment, run_radar

# What no completion may cost: a renderer, an HTTP client, daemons of Celery's.
HEAVY = {"rich", "httpx", "celery", "fastapi", "psycopg"}
MODULES = """
import sys
from radar_cli.cli.completion.words import print_words
code = print_words(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
"""


def ask(*words: str) -> tuple[str, list[str]]:
    """The first line of the answer, and the words without their meanings."""
    done = run_radar("completion", "words", *words, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    first, *lines = done.stdout.splitlines()
    return first, [line.split("\t")[0] for line in lines]


def modules_for(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", MODULES, *words],
        env=environment(measured=False),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout
    return set(done.stderr.split())


@pytest.mark.parametrize(
    ("typed", "mode"),
    [
        ("run key", "words"),
        ("run key ", "command 2"),
        ("run key c", "command 2"),
        ("run key -", "words"),
        ("run key -- ", "command 3"),
        ("run key -- -", "command 3"),
        ("run key cmd -", "command 2"),
        ("run --every 5m key --quiet cmd ", "command 5"),
        ("run --every=5m key cmd a --lock ", "command 3"),
        ("run -- key --lo", "words"),
        ("run -- key cmd", "command 3"),
        ("run key -c line ", "words"),
        ("--profile work run key ", "command 4"),
        ("config set ca_file ", "files"),
        ("config set profiles.work.ca_file ", "files"),
    ],
)
def test_it_knows_where_the_wrapped_command_begins(typed: str, mode: str) -> None:
    assert ask(*typed.split(" "))[0] == mode


def test_it_answers_without_any_word() -> None:
    assert "run" in ask()[1]
    assert ask("")[1] == ask()[1]


def test_it_makes_no_state_directory(state_dir: Path) -> None:
    assert ask("run", "") == ("words", [])
    assert not state_dir.exists()


def test_it_reads_a_store_that_others_write_to(state_dir: Path) -> None:
    run_radar("ping", "first")
    run_radar("ping", "second")
    (waiting, _) = read_pings()
    with open_embedded(str(state_dir)) as store:
        store.pings.add([waiting], waiting.time_us)
        # In the write-ahead log, and not in the file yet.
        assert (state_dir / "radar.db-wal").stat().st_size
        assert read_keys(str(state_dir), "", 9) == ["first"]
        with closing(sqlite3.connect(state_dir / "radar.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert ask("run", "")[1] == ["first", "second"]
    assert len(read_pings()) == 2


def test_it_offers_the_matching_keys_of_a_huge_store_first(state_dir: Path) -> None:
    open_embedded(str(state_dir)).close()
    with closing(sqlite3.connect(state_dir / "radar.db")) as connection, connection:
        connection.executemany(
            "INSERT INTO monitor (key, declared, created_us, judged) VALUES (?, '{}', 0, '')",
            [(f"key-{number:06}",) for number in range(MOST_KEYS * 3)] + [("zebra",)],
        )
    _, words = ask("run", "ze")
    assert "zebra" in words
    assert len(words) == MOST_KEYS


@pytest.mark.parametrize("where", ["config", "spool", "store"])
def test_it_never_waits(where: str, state_dir: Path, tmp_path: Path) -> None:
    run_radar("ping", "there")
    path = {
        "config": tmp_path / "config.toml",
        "spool": state_dir / "spool/store/00000000000000000-success-x.ping",
        "store": state_dir / "radar.db",
    }[where]
    os.mkfifo(path)
    begin = time.monotonic()
    assert ask("run", "")[1] == ["there"]
    assert ask("run", "--to", "")[0] == "words"
    assert time.monotonic() - begin < 30


def test_it_gives_up_rather_than_hang() -> None:
    program = (
        "import time\n"
        "from radar_cli.cli.completion import words\n"
        "words.complete = lambda _: time.sleep(60)\n"
        "words.print_words([''])\n"
    )
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(measured=False),
        capture_output=True,
        check=True,
        timeout=50,
    )
    assert (done.stdout, done.stderr) == (b"", b"")
    assert time.monotonic() - begin < 40


def test_it_never_asks_for_a_secret(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    line = f'api_key = "cmd:touch {asked}"\nserver = "https://x.example"\n'
    Path(os.environ["RADAR_CONFIG"]).write_text(f"{line}[profiles.other]\n{line}")
    assert ask("run", "--to", "")[1] == ["default", "other"]
    assert "profiles.other.api_key" in ask("config", "get", "profiles")[1]
    for typed in ("run ", "config get ", "config set profile ", "status ", "outbox drop "):
        ask(*typed.split(" "))
    assert not asked.exists()


def test_it_knows_the_channels_and_their_settings() -> None:
    Path(os.environ["RADAR_CONFIG"]).write_text("[notify.chat]\n[notify.ops]\nemail = 'root'\n")
    assert ask("notify", "test", "") == ("words", ["chat", "ops"])
    assert ask("notify", "test", "chat", "o")[1] == ["chat", "ops"]
    settings = ask("config", "set", "notify.")[1]
    assert {"notify.chat.webhook", "notify.ops.tags"} <= set(settings)
    assert ask("config", "set", "notify.ops.sendmail", "") == ("files", [])
    assert ask("config", "set", "notify.ops.on", "") == ("words", ["down", "up", "late", "fault"])


def test_it_leaves_out_what_would_break_a_line() -> None:
    names = ["two words", "quote'", "new\\nline", "tab\\tbed", "esc\\u001b", "naïve"]
    Path(os.environ["RADAR_CONFIG"]).write_text("".join(f'[profiles."{n}"]\n' for n in names))
    assert ask("run", "--to", "")[1] == ["default", "naïve", "quote'", "two words"]


def test_it_survives_words_that_are_not_utf8() -> None:
    done = run_radar("completion", "words", "run", b"--to=\xff", b"\xfe")
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("typed", ["run --", "run ", "run --to ", "ping key ", "run key -- x", ""])
def test_it_does_without_click_where_a_person_waits_most(typed: str) -> None:
    assert not modules_for(*typed.split(" ")) & {"click", "json", "typing", *HEAVY}


@pytest.mark.parametrize("name", COMMANDS)
def test_it_imports_nothing_heavy_for_any_command(name: str) -> None:
    assert not modules_for(name, "-") & HEAVY


def test_it_offers_options_of_every_command() -> None:
    for name, (module, attribute, _) in COMMANDS.items():
        getattr(importlib.import_module(module), attribute)
        offers = complete([name, "--"]).offers
        assert "--help" in [word for word, _ in offers], name
        assert all(meaning for _, meaning in offers), name
