"""What every program that reads `radar --json` may rely on."""

import json
import subprocess
from typing import Any


def read_envelope(
    done: "subprocess.CompletedProcess[str]", codes: tuple[int, ...] = (0, 1)
) -> dict[str, Any]:
    """Return the one envelope on stdout, checked against the contract of version 2.

    `codes` are what the command may exit with when it has a result.
    """
    assert done.stdout.isascii()
    (line,) = done.stdout.splitlines()
    envelope = json.loads(line)
    assert isinstance(envelope, dict)
    assert list(envelope) == ["version", "command", "ok", "exit_code", "error", "data"]
    assert envelope["version"] == 2
    assert isinstance(envelope["command"], str)
    assert envelope["exit_code"] == done.returncode
    assert envelope["ok"] is (done.returncode == 0)
    if envelope["error"] is None:
        assert done.returncode in codes
    else:
        assert list(envelope["error"]) == ["slug", "message", "hint"]
        assert all(isinstance(part, str) for part in envelope["error"].values())
        assert envelope["error"]["slug"] == envelope["error"]["slug"].lower().replace("_", "-")
        assert done.returncode
    return envelope
