"""`radar_cli.sdk.job`: what a function's runs tell, and what that costs the function."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from radar_cli.model.ping import Ping
from tests.support.answers import hang
from tests.support.pings import read_pings
from tests.support.radar import environment, spool_files
from tests.support.server import Server

_PROGRAM = """
import asyncio, os, sys, time
from radar_cli.sdk import job
"""


def _run(folder: Path, text: str, *, code: int = 0, **env: str) -> str:
    """Run a program of somebody's; return what it printed."""
    program = folder / "shop.py"
    program.write_text(_PROGRAM + textwrap.dedent(text))
    done = subprocess.run(
        [sys.executable, program],
        env=environment(measured=True, **env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def _by_monitor(monitor: str) -> list[Ping]:
    return [ping for ping in read_pings() if ping.monitor == monitor]


def test_it_tells_of_functions_and_blocks(tmp_path: Path) -> None:
    _run(
        tmp_path,
        """
        @job("nightly", schedule="0 2 * * *", tz="Europe/London", grace="10m", tags=["db", "eu"])
        def nightly(x):
            "Does it."
            return x + 1
        assert nightly(1) == 2 and nightly.__doc__ == "Does it."

        @job("async", every=900)
        async def later():
            await asyncio.sleep(0)
            return "done"
        assert asyncio.run(later()) == "done"

        @job("rows")
        def rows():
            yield 1
            yield 2
        assert list(rows()) == [1, 2]

        with job("block") as run:
            run.log("half of it")

        async def both():
            async with one: await asyncio.sleep(0.01)
        one = job("twice")
        async def together():
            await asyncio.gather(both(), both())
        asyncio.run(together())
        """,
    )
    start, end = _by_monitor("nightly")
    assert (start.kind, end.kind) == ("start", "success")
    assert start.run_id == end.run_id
    assert start.fields["schedule"] == "0 2 * * *"
    assert (end.fields["tz"], end.fields["gracePeriod"]) == ("Europe/London", "600")
    assert end.fields["tags"] == "db eu"
    assert float(end.fields["duration"]) >= 0
    assert end.fields["exit"] == "0"
    assert _by_monitor("async")[1].fields["every"] == "900"
    assert [ping.kind for ping in _by_monitor("rows")] == ["start", "success"]
    block = _by_monitor("block")
    assert [ping.kind for ping in block] == ["start", "log", "success"]
    assert block[1].fields["message"] == "half of it"
    assert len({ping.run_id for ping in block}) == 1
    assert len({ping.run_id for ping in _by_monitor("twice")}) == 2
    assert [ping.kind for ping in _by_monitor("twice")].count("success") == 2


def test_a_failure_is_told_with_its_cause_and_without_secrets(tmp_path: Path) -> None:
    _run(
        tmp_path,
        """
        import json
        @job("nightly")
        def nightly():
            json.loads(os.environ["DB_PASSWORD"])

        try:
            nightly()
        except ValueError as error:
            assert "Expecting value" in str(error)
        else:
            raise AssertionError
        with job("leaves"):
            sys.exit(3)
        """,
        code=3,
        DB_PASSWORD="hunter2-of-mine",
    )
    fail = _by_monitor("nightly")[1]
    assert fail.kind == "fail"
    # The innermost line of the program's own, not of json's.
    assert fail.fields["reason"].startswith(
        "json.decoder.JSONDecodeError at shop.py:8 (nightly): E"
    )
    assert b'json.loads(os.environ["DB_PASSWORD"])' in fail.body
    assert b"hunter2-of-mine" not in fail.body
    leaves = _by_monitor("leaves")[1]
    assert (leaves.kind, leaves.fields["exit"]) == ("fail", "3")
    assert leaves.fields["reason"] == "SystemExit at shop.py:17 (<module>): 3"


def test_secrets_and_long_tracebacks_are_cut(tmp_path: Path) -> None:
    _run(
        tmp_path,
        """
        try:
            with job("long"):
                raise ValueError("x" * 50_000 + os.environ["API_TOKEN"])
        except ValueError:
            pass
        try:
            with job("quiet", output=False):
                raise ValueError(os.environ["API_TOKEN"])
        except ValueError:
            pass
        """,
        API_TOKEN="tok-1234567890",
    )
    fail = _by_monitor("long")[1]
    assert len(fail.body) <= 10_000
    assert fail.body.endswith(b"[redacted]\n")
    assert int(fail.fields["omitted"]) > 40_000
    quiet = _by_monitor("quiet")[1]
    assert quiet.body == b""
    assert quiet.fields["reason"].endswith("ValueError at shop.py:12 (<module>): [redacted]")


def test_pings_reach_a_server_before_the_program_ends(tmp_path: Path, server: Server) -> None:
    _run(
        tmp_path,
        """
        with job("nightly", every="1d"):
            pass
        """,
        RADAR_SERVER=server.url,
        RADAR_API_KEY="ck_123",
    )
    assert [(ping.kind, ping.monitor) for ping in server.accepted] == [
        ("start", "nightly"),
        ("complete", "nightly"),
    ]
    assert not spool_files()


def test_a_config_file_says_where_pings_go_and_what_is_redacted(
    tmp_path: Path, server: Server
) -> None:
    (tmp_path / "config.toml").write_text(
        f'server = "{server.url}"\napi_key = "ck_123"\nredact = ["customer [0-9]+"]\n'
    )
    _run(
        tmp_path,
        """
        try:
            with job("nightly"):
                raise ValueError("customer 4711 is gone")
        except ValueError:
            pass
        """,
    )
    fail = server.requests[-1]
    assert [ping.kind for ping in server.accepted] == ["start", "fail"]
    assert "4711" not in fail.target
    assert b"4711" not in fail.body
    assert b"[redacted] is gone" in fail.body


def test_a_hanging_server_delays_no_function(tmp_path: Path, server: Server) -> None:
    server.behave(hang())
    printed = _run(
        tmp_path,
        """
        begin = time.monotonic()
        for _ in range(50):
            with job("nightly"):
                pass
        print("quick" if time.monotonic() - begin < 5 else "slow")
        """,
        RADAR_SERVER=server.url,
        RADAR_API_KEY="ck_123",
    )
    assert "quick" in printed
    assert len(spool_files()) >= 99  # one may have arrived, and that not be known


@pytest.mark.parametrize("key", ["Nightly!", "", "start"])
def test_a_bad_key_is_logged_and_the_function_runs(tmp_path: Path, key: str) -> None:
    printed = _run(
        tmp_path,
        f"""
        import logging; logging.basicConfig()
        with job({key!r}) as run:
            run.log("told to nobody")
            print("it ran", repr(run.id))
        """,
    )
    assert "it ran ''" in printed
    assert "WARNING:radar:radar: job(" in printed
    assert not read_pings()


def test_what_cannot_be_read_goes_along_for_a_fault(tmp_path: Path) -> None:
    _run(
        tmp_path,
        """
        with job("nightly", schedule="61 * * * *", grace="soon", hosts="some"): pass
        """,
    )
    fields = _by_monitor("nightly")[0].fields
    assert (fields["schedule"], fields["gracePeriod"]) == ("61 * * * *", "soon")
    assert fields["hosts"] == "some"


def test_an_unwritable_outbox_costs_the_function_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    printed = _run(
        tmp_path,
        """
        import logging; logging.basicConfig()
        with job("nightly"): print("it ran")
        """,
        RADAR_STATE_DIR=str(tmp_path / "file/state"),
    )
    assert "it ran" in printed
    assert "a start ping of nightly is lost" in printed


def test_under_radar_run_the_wrapper_tells(tmp_path: Path) -> None:
    _run(
        tmp_path,
        """
        with job("nightly"): pass
        with job("other"): pass
        """,
        RADAR_MONITOR="nightly",
        RADAR_RUN_ID="x",
    )
    assert {ping.monitor for ping in read_pings()} == {"other"}


def test_a_forked_child_tells_of_its_own_runs(tmp_path: Path, server: Server) -> None:
    _run(
        tmp_path,
        """
        import multiprocessing
        def child():
            import radar_cli.sdk
            with job("child"): pass
            radar_cli.sdk._courier.close()
        with job("parent"): pass
        process = multiprocessing.get_context("fork").Process(target=child)
        process.start(); process.join(); assert process.exitcode == 0
        """,
        RADAR_SERVER=server.url,
        RADAR_API_KEY="ck_123",
        PYTHONWARNINGS="ignore",
    )
    told = sorted((ping.monitor, ping.kind) for ping in server.accepted)
    assert told == [
        ("child", "complete"),
        ("child", "start"),
        ("parent", "complete"),
        ("parent", "start"),
    ]
