"""Waiting for what has to happen, instead of sleeping for as long as it might take."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    predicate: Callable[[], T], timeout_s: float = 10, what: str = "", every_s: float = 0.01
) -> T:
    """Call `predicate` until its answer is true, and return that answer."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > deadline:
            name = what or getattr(predicate, "__name__", "it")
            raise AssertionError(f"{name} did not happen in {timeout_s} s (last: {answer!r})")
        time.sleep(every_s)


def wait_for_file(path: Path, timeout_s: float = 10, lines: int = 1) -> bytes:
    """The content of a file, once it has that many whole lines."""

    def content() -> bytes:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return b""
        return data if data.count(b"\n") >= lines else b""

    return wait_until(content, timeout_s, f"{lines} line(s) in {path}")
