"""`radar notify`: which channels there are, and whether they work."""

import json
import tomllib
from pathlib import Path

import pytest

from tests.cli.envelopes import read_envelope
from tests.cli.settings import config, write
from tests.support import answers
from tests.support.radar import environment, run_radar
from tests.support.server import Server, refused_port

SLACK = "https://hooks.chat.example/services/T0KENT0KEN"


def notify(*words: str) -> tuple[int, str, str]:
    done = run_radar("notify", *words, text=True)
    return done.returncode, done.stdout, done.stderr


def test_it_lists_channels_without_their_secrets(user_file: Path, system_file: Path) -> None:
    write(user_file, f"[notify.chat]\nwebhook = '{SLACK}'\nsecret = 'hunter2'\non = ['down']\n")
    write(system_file, "[notify.phone]\napprise = 'ntfys://hunter2@host/topic'\ntags = ['db']\n")
    code, out, err = notify("list")
    assert (code, err) == (0, "")
    lines = [line.split("  ") for line in out.splitlines()]
    cells = [[cell.strip() for cell in line if cell] for line in lines]
    assert cells == [
        ["channel", "kind", "to", "on", "rules"],
        ["chat", "webhook", "https://hooks.chat.example/…", "down"],
        ["phone", "apprise", "ntfys://…", "down, up, fault", "tags db"],
    ]
    done = run_radar("notify", "list", "--json", text=True)
    chat, _ = read_envelope(done)["data"]
    assert chat == {
        "channel": "chat",
        "kind": "webhook",
        "to": "https://hooks.chat.example/…",
        "on": ["down"],
        "tags": [],
        "monitors": [],
        "after_s": None,
        "quiet": [],
        "quiet_tz": None,
        "quiet_until": None,
        "fault": None,
        "file": str(user_file),
    }
    assert "hunter2" not in out + done.stdout


def test_it_shows_what_a_channel_leaves_out_or_holds_back(user_file: Path) -> None:
    lines = "monitors = ['web-*']\ntags = ['prod']\nafter = '30m'\ntogether = false\n"
    # All week but for a minute of the Monday.
    quiet = "quiet = ['tue-sun', 'mon 00:01-24:00']\ntz = 'Europe/Berlin'\n"
    write(user_file, f"[notify.boss]\ncommand = ['true']\n{lines}{quiet}")
    rules = (
        "monitors web-*, tags prod, after 30 min,"
        " quiet tue-sun, mon 00:01-24:00 (Europe/Berlin), one by one"
    )
    for words in (("list",), ("test",)):
        code, out, err = notify(*words)
        assert (code, err) == (0, "")
        assert "down, up" in out
        assert rules in out
    (boss,) = read_envelope(run_radar("notify", "list", "--json", text=True))["data"]
    told = [boss[name] for name in ("on", "monitors", "after_s", "quiet_tz")]
    assert told == [["down", "up"], ["web-*"], 1800.0, "Europe/Berlin"]


def test_it_lists_a_broken_channel_with_what_is_wrong(user_file: Path) -> None:
    write(user_file, "[notify.chat]\nurl = 'https://a.example'\n")
    code, out, err = notify("list")
    assert code == 0
    assert "nowhere: needs one of command, webhook, email, apprise" in out
    assert "(did you mean 'webhook'?)" in err


def test_it_says_how_to_make_a_channel() -> None:
    assert notify("list") == (
        0,
        "",
        "radar: no channels yet: 'radar notify add' makes one\n",
    )
    code, out, err = notify("test")
    assert (code, out) == (2, "")
    assert "no channels ('radar notify add' makes one)" in err


def test_it_tests_every_channel(user_file: Path, server: Server, tmp_path: Path) -> None:
    write(
        user_file,
        f"[notify.chat]\nwebhook = '{server.url}'\non = ['up']\ntags = ['db']\n"
        f"[notify.file]\ncommand = ['sh', '-c', 'cat > {tmp_path}/notice']\n",
    )
    code, out, err = notify("test")
    assert (code, err) == (0, "")
    assert out.count("answers 200") == 1
    assert out.count("exited with 0") == 1
    (request,) = server.requests
    sent = json.loads(request.body)
    assert sent["kind"] == "test"
    assert sent["subject"].startswith("[radar] this is a test")
    assert json.loads((tmp_path / "notice").read_text())["key"] == sent["key"]
    assert request.headers["idempotency-key"] == sent["key"]


