"""`radar run` and `radar ping` with a server, and plain curl as Healthchecks' users have it."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from radar_cli.model.ping import Ping
from radar_cli.store.tokens import PING
from tests.support.pings import read_pings
from tests.support.radar import environment, run_radar, spool_files
from tests.support.radar_server import RadarServer
from tests.support.requirements import require_program


def _env(server: RadarServer) -> dict[str, str]:
    return environment(RADAR_SERVER=server.url, RADAR_API_KEY=server.key)


def _pings(server: RadarServer, monitor: str) -> list[Ping]:
    with server.store() as store:
        return store.pings.newest(monitor, 100)


def test_a_wrapped_job_is_told_in_full(server: RadarServer) -> None:
    words = ["--schedule", "5 2 * * *", "--grace", "10m", "--name", "Nightly", "--tag", "db"]
    done = run_radar(
        "run", "backup", *words, "--", "sh", "-c", "echo äöü; exit 3", env=_env(server)
    )
    assert done.returncode == 3
    start, end = _pings(server, "backup")
    assert (start.kind, end.kind) == ("start", "fail")
    assert start.run_id == end.run_id != ""
    assert (end.body.decode(), end.fields["exit"]) == ("äöü\n", "3")
    assert float(end.fields["duration"]) < 30
    assert end.fields["host"]
    with server.store() as store:
        known = store.monitors.find("backup")
    assert known is not None
    assert (known.monitor.name, known.monitor.grace_s) == ("Nightly", 600)
    assert known.monitor.tags == ("db",)
    assert known.view.status == "down"


def test_pings_by_hand_arrive(server: RadarServer) -> None:
    env = _env(server)
    for kind in ("start", "success", "log", "fail"):
        words = ["ping", "job", kind, "--message", f"by hand: {kind}"]
        assert run_radar(*words, env=env).returncode == 0
    pings = _pings(server, "job")
    assert [ping.kind for ping in pings] == ["start", "success", "log", "fail"]
    assert pings[-1].fields["message"] == "by hand: fail"


def test_a_longer_output_than_the_server_keeps_is_cut_by_the_client(server: RadarServer) -> None:
    script = "i=0; while [ $i -lt 3000 ]; do echo line $i of a long output; i=$((i+1)); done"
    run_radar("run", "--tail", "1M", "long", "--", "sh", "-c", script, env=_env(server))
    end = _pings(server, "long")[-1]
    assert end.body.endswith(b"line 2999 of a long output\n")
    total = len(end.body) + int(end.fields.get("omitted", "0"))
    assert total == sum(len(f"line {n} of a long output\n") for n in range(3000))


@pytest.mark.slow
def test_what_happened_while_the_server_was_down_arrives_with_its_own_times(
    server: RadarServer,
) -> None:
    env = _env(server)
    run_radar("run", "job", "--", "true", env=env)
    server.stop()
    began = time.time()
    assert run_radar("run", "job", "--", "false", env=env).returncode == 1
    assert run_radar("run", "job", "--", "true", env=env).returncode == 0
    ended = time.time()
    kept = read_pings()
    assert [ping.kind for ping in kept] == ["start", "fail", "start", "success"]
    time.sleep(1.5)  # so that a time of arrival can't be taken for one of the event
    server.start()
    assert run_radar("outbox", "flush", env=env).returncode == 0
    assert spool_files() == []
    pings = _pings(server, "job")[2:]
    assert [(p.id, p.kind) for p in pings] == [(p.id, p.kind) for p in kept]
    for arrived, original in zip(pings, kept, strict=True):
        assert abs(arrived.time_us - original.time_us) < 250_000
        assert began - 0.3 <= arrived.time_us / 1e6 <= ended + 0.3
    # And once more counts no more.
    assert run_radar("run", "job", "--", "true", env=env).returncode == 0
    assert len(_pings(server, "job")) == 8


def test_plain_curl_pings_as_with_healthchecks(server: RadarServer, tmp_path: Path) -> None:
    curl = require_program("curl")
    server.ping("job", create="1")
    with server.store() as store:
        token = store.tokens.make("job", PING)
    output = tmp_path / "output"
    output.write_bytes(b"one\ntwo\n")
    place = f"{server.url}/ping/{token}"
    for words in (
        [place],
        ["--retry", "3", f"{place}/start"],
        ["-I", place],
        ["--data-raw", "it failed", f"{place}/fail"],
        ["--data-binary", f"@{output}", f"{place}/1"],
        ["-T", str(output), f"{place}/log"],
        ["-d", "m", f"{server.url}/ping/{server.key}/by-slug?create=1"],
        ["-u", f"{server.key}:", "-X", "POST", f"{server.url}/ping/by-slug/start"],
        ["--http1.0", f"{server.url}/ping/by-slug/{server.key}"],
    ):
        command = [curl, "--noproxy", "*", "-fsS", "-m", "10", "-o", str(tmp_path / "answer")]
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), words
    pings = _pings(server, "job")[1:]
    assert [(ping.kind, ping.body) for ping in pings] == [
        ("success", b""),
        ("start", b""),
        ("success", b""),
        ("fail", b"it failed"),
        ("fail", b"one\ntwo\n"),
        ("log", b"one\ntwo\n"),
    ]
    assert [ping.kind for ping in _pings(server, "by-slug")] == ["success", "start", "success"]


def test_a_monitor_of_an_old_form_of_url_needs_no_key(server: RadarServer) -> None:
    """`GET https://cronradar.io/ping/abc123`: the path is the secret, here the token."""
    server.ping("job", create="1")
    with server.store() as store:
        token = store.tokens.make("job", PING)
        other = store.tokens.make("job", "badge")
    for path, status in ((token, 200), (f"{token}/fail", 200), (other, 401)):
        assert server.request("GET", f"/ping/{path}", key="").status_code == status
    with server.store() as store:
        store.tokens.drop("job", PING)
    assert server.request("GET", f"/ping/{token}", key="").status_code == 401


def test_a_link_and_a_message_are_kept_with_the_run(server: RadarServer) -> None:
    words = ("--message", "pipeline 7", "--url", "https://ci.example/7")
    done = run_radar("run", "job", *words, "--", "true", env=_env(server), text=True)

    assert (done.returncode, done.stderr) == (0, "")
    for ping in _pings(server, "job"):
        assert (ping.fields["url"], ping.fields["message"]) == (
            "https://ci.example/7",
            "pipeline 7",
        )


def test_a_link_is_shown_with_the_run_here() -> None:
    words = ("--url", "https://ci.example/7", "--message", "pipeline 7")
    run_radar("run", "job", *words, "--", "echo", "12 files")
    shown = run_radar("monitors", "show", "job", text=True).stdout
    assert "https://ci.example/7" in shown
    assert "pipeline 7" in shown
    assert "12 files" in shown
    assert "12 files" in run_radar("status", text=True).stdout
    shown = json.loads(run_radar("monitors", "history", "job", "--json", text=True).stdout)
    assert shown["data"][0]["url"] == "https://ci.example/7"
