"""Calling `radar config`, and writing the files that it reads."""

from pathlib import Path

from tests.support.radar import environment, run_radar

KEY = "ck_app_0123456789abcdef3f"


def config(*words: str, stdin: bytes = b"", **variables: str) -> tuple[int, str, str]:
    """Run `radar config WORDS`; return the exit code, stdout and stderr."""
    env = environment() | variables
    done = run_radar("config", *words, stdin=stdin, env=env, text=True)
    return done.returncode, done.stdout, done.stderr


def write(path: Path, text: str) -> None:
    """Write a config file that only its owner can read."""
    path.write_text(text)
    path.chmod(0o600)