def test_it_tests_the_named_ones(user_file: Path, server: Server, tmp_path: Path) -> None:
    write(
        user_file,
        f"[notify.chat]\nwebhook = '{server.url}'\n"
        f"[notify.file]\ncommand = ['touch', '{tmp_path}/told']\n",
    )
    assert notify("test", "chat", "chat")[0] == 0
    assert len(server.requests) == 1
    assert not (tmp_path / "told").exists()
    code, _, err = notify("test", "caht")
    assert code == 2
    assert "no channel 'caht' (did you mean 'chat'?)" in err


def test_it_names_this_machine_as_its_pings_do(user_file: Path, server: Server) -> None:
    write(user_file, f"host = 'db-1'\n[notify.chat]\nwebhook = '{server.url}'\n")
    assert notify("test")[0] == 0
    assert json.loads(server.requests[0].body)["host"] == "db-1"


def test_one_that_cannot_be_reached_hides_no_other(user_file: Path, server: Server) -> None:
    with refused_port() as port:
        write(
            user_file,
            f"[notify.gone]\nwebhook = 'http://127.0.0.1:{port}'\n"
            f"[notify.chat]\nwebhook = '{server.url}'\n",
        )
        code, out, err = notify("test")
        done = run_radar("notify", "test", "--json", text=True)
    assert code == 3
    assert "Connection refused" in out
    assert "answers 200" in out
    assert err == "radar: 1 of 2 channels did not take the test notice\n"
    envelope = read_envelope(done)
    assert envelope["error"]["slug"] == "notify"
    gone, chat = envelope["data"]
    assert (gone["channel"], gone["delivered"], gone["error"]["slug"]) == ("gone", False, "notify")
    assert chat == {
        "channel": "chat",
        "kind": "webhook",
        "delivered": True,
        "answer": f"{server.url} answers 200",
        "remark": None,
        "error": None,
    }


def test_what_a_person_must_edit_comes_first(user_file: Path, server: Server) -> None:
    server.behave(answers.status(503))
    write(
        user_file,
        f"[notify.chat]\nwebhook = '{server.url}'\n[notify.broken]\nemail = 'root'\ncommand = []\n",
    )
    code, out, _ = notify("test")
    assert code == 2
    assert "answers 503" in out
    assert "see 'radar config check'" in out
    assert notify("test", "chat")[0] == 3


