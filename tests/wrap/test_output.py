import base64
import os
import sys
from pathlib import Path

import pytest

from tests.support.children import read_report
from tests.support.pings import kinds, last_ping, read_pings
from tests.support.radar import environment, run_radar, start_radar

SECRET = "s3cr3t-v4lue"


def sent(*words: str, env: dict[str, str] | None = None) -> bytes:
    """The body of the last ping of a run."""
    run_radar("run", "job", *words, env=env)
    return last_ping().body


def test_the_tail_is_what_was_printed_last() -> None:
    body = sent("--tail", "10", "-c", "seq 1000")

    assert body == b"8\n999\n1000\n"[-10:]
    fields = last_ping().fields
    assert int(fields["output"]) == 3893
    assert int(fields["omitted"]) == 3883


def test_all_of_it_leaves_nothing_out() -> None:
    assert sent("-c", "echo hello") == b"hello\n"
    assert last_ping().fields["output"] == "6"
    assert "omitted" not in last_ping().fields


def test_the_default_is_what_the_store_keeps() -> None:
    assert len(sent("-c", "yes | head -c 1000000")) == 10_000
    assert last_ping().fields["omitted"] == "990000"


@pytest.mark.parametrize("tail", ["0", "1", "2", "3", "4", "5", "6"])
def test_the_tail_begins_with_a_whole_character(tail: str) -> None:
    body = sent("--tail", tail, "-c", "printf 'aä€𝄞'")
    whole = "aä€𝄞".encode()

    assert "aä€𝄞".endswith(body.decode())
    assert len(body) <= int(tail)
    assert len(body) + int(last_ping().fields["omitted"]) == len(whole)


def test_the_tail_is_always_text() -> None:
    body = sent("-c", r"printf 'a\377b\000c'")

    assert body.decode() == "a�b\0c"


def test_no_output_is_neither_read_nor_sent() -> None:
    assert sent("--no-output", "-c", "echo hello") == b""
    assert "omitted" not in last_ping().fields


@pytest.mark.parametrize(("code", "body"), [(0, b""), (5, b"hello\n")])
def test_the_output_can_be_sent_only_on_failure(code: int, body: bytes) -> None:
    assert sent("--output-on-fail", "-c", f"echo hello; exit {code}") == body


def test_nothing_is_sent_of_the_command_unless_asked() -> None:
    run_radar("run", "job", "--", "sh", "-c", "exit 1", "unspeakable")

    assert "unspeakable" not in repr([vars(ping) for ping in read_pings()])


def test_the_command_is_sent_when_asked_but_for_its_secrets() -> None:
    env = environment(DB_PASSWORD=SECRET)
    run_radar("run", "job", "--send-command", "--", "echo", "a b", f"-p{SECRET}", env=env)

    assert [ping.fields["command"] for ping in read_pings()] == ["echo a b -p[redacted]"] * 2
    run_radar("run", "job", "--send-command", "-c", "exit 3")
    assert last_ping().fields["command"] == "exit 3"


def test_its_own_key_is_redacted() -> None:
    key = "radar-key-0123456789"
    env = environment(RADAR_SERVER="http://127.0.0.1:9", RADAR_API_KEY=key)
    basic = base64.b64encode(f"{key}:".encode()).decode()
    body = sent("--ping-timeout", "1", "-c", f"echo $RADAR_API_KEY; echo Basic {basic}", env=env)

    assert body == b"[redacted]\nBasic [redacted]\n"


@pytest.mark.parametrize(
    "name", ["SECRET", "db_password", "AWS_SECRET_ACCESS_KEY", "GH_TOKEN", "STRIPE_KEY", "PG_PASS"]
)
def test_secrets_of_the_environment_are_redacted(name: str) -> None:
    env = environment() | {name: SECRET, "HARMLESS": "harmless-value"}
    body = sent("-c", f"printf 'a{SECRET}b'; echo {SECRET}{SECRET} harmless-value", env=env)

    assert body == b"a[redacted]b[redacted][redacted] harmless-value\n"


def test_short_values_are_no_secrets() -> None:
    assert sent("-c", "echo true", env=environment(USE_TOKEN="true")) == b"true\n"


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("postgres://me:pw@host/db", "postgres://me:[redacted]@host/db"),
        ("redis://:pw@host", "redis://:[redacted]@host"),
        ("http://me:p:w@x@host:80/", "http://me:[redacted]@host:80/"),
        ("http://me@host http://host:80/a@b", "http://me@host http://host:80/a@b"),
    ],
)
def test_passwords_in_urls_are_redacted(printed: str, expected: str) -> None:
    assert sent("-c", f"echo '{printed}'") == f"{expected}\n".encode()


def test_a_password_in_a_url_of_the_environment_is_redacted_alone_too() -> None:
    env = environment(DATABASE_URL="postgres://me:hunter-22@host/db")

    assert sent("-c", "echo login hunter-22", env=env) == b"login [redacted]\n"


def test_what_matches_is_redacted() -> None:
    words = ("--redact", "card [0-9]+", "--redact", "x+y", "-c", "echo a card 123, xxxy, card x")

    assert sent(*words) == b"a [redacted], [redacted], card x\n"


@pytest.mark.parametrize("offset", range(0, len(SECRET) + 2, 3))
def test_a_secret_that_the_cut_goes_through_leaves_nothing(offset: int) -> None:
    env = environment(MY_TOKEN=SECRET)
    # The tail's first byte falls into the secret.
    after = "y" * (1000 - offset)
    line = f"head -c 200000 /dev/zero | tr '\\0' x; printf '{SECRET}{after}'"
    body = sent("--tail", "1000", "-c", line, env=env)
    halves = [SECRET[i:].encode() for i in range(len(SECRET) - 3)]

    assert not any(half in body for half in halves)
    assert body.endswith(after.encode())


