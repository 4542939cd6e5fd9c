"""The plain way is cheap: what a run with two pings over http may not import."""

import subprocess
import sys

import pytest

from tests.support.radar import environment, radar_path
from tests.support.server import Server

_HEAVY = (
    "_ssl",
    "asyncio",
    "binascii",
    "click",
    "contextlib",
    "dataclasses",
    "enum",
    "http",
    "httpx",
    "json",
    "logging",
    "re",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "tomllib",
    "typing",
    "urllib",
)
# Ours, for what goes wrong or is rare.
_RARE = {
    "radar_cli.core.errors",
    "radar_cli.core.redaction",
    "radar_cli.delivery.replay",
    "radar_cli.net.failures",
    "radar_cli.net.proxies",
    "radar_cli.net.racing",
    "radar_cli.net.redirects",
    "radar_cli.net.tls",
    "radar_cli.outbox.trim",
    "radar_cli.wrap.output",
}


# Without output to read: whether `true` has ended by the time radar looks is a matter of luck.
@pytest.mark.parametrize("command", [("run", "m", "--no-output", "--", "true"), ("ping", "m")])
def test_two_plain_pings_import_nothing_heavy(command: tuple[str, ...], server: Server) -> None:
    env = environment(measured=False, RADAR_SERVER=server.url, RADAR_API_KEY="k1")
    words = [sys.executable, "-X", "importtime", str(radar_path()), *command]
    done = subprocess.run(words, env=env, capture_output=True, check=True, timeout=60)
    imported = {line.rpartition(b"|")[2].strip().decode() for line in done.stderr.splitlines()}
    assert "radar_cli.net.client" in imported
    # What an environment's own start-up hooks import is not ours.
    bare = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", ""], env=env, capture_output=True, check=True
    )
    hooks = {line.rpartition(b"|")[2].strip().decode() for line in bare.stderr.splitlines()}
    rare = _RARE - ({"radar_cli.core.errors"} if command[0] == "ping" else set())
    assert (imported - hooks) & ({*_HEAVY} | rare) == set()