def test_config_sets_gets_and_removes_a_channel(user_file: Path) -> None:
    words = ["set", "notify.chat.webhook", SLACK]
    assert config(*words) == (0, f"notify.chat.webhook set in {user_file}\n", "")
    assert config("get", "notify.chat.webhook") == (0, f"{SLACK}\n", "")
    assert config("set", "notify.chat.headers.X-Team", "ops")[0] == 0
    assert config("set", "notify.chat.on", "down")[0] == 0
    assert config("set", "notify.pager.command", "page", "--", "-v", "two words")[0] == 0
    assert config("set", "notify.ops.email", "a@example.com", "b@example.com")[0] == 0
    assert tomllib.loads(user_file.read_text())["notify"] == {
        "chat": {"webhook": SLACK, "headers": {"X-Team": "ops"}, "on": ["down"]},
        "pager": {"command": ["page", "-v", "two words"]},
        "ops": {"email": ["a@example.com", "b@example.com"]},
    }
    assert config("get", "notify.ops.email")[1] == "a@example.com\nb@example.com\n"
    assert config("get", "notify.chat.headers.X-Team")[1] == "ops\n"
    assert config("get", "notify.chat.secret") == (1, "", "")
    assert config("unset", "notify.chat.on")[0] == 0
    assert config("unset", "notify.pager")[0] == 0
    assert list(tomllib.loads(user_file.read_text())["notify"]) == ["chat", "ops"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["notify", "x"], "name a channel, as in notify.NAME.webhook"),
        (["notify.chat", "x"], "'notify.chat' is a whole channel"),
        (["notify.chat.webhok", "x"], "no setting 'webhok' of a channel (did you mean 'webhook'?)"),
        (["notify.chat.webhook.x", "x"], "'webhook' has nothing below it"),
        (["notify.chat.webhook", "chat.example"], "webhook is no URL"),
        (["notify.chat.headers", "x"], "radar config set notify.chat.headers.NAME VALUE"),
        (
            ["notify.chat.on", "donw"],
            "'donw' is not one of down, up, late, fault, did you mean 'down'?",
        ),
        (["notify.chat.quiet", "22-7"], "quiet: '22-7' is no quiet time, like '22:00-07:00'"),
        (["notify.chat.tz", "Berlin"], "tz: no timezone 'Berlin'"),
        (["notify.chat.monitors", "Web *"], "'Web *' is no pattern of keys, like 'web-*'"),
        (["notify.chat.after", "soon"], "bad duration 'soon'"),
        (["notify.chat.ca_file", "/none.pem"], "/none.pem: no such file"),
        (["notify.'a b'.webhook", "https://a"], "bad channel name 'a b'"),
        (["notify.chat.webhook", "https://a", "--profile", "work"], "belongs to no profile"),
    ],
)
def test_config_refuses_what_would_not_work(
    user_file: Path, words: list[str], message: str
) -> None:
    code, out, err = config("set", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert not user_file.exists()


def test_config_says_what_keeps_a_channel_from_working(user_file: Path) -> None:
    assert config("set", "notify.ops.email", "root") == (
        0,
        f"notify.ops.email set in {user_file}\n",
        "",
    )
    _, _, err = config("set", "notify.ops.webhook", "https://a.example")
    assert "notify.ops: has webhook and email" in err
    _, _, err = config("set", "notify.ops.email", "ops@example.com", "--system")
    assert err == f"radar: {user_file} overrides it\n"


def test_config_keeps_a_channels_url_from_others(system_file: Path) -> None:
    config("set", "notify.chat.webhook", SLACK, "--system")
    assert system_file.stat().st_mode & 0o777 == 0o600


def test_config_takes_the_program_from_where_the_person_is(user_file: Path, tmp_path: Path) -> None:
    words = ["config", "set", "notify.pager.command", "./page"]
    assert run_radar(*words, cwd=tmp_path).returncode == 0
    assert tomllib.loads(user_file.read_text())["notify"]["pager"]["command"] == [
        f"{tmp_path}/page"
    ]


def test_config_lists_channels_and_hides_their_secrets(user_file: Path) -> None:
    write(
        user_file,
        f"[notify.chat]\nwebhook = '{SLACK}'\nsecret = 'hunter2hunter2hunter2'\n"
        "headers = { Authorization = 'Bearer hunter2hunter2' }\n"
        "[notify.phone]\napprise = ['ntfys://hunter2@host/topic', 'file:urls']\n",
    )
    for words in (["list"], ["list", "--json"], ["list", "--format", "csv", "--show-origin"]):
        _, out, err = config(*words)
        assert "hunter2" not in out.replace("hunt…r2", "") + err
        assert "T0KEN" not in out
    out = config("list")[1]
    assert "notify.chat.webhook   https://hooks.chat.example/…" in out
    assert "ntfys://…, file:urls" in out
    assert SLACK in config("list", "--show-secrets")[1]
    origins = config("list", "--show-origin")[1].splitlines()
    assert all(line.endswith(str(user_file)) for line in origins if line.startswith("notify."))


def test_config_check_looks_at_channels(user_file: Path, tmp_path: Path) -> None:
    write(
        user_file,
        """[notify.chat]
webhook = "https://a.example"
secret = "cmd:false"
webhok = 1

[notify.pager]
command = ["radar-no-such-program"]

[notify.ops]
email = ["root"]
sendmail = "missing"

[notify.both]
email = ["root"]
webhook = "https://a.example"
""",
    )
    code, out, _ = config("check")
    assert code == 2
    assert sorted(out.splitlines()) == sorted(
        [
            f"{user_file}:4: unknown key 'notify.chat.webhok' (did you mean 'webhook'?)",
            f"{user_file}:3: notify.chat.secret: false failed with 1 (set in {user_file})",
            f"{user_file}:7: notify.pager: command: radar-no-such-program: no such program",
            f"{user_file}:11: notify.ops: sendmail: {tmp_path}/missing: no such file",
            f"{user_file}:13: notify.both: has webhook and email "
            "(a channel has one of them: make two)",
        ]
    )


def test_a_job_does_not_care_about_its_channels(user_file: Path) -> None:
    write(user_file, "[notify.chat]\nnonsense = 1\n")
    done = run_radar("run", "job", "--", "true", env=environment(), text=True)
    assert (done.returncode, done.stderr) == (0, "")
