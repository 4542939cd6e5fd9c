"""`radar sync` on the store of this machine, and on a server."""

from pathlib import Path

import pytest

from radar_cli.cli import app
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session
from radar_cli.cli.sync import carry_out
from radar_cli.model.port import ChangedError
from radar_cli.sync.plan import Present, make_plan
from tests.cli.envelopes import read_envelope
from tests.cli.worlds import two_worlds
from tests.support.radar import run_radar

_FILE = """[monitors.backup]
schedule = "5 2 * * *"
tz = "Europe/London"
grace = "15m"

[monitors."web.cert"]
every = "1d"
"""


def _sync(*words: str) -> tuple[int, str, str]:
    done = run_radar("sync", *words, text=True)
    return done.returncode, done.stdout, done.stderr


def test_it_shows_a_plan_and_carries_it_out_once(tmp_path: Path) -> None:
    (tmp_path / "radar.toml").write_text(_FILE)
    code, plan, said = _sync()
    assert code == 1
    assert plan.splitlines()[0] == "+ backup"
    assert '    grace = "15m"' in plan
    assert "2 to create: --apply carries it out" in said
    assert run_radar("status", "--json").stdout.count(b'"key"') == 0
    assert _sync("--apply")[0] == 0
    for words in ((), ("--apply",)):
        assert _sync(*words)[:2] == (0, "")
    # Somebody changes a field that the file names, and one that it doesn't.
    run_radar("monitors", "update", "backup", "--grace", "1m", "--name", "Mine")
    code, plan, _ = _sync()
    change = '~ backup\n    grace: "1m" -> "15m"  (changed there since it was last applied)\n'
    assert (code, plan) == (1, change)
    assert _sync("--apply")[0] == 0
    shown = read_envelope(run_radar("monitors", "show", "backup", "--json", text=True))["data"]
    assert (shown["name"], shown["grace_s"]) == ("Mine", 900)


def test_it_deletes_what_the_file_has_dropped_only_when_told_so(tmp_path: Path) -> None:
    (tmp_path / "radar.toml").write_text(_FILE)
    assert _sync("--apply")[0] == 0
    run_radar("ping", "by-hand")
    (tmp_path / "radar.toml").write_text(_FILE.partition("\n\n")[0])
    code, _, said = _sync("--apply")
    assert (code, "dropped web.cert: --prune" in said) == (0, True)
    assert _sync("--prune")[:2] == (1, "- web.cert\n")
    assert _sync("--prune", "--apply")[0] == 130  # nobody says yes
    assert _sync("--prune", "--apply", "--yes")[0] == 0
    data = read_envelope(run_radar("status", "--json", text=True))["data"]
    assert [entry["key"] for entry in data] == ["backup", "by-hand"]


def test_it_never_undoes_what_somebody_changes_meanwhile() -> None:
    run_radar("monitors", "create", "backup", "--every", "1h")
    with open_monitors(Session()) as opened:
        (known,) = opened.store.monitors.all()
        present = {"backup": Present(known.declared, known.fingerprint)}
        (step,) = make_plan({"backup": {"gracePeriod": "60"}}, present, "x").steps
        run_radar("monitors", "update", "backup", "--name", "Mine")
        with pytest.raises(ChangedError):
            carry_out(opened, step)
        (new,) = make_plan({"fresh": {}}, present, "x").steps
        run_radar("monitors", "create", "fresh", "--every", "1h")
        with pytest.raises(ChangedError):
            carry_out(opened, new)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "there is no radar.toml ('radar sync --export >radar.toml' writes the present state)"),
        (("--export", "--prune"), "--export excludes"),
        ((".",), ". can't be read: Is a directory"),
    ],
)
def test_it_says_what_is_wrong(
    capfd: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    assert app.main(["sync", *words]) == 2
    assert message in capfd.readouterr().err


@pytest.mark.slow
def test_it_does_the_same_on_a_server(tmp_path: Path) -> None:
    file = tmp_path / "radar.toml"
    file.write_text(_FILE + "[monitors.quick]\ngrace = 5\nnotes = '''a\nb'''\n")
    with two_worlds(tmp_path / "worlds") as worlds:
        for words in ((), ("--apply",), ("--json",), ("--export",)):
            here, there = worlds.say("sync", str(file), *words)
            assert (here.code, here.stdout, here.stderr) == (there.code, there.stdout, there.stderr)
        file.write_text(here.stdout)
        here, there = worlds.say("sync", str(file))
        assert (here.code, here.stdout, there.code, there.stdout) == (0, "", 0, "")
