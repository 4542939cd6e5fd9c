"""`radar init` and `radar notify add`: at a terminal, and by options."""

from pathlib import Path

import pytest

from radar_cli.cli import app
from tests.cli.envelopes import read_envelope
from tests.support.processes import state
from tests.support.radar import environment, radar_path, run_radar
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until


@pytest.fixture
def teller(tmp_path: Path) -> Path:
    """A program that keeps what it is told."""
    program = tmp_path / "tell"
    program.write_text(f"#!/bin/sh\ncat >>{tmp_path}/told\n")
    program.chmod(0o755)
    return program


def call(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = app.main([*words])
    out, err = capfd.readouterr()
    return code, out, err


def test_it_adds_a_channel_and_tries_it(
    capfd: pytest.CaptureFixture[str], teller: Path, tmp_path: Path, user_file: Path
) -> None:
    words = ("notify", "add", "ops", "--command", f"{teller} -v", "--on", "down", "--tag", "db")
    code, out, err = call(capfd, *words)
    assert (code, err) == (0, "")
    assert out.startswith(f"channel ops is in {user_file}\nthe test notice: ")
    assert "next: " in out
    assert "test" in (tmp_path / "told").read_text()
    written = user_file.read_text()
    assert written.splitlines()[0] == "[notify.ops]"
    # Again: it is there already, and stays as it is.
    code, out, _ = call(capfd, *words, "--no-test")
    assert (code, "is in" in out, "already" in out) == (0, True, True)
    assert user_file.read_text() == written
    # Another one of that name is changed only if somebody says so.
    code, _, err = call(capfd, "notify", "add", "ops", "--command", "/bin/false", "--no-test")
    assert (code, "--yes changes it" in err) == (2, True)
    code, _, _ = call(
        capfd, "notify", "add", "ops", "--command", "/bin/false", "--no-test", "--yes"
    )
    assert (code, "/bin/false" in user_file.read_text()) == (0, True)
    code, _, err = call(capfd, "notify", "add", "ops", "--command", "/bin/false")
    assert code in (2, 3)  # it can't be told by that


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("x y", "--email", "root"), "bad channel name"),
        (("--email", "a@b@c"), "is no mail address"),
        (("--email", "root", "--webhook", "https://x.example"), "one channel, one kind"),
        (("--webhook", "ftp://x"), "begins with https://"),
        (("--webhook", "https://t.example", "--preset", "telegram"), "wouldn't work"),
        (("--command", "'"), "--command: "),
        ((), "no channel is given"),
    ],
)
def test_it_writes_nothing_that_would_not_work(
    capfd: pytest.CaptureFixture[str], user_file: Path, words: tuple[str, ...], message: str
) -> None:
    user_file.write_text("# mine\n")
    code, _, err = call(capfd, "notify", "add", *words)
    assert (code, message in err) == (2, True), err
    assert user_file.read_text() == "# mine\n"


def test_it_asks_at_a_terminal(teller: Path, tmp_path: Path, user_file: Path) -> None:
    words = [str(radar_path()), "notify", "add"]
    with Terminal(words, environment(TERM="xterm")) as terminal:
        terminal.read_until(rb"Tell you by \(.*\) \[email\]: ", 60)
        terminal.send(b"command\n")
        terminal.read_until(rb"Program with its arguments: ")
        terminal.send(f"{teller}\n".encode())
        terminal.read_until(rb"Did it arrive\? \[Y/n\]: ", 60)
        assert (tmp_path / "told").exists()
        terminal.send(b"n\n")
        assert terminal.wait(60) == 1
    assert b"radar notify test command" in terminal.screen
    assert str(teller) in user_file.read_text()


def test_it_leaves_nothing_half_written_when_it_is_interrupted(user_file: Path) -> None:
    with Terminal([str(radar_path()), "init", "--no-wrap"], environment(TERM="xterm")) as terminal:
        terminal.read_until(rb"URL of the server", 60)
        terminal.send(b"\n")
        terminal.read_until(rb"Tell you by .*\[email\]: ", 60)
        # A ^C between the prompt and the read behind it is lost to Python, for the next one to do.
        wait_until(lambda: state(terminal.process.pid) == "S")
        terminal.send_control("c")
        assert terminal.wait(60) == 130
    assert not user_file.exists()


@pytest.mark.slow
def test_it_sets_a_machine_up_and_can_be_run_again(
    tmp_path: Path, teller: Path, user_file: Path, state_dir: Path
) -> None:
    crontab = tmp_path / "crontab"
    crontab.write_text("5 2 * * * /opt/backup.sh\n")
    env = environment(TERM="xterm")
    link = tmp_path / "lib/radar"
    words = [str(radar_path()), "init", str(crontab), "--link", str(link)]
    with Terminal(words, env) as terminal:
        terminal.read_until(rb"URL of the server \(empty: this machine\): ", 60)
        terminal.send(b"\n")
        terminal.read_until(rb"Put radar in front of 1 job in .*\[y/N\]: ", 60)
        terminal.send(b"y\n")
        terminal.read_until(rb"Tell you by ", 120)
        terminal.send(b"command\n")
        terminal.read_until(rb"arguments: ")
        terminal.send(f"{teller}\n".encode())
        terminal.read_until(rb"Did it arrive", 60)
        terminal.send(b"\n")
        terminal.read_until(rb"next: ")
        assert terminal.wait(60) == 0
    assert " run backup --schedule '5 2 * * *' -- /opt/backup.sh" in crontab.read_text()
    assert str(teller) in user_file.read_text()
    kept = crontab.read_text(), user_file.read_text()
    again = run_radar("init", str(crontab), "--yes", "--json", text=True)
    assert read_envelope(again)["data"] == {"server": None, "wrapped": [], "channel": None}
    assert (crontab.read_text(), user_file.read_text()) == kept
    assert link.exists()
    assert state_dir.exists()


def test_it_does_without_questions(
    capfd: pytest.CaptureFixture[str], user_file: Path, tmp_path: Path
) -> None:
    crontab = tmp_path / "crontab"
    crontab.write_text("# nothing\n")
    words = ("init", str(crontab), "--here", "--yes", "--email", "root", "--no-test")
    code, out, _ = call(capfd, *words)
    assert code == 0
    assert "monitors are kept on this machine" in out
    assert "channel mail is in" in out
    assert "next: 'radar status'" in out
    assert 'email = ["root"]' in user_file.read_text()
    code, out, _ = call(capfd, "init", str(crontab), "--yes")
    assert (code, "notices go out through mail" in out) == (0, True)
    code, _, err = call(capfd, "init")
    assert (code, "nobody can be asked" in err) == (2, True)
    code, _, err = call(
        capfd, "init", "--no-wrap", "--email", "a", "--webhook", "https://b.example"
    )
    assert (code, "one channel" in err) == (2, True)


def test_it_keeps_the_server_whose_key_is_right(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADAR_API_KEY", "ck_app_0123456789")
    code, _, err = call(capfd, "init", "--server", "http://127.0.0.1:1", "--no-wrap", "--yes")
    assert (code, "can't reach http://127.0.0.1:1" in err) == (3, True)
