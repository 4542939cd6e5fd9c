"""A program of the person's own as a channel."""

import json

from radar_cli.config.channels import ChannelTable
from radar_cli.config.load import Config
from radar_cli.notify.excerpt import one_line
from radar_cli.notify.notice import Notice
from radar_cli.notify.program import run_program
from radar_cli.notify.words import data, subject


class CommandChannel:
    """Runs a program: the notice is JSON on its stdin, and the gist of it in variables."""

    def __init__(self, table: ChannelTable, config: Config) -> None:
        self.table = table
        self._environ = config.environ
        self._words = table.words(config)

    @property
    def place(self) -> str:
        """The program, without its arguments."""
        return self._words[0]

    def send(self, notice: Notice, *, timeout_s: float) -> None:
        """Run the program; only an exit code of 0 means that the notice arrived."""
        body = json.dumps(data(notice)).encode() + b"\n"
        run_program(self._words, body, {**self._environ, **variables(notice)}, timeout_s)


def variables(notice: Notice) -> dict[str, str]:
    """What the program finds in its environment."""
    values = {
        "KEY": notice.key,
        "KIND": notice.kind,
        "MONITOR": notice.monitor,
        "STATUS": notice.status,
        "REASON": notice.reason,
        "SUBJECT": subject(notice),
    }
    return {f"RADAR_NOTICE_{name}": one_line(value) for name, value in values.items()}
