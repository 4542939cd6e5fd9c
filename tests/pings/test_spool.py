"""The spool: what lies in it, who works on it, and what may not get in the way."""

import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from radar_cli.model.ping import Ping
from radar_cli.outbox.claiming import (
    claim,
    lock_for_flush,
    parse,
    peek,
    sort_in_old,
    unlock,
)
from radar_cli.outbox.spool import Entry, Outbox, Spool, folder_name
from tests.pings.arrivals import accepted, facts
from tests.support.folder_watch import OPENED, FolderWatch
from tests.support.pings import read_pings
from tests.support.radar import run_radar, spool_files
from tests.support.server import Server

TO = {"server": "http://radar.example", "profile": "prod"}


@pytest.fixture
def spool(state_dir: Path) -> Spool:
    return Outbox(str(state_dir)).spool(folder_name(TO))


def _name(entry: Entry) -> str:
    return os.path.basename(entry.path)


def _ping(monitor: str = "m", time_us: int = 0) -> Ping:
    return Ping("success", monitor, time_us=time_us or time.time_ns() // 1000)


def _claim_elsewhere(spool: Spool, name: str) -> bool:
    """Whether another process can claim the file now."""
    script = (
        "import sys; from radar_cli.outbox.claiming import claim;"
        "from radar_cli.outbox.spool import Spool;"
        "sys.exit(claim(Spool(sys.argv[1]), sys.argv[2]) is None)"
    )
    words = [sys.executable, "-c", script, spool.folder, name]
    return subprocess.run(words, check=False).returncode == 0


def test_nobody_else_can_read_it(spool: Spool, state_dir: Path) -> None:
    os.umask(before := os.umask(0))
    os.umask(0)
    try:
        entry = spool.put(_ping(), TO, durable=True)
    finally:
        os.umask(before)
    assert os.stat(entry.path).st_mode & 0o777 == 0o600
    assert os.stat(spool.folder).st_mode & 0o777 == 0o700
    assert state_dir.stat().st_mode & 0o777 == 0o700


def test_each_destination_has_a_folder_of_its_own(state_dir: Path) -> None:
    outbox = Outbox(str(state_dir))
    server = "https://radar.example:8443/base"
    addresses = [
        {},
        {"unresolved": "default"},
        {"unresolved": "prod"},
        {"server": server, "profile": "prod"},
        {"server": server, "profile": "staging"},
        {"server": server, "key": "0123abcd"},
        {"server": server, "key": ""},
        {"server": server + "/other", "key": ""},
        {"server": "http://" + "x" * 300 + "/../..", "key": ""},
    ]
    for to in addresses:
        outbox.put(_ping(), to, durable=False)
    assert len(outbox.spools()) == len(addresses)
    assert all(len(spool.names()) == 1 for spool in outbox.spools())
    assert {path.parent for path in (state_dir / "spool").iterdir()} == {state_dir / "spool"}


def test_pings_of_radar_0_1_are_sorted_in(state_dir: Path) -> None:
    outbox, old = Outbox(str(state_dir)), Spool(str(state_dir / "spool"))
    addresses: list[dict[str, str]] = [{}, TO, {"unresolved": "prod"}]
    pings = [_ping(f"m{number}", number + 1) for number in range(30)]
    for number, ping in enumerate(pings):
        to = addresses[number % 3]
        path = old.put(ping, to, durable=False).path
        if to:  # as 0.1 named those
            os.rename(path, path.removesuffix(".ping") + "-0123abcd.ping")
    assert sort_in_old(outbox, 10) == 10
    assert sort_in_old(outbox) == 20
    assert old.names() == []
    for to in addresses:
        spool = outbox.spool(folder_name(to))
        entries = [peek(spool, name) for name in spool.names()]
        assert [entry.to for entry in entries if entry] == [to] * 10
        assert all(len(name.split("-")) == 7 for name in spool.names())


def test_what_one_process_holds_no_other_one_takes(spool: Spool) -> None:
    entry = spool.put(_ping(), TO, durable=False, hold=True)
    assert not _claim_elsewhere(spool, _name(entry))
    entry.release()
    assert _claim_elsewhere(spool, _name(entry))


def test_what_one_thread_holds_no_other_one_takes(spool: Spool) -> None:
    entry = spool.put(_ping(), TO, durable=False, hold=True)
    assert claim(spool, _name(entry)) is None
    # Opening the file here and closing it would end the lock.
    assert peek(spool, _name(entry)) is None
    assert not _claim_elsewhere(spool, _name(entry))
    entry.release()
    claimed = claim(spool, _name(entry))
    assert claimed is not None
    assert claim(spool, _name(entry)) is None
    entry.sync()
    claimed.sync()
    claimed.release()
    claimed.release()
    again = claim(spool, _name(entry))
    assert again is not None
    again.remove()
    assert claim(spool, _name(entry)) is None


def test_one_flush_at_a_time(spool: Spool) -> None:
    spool.put(_ping(), TO, durable=False)
    lock = lock_for_flush(spool)
    assert lock is not None
    assert lock_for_flush(spool) is None
    unlock(spool, lock)
    lock = lock_for_flush(spool)
    assert lock is not None
    unlock(spool, lock)


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-2] ^= 4
    path.write_bytes(data)


