"""borgmatic's hook for Healthchecks, as it is on PyPI, as a client. Its `borg` is a stub."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.conftest import DATABASES
from tests.support.depth import depth
from tests.support.radar_server import RadarServer

_BORG = """#!/bin/sh
case "$*" in
*--version*) echo "borg 1.4.0" ;;
*create*) echo "of borg's own"; exit "${STUB_EXITS}" ;;
esac
"""
_CONFIG = """
source_directories: [{folder}/files]
repositories: [{{path: {folder}/repository}}]
local_path: {folder}/borg
user_state_directory: {folder}/state
user_runtime_directory: {folder}/runtime
healthchecks:
  ping_url: {url}/ping/{key}/backup
  create_slug: true
"""
# The installers' settings on this machine, such as a proxy or certificates.
_MACHINES = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE", "PYTHON"))}


@pytest.fixture(scope="module")
def borgmatic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed where it disturbs nobody."""
    venv = tmp_path_factory.mktemp("borgmatic")
    subprocess.run([sys.executable, "-m", "venv", str(venv)], env=_MACHINES, check=True)
    install = [str(venv / "bin/pip"), "install", "-qq", "borgmatic"]
    subprocess.run(install, env=_MACHINES, check=True, timeout=600)
    return venv / "bin/borgmatic"


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("database", DATABASES if depth(0, 1) else [], indirect=True)
def test_a_backup_by_borgmatic_is_a_run(borgmatic: Path, api: RadarServer, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "borg").write_text(_BORG)
    (tmp_path / "borg").chmod(0o755)
    config = tmp_path / "borgmatic.yaml"
    config.write_text(_CONFIG.format(folder=tmp_path, url=api.url, key=api.key))

    def back_up(exits: int) -> tuple[int, str, list[str]]:
        env = _MACHINES | {"HOME": str(tmp_path), "STUB_EXITS": str(exits)}
        words = [str(borgmatic), "--config", str(config), "--verbosity", "1", "create"]
        done = subprocess.run(words, env=env, capture_output=True, timeout=120, check=False)
        with api.store() as store:
            known = store.monitors.find("backup")
            assert known is not None, done.stderr
            # As Healthchecks makes it: a day, and an hour of grace.
            assert (known.monitor.every_s, known.monitor.grace_s) == (86_400, 3600)
            assert not known.view.is_running
            return (
                done.returncode,
                str(known.view.status),
                [ping.kind for ping in store.pings.newest("backup", 9)],
            )

    assert back_up(0) == (0, "up", ["start", "log", "success"])
    assert back_up(2) == (1, "down", ["start", "log", "success", "start", "log", "fail"])
    assert back_up(0)[1] == "up"
