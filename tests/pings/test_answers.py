"""What a server may answer, and how often it is asked."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pings.arrivals import deliver_later, doubles
from tests.support import answers
from tests.support.answers import Answer
from tests.support.namespaces import as_user
from tests.support.pings import read_pings
from tests.support.radar import run_radar
from tests.support.relay import Relay
from tests.support.server import Server
from tests.support.wire import Request

FINE: dict[str, Answer] = {
    "chunked": answers.chunked(b'{"status":"ok"}'),
    "chunked, with nothing in it": answers.chunked(b""),
    "no Content-Length": answers.until_close(),
    "100 Continue first": answers.continue_first(),
    "Connection: close": answers.ok(will_close=True),
    "stale afterwards": answers.close_after_response(),
    "201": answers.status(201, body=b"Created"),
    "204": answers.status(204),
    "byte by byte": answers.slow(0.0005),
    "a megabyte, nearly": answers.ok(b"x" * 999_000),
}
BODY = ("sh", "-c", "i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done")


@pytest.mark.parametrize("name", FINE)
def test_it_takes_any_http_for_an_answer(name: str, server: Server, env: dict[str, str]) -> None:
    server.behave(FINE[name])
    env["RADAR_PING_TIMEOUT"] = "10"  # a megabyte takes a slow network a second
    done = run_radar("run", "m", "--", "sh", "-c", "echo out", env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"out\n", b"")
    assert [(ping.kind, ping.body) for ping in server.pings] == [
        ("start", b""),
        ("complete", b"out\n"),
    ]
    assert read_pings() == []


@pytest.mark.parametrize(
    "answer",
    [
        *(answers.status(code) for code in (408, 425, 500, 502, 503, 504)),
        answers.status(429, {"Retry-After": "0"}),
        answers.reset(),
        answers.close(),
        answers.half(),
        answers.garbage(),
    ],
    ids=lambda answer: answer.name,
)
def test_it_tries_again_with_the_whole_body(
    answer: Answer, server: Server, env: dict[str, str]
) -> None:
    server.behave(answer, answers.ok())
    env["RADAR_PING_TIMEOUT"] = "10"
    done = run_radar("run", "m", "--no-start", "--", *BODY, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    first, second = server.pings
    assert len(first.body) > 4000
    assert first.body == second.body == done.stdout
    assert first.query["id"] == second.query["id"]
    assert first.request.headers["content-length"] == str(len(first.body))
    assert read_pings() == []


def test_it_waits_as_long_as_the_server_asks(server: Server, env: dict[str, str]) -> None:
    server.behave(answers.status(429, {"Retry-After": "1"}), answers.ok())
    env["RADAR_PING_TIMEOUT"] = "30"
    run_radar("run", "m", "--no-start", "--", "true", env=env)
    first, second = server.pings
    assert second.request.at_monotonic - first.request.at_monotonic >= 1


@pytest.mark.parametrize("wait", ["60", "9" * 5000])
def test_it_does_not_ask_again_when_the_wait_is_too_long(
    wait: str, server: Server, env: dict[str, str]
) -> None:
    server.behave(answers.status(429, {"Retry-After": wait}))
    env["RADAR_PING_TIMEOUT"] = "30"
    done = run_radar("run", "m", "--no-start", "--", "true", env=env, timeout=20)
    assert (done.returncode, len(server.pings)) == (0, 1)


@pytest.mark.parametrize("code", [400, 404, 405, 410, 411, 422])
def test_it_sets_aside_what_the_server_refuses(
    code: int, server: Server, env: dict[str, str]
) -> None:
    server.behave(answers.status(code, body=b"no\nsuch \x07thing"))
    done = run_radar("run", "m", "--", "sh", "-c", "exit 7", env=env, text=True)
    assert done.returncode == 7
    (line,) = done.stderr.splitlines()
    assert f"the start and fail pings are refused: {server.url} answered {code}: no such" in line
    assert "\x07" not in line
    assert len(server.pings) == 2
    assert read_pings() == []
    assert len(list(_spool().glob("*/*.rejected"))) == 2

    server.behave(answers.ok())
    run_radar("run", "next", "--", "true", env=env)
    assert {ping.monitor for ping in server.accepted} == {"next"}  # nobody asked for it


# A server that takes all; it is a proxy before it that doesn't.
_NO_LIMIT = {"Ping-Body-Limit": "10000000"}


def _takes(most_bytes: int, refuse: Answer) -> Callable[[Request], Answer]:
    """A server, or a proxy before it, that takes no more than so many bytes of body."""

    def judge(request: Request) -> Answer:
        is_short = int(request.headers["content-length"]) <= most_bytes
        return answers.ok(headers=_NO_LIMIT) if is_short else refuse

    return judge


@pytest.mark.parametrize(
    ("most_bytes", "tail"), [(50_000, b"line 19999\n"), (5_000, b"line 19999\n"), (0, b"")]
)
@pytest.mark.parametrize("way", ["413", "413 at once", "cut off"])
def test_the_outcome_arrives_though_the_output_is_too_long(
    way: str, most_bytes: int, tail: bytes, server: Server, env: dict[str, str]
) -> None:
    refuse = {
        "413": answers.status(413, _NO_LIMIT),
        "413 at once": answers.early(413),
        "cut off": answers.reset(),
    }[way]
    server.behave(_takes(most_bytes, refuse))
    env["RADAR_PING_TIMEOUT"] = "10"
    job = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i + 1)); done; exit 3"
    done = run_radar("run", "m", "--tail", "1MB", "-c", job, env=env, text=True)

    assert (done.returncode, done.stderr) == (3, "")
    _, ping = server.accepted  # what the first one is answered allows for a long body
    assert (ping.kind, ping.query["exit"]) == ("fail", "3")
    assert ping.body.endswith(tail)
    assert len(ping.body) + int(ping.query["omitted"]) == int(ping.query["output"])
    assert read_pings() == []
    assert not list(_spool().glob("*/*.rejected"))


@pytest.mark.parametrize("user", ["root", "another"])
def test_so_it_does_through_a_slow_network(
    user: str, server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    """In pieces of 1,448 bytes at 1 MB/s, with output that is searched and redacted."""
    server.behave(_takes(5_000, answers.status(413, _NO_LIMIT)))
    prefix = as_user() if user == "another" else []
    with Relay(server.port, is_slow=True) as relay:
        env |= {"RADAR_SERVER": f"http://127.0.0.1:{relay.port}", "RADAR_PING_TIMEOUT": "10"}
        env |= {"SSHPASS": "hush-hush-hush", "RADAR_STATE_DIR": str(tmp_path / "own")}
        line = r"seq 30000; printf '57%%\rERROR: copy failed hush-hush-hush\r\n'"
        words = ("run", "m", "--tail", "1MB", "--fail-on", "^ERROR", "-c", line)
        done = run_radar(*words, env=env, prefix=prefix)

    assert (done.returncode, done.stderr) == (0, b"")
    start, end = server.accepted
    assert (start.kind, end.kind) == ("start", "fail")
    assert end.query["reason"] == "output matched: ERROR: copy failed [redacted]"
    assert end.body.endswith(b"ERROR: copy failed [redacted]\r\n")


@pytest.mark.parametrize("code", [414, 431])
def test_the_outcome_arrives_though_the_texts_in_its_path_are_too_long(
    code: int, server: Server, env: dict[str, str]
) -> None:
    def judge(request: Request) -> Answer:
        return answers.ok() if len(request.target) < 1000 else answers.status(code)

    server.behave(judge)
    words = ("run", "m", "--message", "x" * 1500, "--url", "https://ci.example/" + "y" * 900)
    done = run_radar(*words, "--", "false", env=env, text=True)

    assert (done.returncode, done.stderr) == (1, "")
    assert [ping.kind for ping in server.accepted] == ["start", "fail"]
    assert {len(ping.query["message"]) for ping in server.accepted} == {100}


def test_what_waits_arrives_though_its_output_is_too_long(
    server: Server, env: dict[str, str]
) -> None:
    server.stop()
    run_radar("run", "m", "-c", "seq 2000; exit 3", env=env)
    server.start()
    server.behave(_takes(2_000, answers.status(413)))
    done = run_radar("outbox", "flush", env=env, text=True)

    assert done.stdout == "2 delivered, 0 left\n"
    assert [ping.kind for ping in server.accepted] == ["start", "fail"]


@pytest.mark.parametrize("code", [401, 403])
def test_it_delivers_once_the_key_is_right(code: int, server: Server, env: dict[str, str]) -> None:
    def judge(request: object) -> Answer:
        headers: dict[str, str] = getattr(request, "headers")  # noqa: B009
        right = headers.get("authorization") == "Bearer right-key"
        return answers.ok() if right else answers.status(code)

    server.behave(judge)
    wrong = {**env, "RADAR_API_KEY": "wrong-key" if code == 401 else "right-key"}
    if code == 403:
        server.behave(answers.status(403))
    done = run_radar("run", "m", "--", "true", env=wrong, text=True)
    assert len(done.stderr.splitlines()) == 1
    kept = read_pings()
    assert len(kept) == 2
    server.behave(judge)
    deliver_later(server, {**env, "RADAR_API_KEY": "right-key"}, "m", kept)


def test_it_keeps_pings_of_two_accounts_apart(server: Server, env: dict[str, str]) -> None:
    server.stop()
    for key in ("key-one", "key-two"):
        run_radar("run", "m", "--", "true", env={**env, "RADAR_API_KEY": key})
    server.start()
    run_radar("run", "m", "--", "true", env={**env, "RADAR_API_KEY": "key-two"})
    assert {p.request.headers["authorization"] for p in server.accepted} == {"Bearer key-two"}
    assert (len(server.accepted), len(read_pings())) == (4, 2)


def test_it_says_once_that_there_is_no_key(server: Server, env: dict[str, str]) -> None:
    del env["RADAR_API_KEY"]
    done = run_radar("run", "m", "--", "true", env=env, text=True)
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert "RADAR_API_KEY" in line
    assert server.pings == []
    kept = read_pings()
    deliver_later(server, {**env, "RADAR_API_KEY": "now-it-is-there"}, "m", kept)


def test_it_needs_no_key_for_a_secret_token(server: Server, env: dict[str, str]) -> None:
    del env["RADAR_API_KEY"]
    token = "018f4e9a-7b1c-4c3d-8e2f-5a6b7c8d9e0f"
    done = run_radar("run", token, "--", "true", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [ping.monitor for ping in server.accepted] == [token, token]


def test_a_ping_that_the_server_chokes_on_does_not_stop_the_others(
    server: Server, env: dict[str, str]
) -> None:
    server.stop()
    for key in ("poison", "a", "b"):
        run_radar("run", key, "--no-start", "--", "true", env={**env, "RADAR_PING_TIMEOUT": "0.2"})
    server.start()
    server.behave(lambda request: answers.status(500 if "poison" in request.target else 200))
    run_radar("run", "next", "--", "true", env=env)
    assert {ping.monitor for ping in server.accepted} == {"a", "b", "next"}
    assert [ping.monitor for ping in read_pings()] == ["poison"]
    assert doubles(server) == []


def _spool() -> Path:
    return Path(os.environ["RADAR_STATE_DIR"]) / "spool"


def test_it_repeats_what_the_server_says_in_any_locale(server: Server, env: dict[str, str]) -> None:
    server.behave(answers.status(404, body="kein Wächter ✗".encode()))
    env |= {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = run_radar("run", "m", "--", "sh", "-c", "exit 3", env=env)
    assert done.returncode == 3
    assert b"kein W\\xe4chter \\u2717" in done.stderr
    assert b"internal error" not in done.stderr
