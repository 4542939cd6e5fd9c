"""A run of pytest in which what failed is tried once more, and named if it passes only then.

    python tests/support/second_try.py NAME PROGRAM [ARGUMENT]...

On a machine that others share, a real process may once be slower than any patience. What failed
is tried again when all others have ended, one test at a time. The output goes to
`.venv/pytest-NAME.log` as well (the second try's to `….again.log`), and lines for the end of the
whole run to the files `failed`, `flaky` and `ended` in `.venv/results`. The exit code is pytest's.
"""

import re
import signal
import subprocess
import sys
from pathlib import Path

_LOGS = Path(".venv")
_RESULTS = _LOGS / "results"
_TESTS_FAILED = 1
_AGAIN = ("-n", "0", "--last-failed", "--last-failed-no-failures", "none")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SHOWN_CHARACTERS = 200


def main(name: str, command: list[str]) -> int:
    """Run the command, once or twice, and return its exit code."""
    _RESULTS.mkdir(parents=True, exist_ok=True)
    log, again = _LOGS / f"pytest-{name}.log", _LOGS / f"pytest-{name}.again.log"
    again.unlink(missing_ok=True)
    colour = f"--color={'yes' if sys.stdout.isatty() else 'no'}"
    code = _run([*command, colour, "--cache-clear"], log)
    failures = _failures(log)
    if code == _TESTS_FAILED:
        print("\n== what failed, once more", flush=True)
        code = _run([*command, colour, *_AGAIN], again)
        if code == 0:
            _note("flaky", [f"{name}, only at the second try: {line}" for line in failures])
        else:
            failures = _failures(again) or failures
    if code != 0:
        _note("failed", [f"{name}: {line}" for line in failures])
    _note("ended", [f"{name}: {_lines(log)[-1]}"])
    return code


def _run(command: list[str], log: Path) -> int:
    """Run the command with its output on our stdout and in the log."""
    with (
        log.open("wb") as file,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process,
    ):
        # A terminal's ^C has reached pytest, too. It stops what its tests have started.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
        assert process.stdout is not None
        while chunk := process.stdout.read1():  # type: ignore[attr-defined]  # a BufferedReader
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            file.write(chunk)
    return process.returncode


def _lines(log: Path) -> list[str]:
    text = _COLOUR.sub("", log.read_text(errors="replace"))
    return [line for line in text.splitlines() if line.strip()] or ["no output"]


def _failures(log: Path) -> list[str]:
    """Return what pytest's summary (`-ra`) names, without what it says of it."""
    summary = [line for line in _lines(log) if line.startswith(("FAILED ", "ERROR "))]
    return [line.partition(" - ")[0][:_SHOWN_CHARACTERS] for line in summary]


def _note(kind: str, lines: list[str]) -> None:
    with (_RESULTS / kind).open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
