"""A program of the person's own as a channel."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from radar_cli.core.text import lines
from radar_cli.notify.channel import ChannelError, Receipt, UnusableChannelError
from radar_cli.notify.excerpt import one_line
from radar_cli.notify.notice import Notice
from radar_cli.notify.wording import Wording, compose_text
from radar_cli.notify.words import data
from radar_cli.settings.channels import ChannelTable
from radar_cli.settings.profiles import Config


class CommandChannel:
    """Runs a program: the notice is JSON on its stdin, and the gist of it in variables."""

    def __init__(self, table: ChannelTable, config: Config) -> None:
        self.table = table
        self._config = config
        self._words = table.words(config)

    @property
    def place(self) -> str:
        """The program, without its arguments."""
        return self._words[0]

    def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """Run the program; only an exit code of 0 means that the notice arrived."""
        words = compose_text(notice, self.table, self._config)
        event = {**data(notice), "subject": words.subject, "text": words.text}
        environ = {**self._config.environ, **variables(notice, words)}
        run_program(self._words, json.dumps(event).encode() + b"\n", environ, timeout_s)
        return Receipt(f"{self.place} exited with 0", words.remark)


def variables(notice: Notice, words: Wording) -> dict[str, str]:
    """Return the variables that the program finds in its environment."""
    values = {
        "KEY": notice.key,
        "KIND": notice.kind,
        "MONITOR": notice.monitor,
        "STATUS": notice.status,
        "REASON": notice.reason,
        "SUBJECT": words.subject,
    }
    return {f"RADAR_NOTICE_{name}": one_line(value) for name, value in values.items()}


_TAIL_BYTES = 4096
# A daemon that the program left behind may keep its stderr open for ever.
_STRAGGLER_S = 0.5


def run_program(
    words: Sequence[str], data: bytes, environ: Mapping[str, str], timeout_s: float
) -> None:
    """Run a program without a shell until it exits with 0. Raises ChannelError if it doesn't.

    When its time is up, its whole process group is killed. What it prints is thrown away, but for
    the last line of its stderr, which is in the error.
    """
    deadline = time.monotonic() + timeout_s
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=dict(environ),
            start_new_session=True,  # no terminal to wait for a password at
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnusableChannelError(f"{words[0]}: {reason}") from None
    talk = _Talk(process, data)
    try:
        talk.start()
        code = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise ChannelError(f"{words[0]} took longer than {timeout_s:g} s") from None
    except RuntimeError as error:  # no more threads for this user
        raise ChannelError(f"{words[0]}: {error}") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output = talk.finish()
    if code:
        how = f"failed with {code}" if code > 0 else f"was killed by signal {-code}"
        raise ChannelError(f"{words[0]} {how}" + (output and f": {output}"))


class _Talk:
    """The two pipes of a program, each with a thread: neither may hold up the other."""

    def __init__(self, process: "subprocess.Popen[bytes]", data: bytes) -> None:
        self._process = process
        self._data = data
        self._tail = b""
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._feed, self._listen)
        ]

    def start(self) -> None:
        """Begin. RuntimeError: no thread can be had."""
        for thread in self._threads:
            thread.start()

    def finish(self) -> str:
        """The last line of the program's stderr, once it has ended."""
        deadline = time.monotonic() + _STRAGGLER_S
        for thread in self._threads:
            if thread.ident is not None:  # it was started
                thread.join(max(0.0, deadline - time.monotonic()))
        output = lines(self._tail.decode("utf-8", "replace"))
        return next((words for line in reversed(output) if (words := one_line(line, 200))), "")

    def _feed(self) -> None:
        stdin = self._process.stdin
        if stdin is not None:
            # It need not read what it doesn't want.
            with suppress(OSError), stdin:
                stdin.write(self._data)

    def _listen(self) -> None:
        stderr = self._process.stderr
        if stderr is not None:
            with stderr:
                while chunk := os.read(stderr.fileno(), 65536):
                    self._tail = (self._tail + chunk)[-_TAIL_BYTES:]