def _zeroed(path: Path) -> None:
    path.write_bytes(b"\0" * path.stat().st_size)


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _symlink(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _socket(path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as sock:
        here = os.getcwd()
        os.chdir(path.parent)  # the path of a socket may have 107 bytes
        try:
            sock.bind(path.name)
        finally:
            os.chdir(here)


def _huge(path: Path) -> None:
    os.truncate(path, 5_000_000_000)


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "truncated": _truncated,
    "a flipped bit": _flipped,
    "zeros": _zeroed,
    "another program's": lambda path: path.write_bytes(b"#!/bin/sh\n"),
    "a later version's": lambda path: path.write_bytes(b"radar-ping/2 0 00000000\n\n\n"),
    "a FIFO": _fifo,
    "a symlink": _symlink,
    "a directory": _directory,
    "a socket": _socket,
    "huge": _huge,
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_what_is_no_ping_is_set_aside(
    kind: str, server: Server, env: dict[str, str], state_dir: Path
) -> None:
    server.stop()
    env["RADAR_PING_TIMEOUT"] = "0.2"
    run_radar("run", "bad", "--no-start", "--", "true", env=env)
    (victim,) = spool_files()
    DAMAGE[kind](victim)
    run_radar("run", "good", "--no-start", "--", "true", env=env)
    good = [path for path in spool_files() if path != victim]
    ping, _ = parse(good[0].read_bytes())

    server.start()
    done = run_radar("run", "next", "--", "true", env={**env, "RADAR_PING_TIMEOUT": "5"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert accepted(server, "good") == facts([ping])
    assert accepted(server, "bad") == []
    assert spool_files() == []
    (aside,) = (state_dir / "spool").glob("*/aside/*")
    assert aside.name.startswith(victim.name)
    assert Path("/etc/passwd").exists()


def test_foreign_files_are_left_where_they_are(
    server: Server, env: dict[str, str], state_dir: Path
) -> None:
    spool = state_dir / "spool"
    spool.mkdir(parents=True)
    for name in ("README", ".hidden", "x.ping~", "x.tmp"):
        (spool / name).write_text("mine")
    (spool / "sub").mkdir()
    run_radar("run", "m", "--", "true", env=env)
    assert len(server.accepted) == 2
    assert {path.name for path in spool.iterdir()} >= {"README", ".hidden", "x.ping~", "sub"}


def test_what_cannot_be_opened_is_not_blamed(spool: Spool) -> None:
    entry = spool.put(_ping(), TO, durable=False)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        assert claim(spool, _name(entry)) is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    claimed = claim(spool, _name(entry))
    assert claimed is not None
    claimed.release()


def test_a_unicode_message_survives(server: Server, env: dict[str, str]) -> None:
    server.stop()
    message = "größer & 100% = schlimm\n?"
    run_radar("ping", "m", "fail", "--message", message, "--ping-timeout", "0.2", env=env)
    assert read_pings()[0].fields["message"] == message
    server.start()
    run_radar("run", "next", "--", "true", env=env)
    (late,) = (ping for ping in server.accepted if ping.monitor == "m")
    assert late.query["message"] == message


@pytest.mark.parametrize("age_s", [0, 7200])
def test_what_a_killed_writer_left_is_removed_without_a_server(age_s: int, state_dir: Path) -> None:
    run_radar("run", "m", "--", "true")
    left = state_dir / "spool/store/.01795607601710357-start-x.ping.4711.140"
    left.write_text("half a ping")
    os.utime(left, (time.time() - age_s,) * 2)
    run_radar("run", "m", "--", "true")
    # A writer that is at work is no killed one.
    assert left.exists() == (age_s == 0)
    assert len(read_pings()) == 4


def test_a_run_for_a_server_opens_no_ping_of_the_store(
    server: Server, env: dict[str, str], state_dir: Path
) -> None:
    for number in range(4):
        assert run_radar("run", f"m{number}", "--", "true").returncode == 0
    with FolderWatch(state_dir / "spool/store", OPENED) as watch:
        assert run_radar("run", "m", "--", "true", env=env).returncode == 0
        assert len(accepted(server, "m")) == 2
        assert watch.names() == set()
        spool_files()[0].read_bytes()
        assert watch.names(), "what is opened there isn't seen"
