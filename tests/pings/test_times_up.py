"""A run's time is up before its pings are where they belong: each waits once, and it is said."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.support import answers
from tests.support.pings import kinds, read_entries
from tests.support.radar import environment, run_radar
from tests.support.server import Server


def places() -> list[tuple[str, str, str]]:
    """Monitor, kind and address of all that waits in the spool."""
    return [(e.ping.monitor, e.ping.kind, str(e.to)) for e in read_entries()]


@pytest.mark.parametrize("timeout_s", ["0", "0.001", "0.01", "0.05"])
@pytest.mark.parametrize("way", ["variables", "config", "profiles"])
def test_where_time_is_up_at_once_each_ping_is_kept_once_or_delivered(
    timeout_s: str, way: str, server: Server, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    env, to, copies = environment(), [""], 1
    if way == "variables":
        env = environment(RADAR_SERVER=server.url, RADAR_API_KEY="key")
    else:
        table = f'server = "{server.url}"\napi_key = "k1"\n'
        config.write_text(f"{table}[profiles.a]\n{table}[profiles.b]\n{table}")
        config.chmod(0o600)
    if way == "profiles":
        to, copies = ["--to", "a", "--to", "b"], 2
    for number in range(12):
        words = ("run", f"m{number}", *filter(None, to), "--ping-timeout", timeout_s)
        assert run_radar(*words, "--", "true", env=env).returncode == 0
        waiting = [(m, kind) for m, kind, _ in places()]
        assert max(Counter(waiting).values(), default=0) <= copies
    run_radar("run", "last", *filter(None, to), "--", "true", env=env)
    run_radar("outbox", "flush", env=env)
    assert places() == []
    got = Counter((ping.monitor, ping.kind, ping.query["id"]) for ping in server.accepted)
    assert len(got) == 26
    # An answer that came too late for the run is asked for again, with the ping's own id.
    for number in range(12):
        ids = {ping_id for monitor, _, ping_id in got if monitor == f"m{number}"}
        assert len(ids) == 2
    # Nothing went to the store, which is another place.
    stored = run_radar("status", "--json", env=environment(RADAR_CONFIG="/dev/null"), text=True)
    assert json.loads(stored.stdout)["data"] == []


@pytest.mark.parametrize("verbose", [(), ("--verbose",)])
def test_where_no_answer_comes_in_time_it_is_said_to_who_asks(
    verbose: tuple[str, ...], server: Server, env: dict[str, str]
) -> None:
    server.behave(answers.hang())
    words = ("run", "m", *verbose, "--ping-timeout", "0.5", "--", "true")
    done = run_radar(*words, env=env, text=True)
    line = "radar: m: the start and success pings are kept in the outbox: "
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == len(verbose)
    assert not verbose or done.stderr.startswith(line)
    assert kinds() == ["start", "success"]
