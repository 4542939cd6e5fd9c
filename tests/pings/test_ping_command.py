"""`radar ping`: one ping by hand."""

import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support import answers
from tests.support.answers import status
from tests.support.pings import kinds
from tests.support.radar import environment, radar_path, run_radar, start_radar
from tests.support.server import Server
from tests.support.waiting import wait_until

RUN_ID = "018f4e9a-7b1c-7c3d-8e2f-5a6b7c8d9e0f"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ((), "complete"),
        (("start",), "start"),
        (("success",), "complete"),
        (("fail",), "fail"),
        (("log",), "log"),
        (("--exit-code", "0"), "complete"),
        (("--exit-code", "3"), "fail"),
        (("log", "--exit-code", "3"), "log"),
    ],
)
def test_it_sends_one_ping(
    words: tuple[str, ...], kind: str, server: Server, env: dict[str, str]
) -> None:
    done = run_radar("ping", "m", *words, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (ping,) = server.accepted
    assert (ping.monitor, ping.kind, ping.body) == ("m", kind, b"")
    assert ping.query.get("exit") == (words[-1] if "--exit-code" in words else None)
    assert "rid" not in ping.query


def test_it_says_what_it_was_given(server: Server, env: dict[str, str]) -> None:
    words = ("--message", "50% done & more", "--schedule", "@daily", "--rid", RUN_ID.upper())
    run_radar("ping", "m", "log", *words, env=env)
    query = server.accepted[0].query
    assert query["message"] == "50% done & more"
    assert (query["schedule"], query["rid"]) == ("@daily", RUN_ID)


def test_it_joins_the_run_that_it_is_part_of(server: Server, env: dict[str, str]) -> None:
    script = "radar ping m log --message half; radar ping other; radar ping m --rid " + RUN_ID
    done = run_radar("run", "m", "--", "sh", "-c", script, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    by = {(ping.monitor, ping.kind): ping.query for ping in server.accepted}
    run_id = by["m", "start"]["rid"]
    assert by["m", "log"]["rid"] == run_id
    assert "rid" not in by["other", "complete"]
    assert RUN_ID in {p.query.get("rid") for p in server.accepted}


def test_it_takes_its_output_from_stdin(server: Server, env: dict[str, str]) -> None:
    env["DB_PASSWORD"] = "hunter2-and-more"
    text = b"connected with hunter2-and-more\nname 4711 \xff\n"
    done = run_radar("ping", "m", "fail", "--redact", "[0-9]{4}", "-", env=env, stdin=text)
    assert (done.returncode, done.stderr) == (0, b"")
    expected = "connected with [redacted]\nname [redacted] \ufffd\n"
    assert server.accepted[0].body.decode() == expected


def test_it_sends_the_end_of_a_long_input(server: Server, env: dict[str, str]) -> None:
    text = b"".join(b"line %d\n" % number for number in range(100_000))
    run_radar("ping", "m", "-", env=env, stdin=text)
    (ping,) = server.accepted
    assert text.endswith(ping.body)
    assert 9_000 < len(ping.body) <= 10_000
    assert int(ping.query["omitted"]) == len(text) - len(ping.body)


def test_it_reads_any_amount_in_flat_memory(server: Server, env: dict[str, str]) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (200_000_000, 200_000_000))

    with subprocess.Popen(["head", "-c", "500M", "/dev/zero"], stdout=subprocess.PIPE) as source:
        done = subprocess.run(
            [radar_path(), "ping", "m", "-"],
            env=env,
            stdin=source.stdout,
            capture_output=True,
            preexec_fn=limit,
            check=False,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(server.accepted) == 1


def test_it_does_not_mind_a_closed_stdin(server: Server, env: dict[str, str]) -> None:
    words = ["sh", "-c", f"exec {radar_path()} ping m - <&-"]
    done = subprocess.run(words, env=env, check=False, timeout=30, stderr=subprocess.PIPE)
    assert done.returncode == 0
    assert done.stderr.startswith(b"radar: m: stdin can't be read: ")
    assert [ping.body for ping in server.accepted] == [b""]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("Bad Key",),
        ("m", "explode"),
        ("m", "start", "more"),
        ("m", "--exit-code", "x"),
        ("m", "--exit-code", "256"),
        ("m", "--exit-code", "1,2"),
        ("m", "--nonsense"),
        ("m", "--message"),
        ("m", "--schedule", "@daily", "--every", "1h"),
    ],
    ids=" ".join,
)
def test_it_refuses_what_it_cannot_understand(
    words: tuple[str, ...], server: Server, env: dict[str, str]
) -> None:
    done = run_radar("ping", *words, env=env, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("radar: ")
    assert server.pings == []


def test_it_is_content_with_the_outbox(server: Server, env: dict[str, str]) -> None:
    server.stop()
    done = run_radar("ping", "m", env=env, text=True)
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert "kept in the outbox" in line
    assert "Connection refused" in line
    assert kinds() == ["success"]


def test_it_returns_1_when_the_ping_is_refused(server: Server, env: dict[str, str]) -> None:
    server.behave(answers.status(404))
    done = run_radar("ping", "m", env=env, text=True)
    assert done.returncode == 1
    assert "refused" in done.stderr


def test_it_returns_3_when_the_ping_is_lost(
    server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    server.stop()
    (tmp_path / "file").touch()
    env["RADAR_STATE_DIR"] = str(tmp_path / "file")
    done = run_radar("ping", "m", env=env, text=True)
    assert done.returncode == 3
    assert "lost" in done.stderr


def test_it_keeps_the_ping_for_the_store_without_a_server(env: dict[str, str]) -> None:
    del env["RADAR_SERVER"]
    del env["RADAR_API_KEY"]
    assert run_radar("ping", "m", "fail", env=env).returncode == 0
    assert kinds() == ["fail"]
    assert os.environ["RADAR_STATE_DIR"] == env["RADAR_STATE_DIR"]


@pytest.mark.parametrize(
    ("words", "value", "kind", "exit_code"),
    [
        ((), "3", "fail", "3"),
        ((), "0", "complete", "0"),
        (("--exit-code", "0"), "3", "complete", "0"),
        (("log",), "3", "log", "3"),
    ],
)
def test_the_exit_code_may_come_from_the_environment(
    words: tuple[str, ...],
    value: str,
    kind: str,
    exit_code: str,
    server: Server,
    env: dict[str, str],
) -> None:
    env["RADAR_EXIT_CODE"] = value
    done = run_radar("ping", "m", *words, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    (ping,) = server.accepted
    assert (ping.kind, ping.query["exit"]) == (kind, exit_code)


def test_two_exit_codes_in_the_environment_are_none(server: Server, env: dict[str, str]) -> None:
    env["RADAR_EXIT_CODE"] = "0,24"
    done = run_radar("ping", "m", env=env)
    assert done.returncode == 0
    assert done.stderr == b"radar: m: RADAR_EXIT_CODE is ignored: it takes one number\n"
    assert [(ping.kind, "exit" in ping.query) for ping in server.accepted] == [("complete", False)]


def test_it_stops_at_an_interrupt_while_it_reads(server: Server, env: dict[str, str]) -> None:
    process = start_radar("ping", "m", "-", env=env, stdin=subprocess.PIPE)
    assert process.stdin is not None
    with process.stdin:
        wait_until(lambda: _reads_stdin(process.pid))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert server.pings == []


def _reads_stdin(pid: int) -> bool:
    """Whether it sleeps in a read of its standard input (proc(5), "syscall": 0 is read)."""
    return Path(f"/proc/{pid}/syscall").read_text().startswith("0 0x0 ")


def test_a_message_is_redacted_like_any_output(server: Server, env: dict[str, str]) -> None:
    words = ("ping", "m", "--message", "oops hunter22 at postgres://u:sesame@db/")
    assert run_radar(*words, env=env | {"APP_PASSWORD": "hunter22"}).returncode == 0
    (ping,) = server.pings
    assert ping.query["message"] == "oops [redacted] at postgres://u:[redacted]@db/"


def test_its_exit_code_is_not_a_matter_of_the_servers_words(
    server: Server, env: dict[str, str]
) -> None:
    for code, body in ((401, b"access refused"), (403, b"your key is lost: ask for another")):
        server.behave(status(code, body=body))
        assert run_radar("ping", "m", env=env).returncode == 0


def test_it_exits_3_where_delivery_is_required(server: Server, env: dict[str, str]) -> None:
    words = ("ping", "m", "--require-delivery")
    assert run_radar(*words, env=env).returncode == 0
    server.stop()
    done = run_radar(*words, env=env, text=True)
    assert done.returncode == 3
    assert "kept in the outbox" in done.stderr
    assert kinds() == ["success"]
    assert run_radar("ping", "m", env=env).returncode == 0


def test_delivery_to_the_store_here_is_delivery() -> None:
    assert run_radar("ping", "m", "--require-delivery").returncode == 0


@pytest.mark.parametrize("command", [("ping",), ("run", "--no-start")])
@pytest.mark.parametrize(
    ("named", "key"),
    [
        ("web-1.example.org", "backup-web-1-db"),
        ("Web_1", "backup-web_1-db"),
        ("a b", "backup-a-b-db"),
    ],
)
def test_a_key_may_hold_the_machines_name(
    command: tuple[str, ...], named: str, key: str, server: Server, env: dict[str, str]
) -> None:
    words = (*command, "backup-{host}-db", *(("--", "true") if command[0] == "run" else ()))
    assert run_radar(*words, env=env | {"RADAR_HOST": named}).returncode == 0
    assert [ping.monitor for ping in server.accepted] == [key]


@pytest.mark.parametrize("where", ["Docker", "Kubernetes"])
def test_a_containers_name_is_no_machines(where: str, tmp_path: Path) -> None:
    prefix = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"']
    prefix.append("0123456789ab" if where == "Docker" else "web-5d8f7c9b4-x2x7p")
    env = environment(KUBERNETES_SERVICE_HOST="10.0.0.1" if where == "Kubernetes" else None)
    ran = tmp_path / "ran"
    done = run_radar("run", "b-{host}", "--", "touch", ran, prefix=prefix, env=env, text=True)
    assert (done.returncode, ran.exists()) == (125, False)
    assert "RADAR_HOST" in done.stderr


def test_a_message_and_a_link_go_with_a_run(server: Server, env: dict[str, str]) -> None:
    env["CI_TOKEN"] = "hush-hush-hush"
    words = ("--message", "pipeline 7 hush-hush-hush", "--url", "https://ci.example/7")
    run_radar("run", "m", *words, "--", "false", env=env)
    assert [ping.kind for ping in server.accepted] == ["start", "fail"]
    for ping in server.accepted:
        assert ping.query["message"] == "pipeline 7 [redacted]"
        assert ping.query["url"] == "https://ci.example/7"


def test_a_quoted_command_line_is_told_of_c() -> None:
    done = run_radar("run", "m", "echo a | wc", text=True)
    assert done.returncode == 127
    assert "radar run m -c 'echo a | wc'" in done.stderr


def test_no_more_is_omitted_than_there_was(server: Server, env: dict[str, str]) -> None:
    line = "head -c 3000 /dev/zero | tr '\\0' '\\377'"
    run_radar("run", "m", "--tail", "100", "--no-start", "-c", line, env=env)
    (ping,) = server.accepted
    assert int(ping.query["omitted"]) <= int(ping.query["output"]) == 3000