def test_a_run_can_be_without_start() -> None:
    run_radar("run", "job", "--no-start", "--", "true")

    assert kinds() == ["success"]


def test_a_run_can_be_given_its_id() -> None:
    rid = "018f4e9a-7b1c-4c3d-8e2f-5a6b7c8d9e0f"
    done = run_radar("run", "job", "--rid", rid.upper(), "-c", "echo $RADAR_RUN_ID")

    assert done.stdout.decode() == f"{rid}\n"
    assert {ping.run_id for ping in read_pings()} == {rid}


def test_the_declaration_goes_with_every_ping() -> None:
    words = "--schedule @daily --tz Europe/London --grace 10m --max-runtime 2h --tag a,b --tag c"
    run_radar("run", "job", *words.split(), "--name", "A job", "--", "true")
    expected = {
        "schedule": "@daily",
        "tz": "Europe/London",
        "gracePeriod": "600",
        "max_runtime": "7200",
        "name": "A job",
        "tags": "a b c",
    }

    for ping in read_pings():
        assert {name: ping.fields.get(name) for name in expected} == expected


def test_the_pings_tell_what_the_job_used() -> None:
    run_radar("run", "job", "--", "python3", "-c", "x = 'x' * 200_000_000; print(len(x))")
    fields = last_ping().fields

    assert int(fields["rss"]) > 200_000_000
    assert 0 < float(fields["cpu"]) <= float(fields["duration"]) * (os.cpu_count() or 1)
    run_radar("run", "job", "--", "true")
    assert "rss" not in last_ping().fields


def test_what_radars_parent_used_is_neither_the_jobs_nor_hides_it() -> None:
    # Becomes radar after it has used more than the job will.
    parent = "import os, sys; x = 'x' * 300_000_000; os.execv(sys.argv[1], sys.argv[1:])"
    prefix = (sys.executable, "-c", parent)
    job = (sys.executable, "-c", "x = 'x' * 100_000_000")
    run_radar("run", "large", "--", *job, prefix=prefix)
    assert 100_000_000 < int(last_ping().fields["rss"]) < 300_000_000
    run_radar("run", "small", "--", "true", prefix=prefix)
    assert "rss" not in last_ping().fields


BOTH = "echo out; echo err >&2; echo more"


@pytest.mark.parametrize(
    ("streams", "body"), [("stdout", b"out\nmore\n"), ("stderr", b"err\n"), ("both", None)]
)
@pytest.mark.parametrize(
    "option", [(), ("--fail-on", "nothing"), ("--quiet",), ("--fail-on-stderr",)], ids=str
)
@pytest.mark.parametrize("shared", [False, True], ids=["apart", "shared"])
def test_it_sends_the_end_of_the_stream_that_is_asked_for(
    streams: str, body: bytes | None, option: tuple[str, ...], shared: bool
) -> None:
    prefix = ["sh", "-c", 'exec "$@" 2>&1', "sh"] if shared else []
    words = ("run", "job", "--tail-of", streams, *option, "-c", f"{BOTH}; exit 3")
    done = run_radar(*words, prefix=prefix)
    ping = last_ping()

    assert sorted((done.stdout + done.stderr).split()) == [b"err", b"more", b"out"]
    assert done.stderr == (b"" if shared else b"err\n")
    if body is None:
        assert sorted(ping.body.split()) == [b"err", b"more", b"out"]
    else:
        assert ping.body == body
    assert ping.fields["output"] == str(len(ping.body))


def test_it_leaves_a_dump_to_its_file_and_sends_the_rest(children: Path, tmp_path: Path) -> None:
    to = tmp_path / "report"
    words = ("run", "job", "--", children / "report")
    env = environment(RADAR_TAIL_OF="stderr", REPORT_TO=str(to))
    with (tmp_path / "dump.sql").open("wb") as dump:
        radar = start_radar(*words, env=env, stdout=dump)
        assert radar.wait(10) == 0
    seen = read_report(to)

    assert seen.fds[1].target == str(tmp_path / "dump.sql").encode()
    assert seen.fds[2].target.startswith(b"pipe:")
    assert last_ping().fields["output"] == "0"


def test_it_takes_no_other_word_for_a_stream() -> None:
    done = run_radar("run", "job", "--tail-of", "stdin", "--", "true", text=True)

    assert done.returncode == 125
    assert "--tail-of: bad value 'stdin': use stdout, stderr, both" in done.stderr


@pytest.mark.parametrize("name", ["SSHPASS", "REDISCLI_AUTH", "AUTHORIZATION"])
def test_it_redacts_a_value_however_it_is_printed(name: str) -> None:
    env = environment() | {name: "it's 1/2+é"}
    script = (
        "import base64, json, os, shlex, sys, urllib.parse as u; v = os.environ[sys.argv[1]];"
        "print(v, u.quote(v, safe=''), u.quote_plus(v), json.dumps(v), shlex.quote(v),"
        " base64.b64encode(f'me:{v}'.encode()).decode(), sep='|')"
    )
    run_radar("run", "job", "--", sys.executable, "-c", script, name, env=env)

    expected = ["[redacted]"] * 3 + ['"[redacted]"', "'[redacted]'", "[redacted]\n"]
    assert last_ping().body.decode().split("|") == expected
