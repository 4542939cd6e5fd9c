"""A server that is broken: the job doesn't notice, and the pings arrive when it is mended."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pings.arrivals import deliver_later
from tests.support import answers
from tests.support.answers import Answer
from tests.support.dns import NameServer
from tests.support.pings import kinds, read_pings
from tests.support.radar import environment, run_radar, start_radar
from tests.support.server import Server, unreachable_port
from tests.support.waiting import wait_for_file, wait_until
from tests.support.wire import Request

# What passes by itself: nothing is lost, so nothing is said.
TRANSIENT: dict[str, Callable[[], Answer]] = {
    "hangs": answers.hang,
    "accepts and never reads": answers.accept_only,
    "resets at the accept": lambda: answers.reset("accept"),
    "resets after the head": lambda: answers.reset("head"),
    "resets after the request": answers.reset,
    "closes at the accept": lambda: answers.close("accept"),
    "closes without an answer": answers.close,
    "half an answer": answers.half,
    "garbage": answers.garbage,
    "no head at all": lambda: answers.garbage(b"x" * 200_000),
    "a head without end": lambda: answers.garbage(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000),
    "a body without end": answers.endless,
    "byte by byte": lambda: answers.slow(0.1),
    "500": lambda: answers.status(500),
    "503": lambda: answers.status(503),
    "408": lambda: answers.status(408),
    "425": lambda: answers.status(425),
    "429 for an hour": lambda: answers.status(429, {"Retry-After": "3600"}),
    "429 until a date": lambda: answers.status(
        429, {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}
    ),
}
# What doesn't pass until somebody mends it: one line says so.
LASTING: dict[str, tuple[Callable[[], Answer], str]] = {
    "a captive portal": (lambda: answers.ok(b" <html>Please log in</html>"), "web page"),
    "301": (lambda: answers.redirect(301, "https://new.example/"), "it has moved to"),
    "302 to nowhere": (lambda: answers.status(302), "is the URL right?"),
    "401": (lambda: answers.status(401, body=b'{"error":"X"}'), "is the API key right?"),
    "403": (lambda: answers.status(403), "is the API key right?"),
    "a redirect in circles": (lambda: answers.redirect(307, "/round"), "more than 5 redirects"),
    "a redirect to no URL": (lambda: answers.redirect(308, "ftp://x/"), "is no URL"),
}


@pytest.mark.parametrize("name", TRANSIENT)
def test_it_runs_the_job_and_keeps_the_pings(
    name: str, server: Server, env: dict[str, str]
) -> None:
    server.behave(TRANSIENT[name]())
    done = run_radar("run", "m", "--", "sh", "-c", "echo out; exit 7", env=env, timeout=15)
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"")
    kept = read_pings()
    assert [ping.kind for ping in kept] == ["start", "fail"]

    server.behave(answers.ok())
    deliver_later(server, env, "m", kept)


@pytest.mark.parametrize("name", LASTING)
def test_it_says_once_what_a_person_has_to_mend(
    name: str, server: Server, env: dict[str, str]
) -> None:
    make, words = LASTING[name]
    server.behave(make())
    done = run_radar("run", "m", "--", "sh", "-c", "exit 7", env=env, text=True)
    assert done.returncode == 7
    (line,) = done.stderr.splitlines()
    assert line.startswith("radar: m: the start and fail pings are kept in the outbox: ")
    assert words in line
    kept = read_pings()
    assert [ping.kind for ping in kept] == ["start", "fail"]

    server.behave(answers.ok())
    deliver_later(server, env, "m", kept)


def test_it_says_with_v_what_keeps_the_pings(server: Server, env: dict[str, str]) -> None:
    server.behave(answers.status(503, body=b"over \x1b[31mquota\n"))
    done = run_radar("run", "m", "-v", "--", "true", env=env, text=True)
    (line,) = done.stderr.splitlines()
    assert "503: over \ufffd[31mquota" in line


def test_it_survives_a_server_that_refuses(server: Server, env: dict[str, str]) -> None:
    server.stop()
    done = run_radar("run", "m", "--", "sh", "-c", "exit 3", env=env)
    assert (done.returncode, done.stderr) == (3, b"")
    kept = read_pings()
    server.start()
    deliver_later(server, env, "m", kept)


def test_it_gives_up_on_an_address_that_never_connects(env: dict[str, str]) -> None:
    with unreachable_port() as port:
        env["RADAR_SERVER"] = f"http://127.0.0.1:{port}"
        done = run_radar("run", "m", "--", "sh", "-c", "exit 3", env=env, timeout=15)
    assert (done.returncode, done.stderr) == (3, b"")
    assert kinds() == ["start", "fail"]


@pytest.mark.parametrize("answer", ["never", "servfail", "nxdomain"])
def test_it_bounds_a_lookup_that_never_ends(
    answer: str, tmp_path: Path, server: Server, env: dict[str, str]
) -> None:
    with NameServer(tmp_path, answer) as names:  # type: ignore[arg-type]
        far = {**env, "RADAR_SERVER": f"http://radar.example:{server.port}"}
        command = ("sh", "-c", "echo began; exit 5")
        done = run_radar("run", "m", "--", *command, env=far, prefix=names.prefix, timeout=15)
        wait_until(lambda: names.questions, what="a question to the name server")
    assert (done.returncode, done.stdout, done.stderr) == (5, b"began\n", b"")
    assert kinds() == ["start", "fail"]


def test_it_starts_the_job_before_the_server_answers(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    marker = tmp_path / "began"

    def after_the_job_began(_request: Request) -> Answer:
        wait_for_file(marker)
        return answers.ok()

    server.behave(after_the_job_began)
    done = run_radar("run", "m", "--", "sh", "-c", f"echo x >{marker}; exit 4", env=env)
    assert done.returncode == 4
    assert [ping.kind for ping in server.accepted] == ["start", "fail"]


def test_it_ends_the_job_while_the_start_still_hangs(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    server.behave(answers.hang())
    env["RADAR_PING_TIMEOUT"] = "60"
    marker = tmp_path / "ended"
    process = start_radar("run", "m", "--", "sh", "-c", f"echo x >{marker}", env=env)
    wait_for_file(marker)
    wait_until(lambda: server.pings, what="the start ping")
    assert process.poll() is None  # it waits for the server, the job didn't
    process.kill()
    process.wait()
    assert "start" in kinds()  # what was on its way is in the spool


def test_one_destination_that_hangs_does_not_keep_the_other_waiting(tmp_path: Path) -> None:
    with Server() as hung, Server() as fine:
        hung.behave(answers.hang())
        (tmp_path / "config.toml").write_text(
            f'[profiles.a]\nserver = "{hung.url}"\napi_key = "a1"\n'
            f'[profiles.b]\nserver = "{fine.url}"\napi_key = "b1"\n'
        )
        (tmp_path / "config.toml").chmod(0o600)
        words = ("run", "m", "--ping-timeout", "1", "--to", "a", "--to", "b", "--")
        done = run_radar(*words, "sh", "-c", "exit 9")
        assert (done.returncode, done.stderr) == (9, b"")
        assert [ping.kind for ping in fine.accepted] == ["start", "fail"]
        kept = read_pings()
        assert [ping.kind for ping in kept] == ["start", "fail"]
        assert [ping.query["id"] for ping in fine.accepted] == [ping.id for ping in kept]

        hung.behave(answers.ok())
        run_radar("run", "next", "--to", "a", "--", "true", env=environment())
        late = [ping for ping in hung.accepted if ping.monitor == "m"]
        assert [ping.query["id"] for ping in late] == [ping.id for ping in kept]
        assert len(fine.accepted) == 2


def test_both_destinations_keep_their_own_copy(tmp_path: Path) -> None:
    with Server() as one, Server() as other:
        one.stop()
        other.stop()
        (tmp_path / "config.toml").write_text(
            f'[profiles.a]\nserver = "{one.url}"\napi_key = "a1"\n'
            f'[profiles.b]\nserver = "{other.url}"\napi_key = "b1"\n'
        )
        (tmp_path / "config.toml").chmod(0o600)
        both = ("--to", "a", "--to", "b")
        run_radar("run", "m", *both, "--ping-timeout", "0.3", "--", "true")
        assert kinds() == ["start", "start", "success", "success"]
        one.start()
        run_radar("run", "next", *both, "--ping-timeout", "2", "--", "true")
        assert [ping.kind for ping in one.accepted if ping.monitor == "m"] == ["start", "complete"]
        other.start()
        run_radar("run", "next", *both, "--", "true")
        for server in (one, other):
            late = [ping.kind for ping in server.accepted if ping.monitor == "m"]
            assert late == ["start", "complete"]
        assert read_pings() == []
