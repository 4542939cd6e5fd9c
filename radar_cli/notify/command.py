"""A program of the person's own as a channel."""

import json

from radar_cli.config.channels import ChannelTable
from radar_cli.config.load import Config
from radar_cli.notify.channel import Receipt
from radar_cli.notify.excerpt import one_line
from radar_cli.notify.notice import Notice
from radar_cli.notify.program import run_program
from radar_cli.notify.wording import Wording, word
from radar_cli.notify.words import data


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
        words = word(notice, self.table, self._config)
        said = {**data(notice), "subject": words.subject, "text": words.text}
        environ = {**self._config.environ, **variables(notice, words)}
        run_program(self._words, json.dumps(said).encode() + b"\n", environ, timeout_s)
        return Receipt(f"{self.place} exited with 0", words.remark)


def variables(notice: Notice, words: Wording) -> dict[str, str]:
    """What the program finds in its environment."""
    values = {
        "KEY": notice.key,
        "KIND": notice.kind,
        "MONITOR": notice.monitor,
        "STATUS": notice.status,
        "REASON": notice.reason,
        "SUBJECT": words.subject,
    }
    return {f"RADAR_NOTICE_{name}": one_line(value) for name, value in values.items()}
