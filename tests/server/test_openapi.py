"""What the API says of itself is true: schemathesis asks it everything, within bounds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.depth import depth
from tests.support.radar import environment
from tests.support.radar_server import RadarServer

# Each case at the bounds of the schema takes most of the time.
_PHASES = "examples,coverage,fuzzing" if depth(0, 1) else "examples,fuzzing"
_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance"
    ",response_schema_conformance,ignored_auth"
)


@pytest.mark.nightly
@pytest.mark.slow
def test_no_request_of_any_shape_finds_what_isnt_documented(
    server: RadarServer, tmp_path: Path
) -> None:
    server.ping("alpha", create="1", schedule="@daily")
    program = Path(sys.executable).parent / "schemathesis"
    words = [
        *("run", f"{server.url}/openapi.json", "--header", f"Authorization: Bearer {server.key}"),
        *(
            "--checks",
            _CHECKS,
            "--max-examples",
            str(depth(6, 60)),
            "--phases",
            "examples,coverage,fuzzing",
        ),
        *("--seed", os.environ.get("RADAR_TEST_SEED", "1"), "--no-color", "--workers", "1"),
        *("--exclude-path-regex", "^/login"),
    ]
    done = subprocess.run(
        [program, *words],
        env=environment(measured=False),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert server.is_healthy()
    assert "Traceback" not in server.said()
