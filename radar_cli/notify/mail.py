"""Mail as a channel: by an SMTP server, or by this machine's sendmail."""

from radar_cli.config.channel_settings import CHANNEL_SETTINGS, split_smtp
from radar_cli.config.channels import ChannelTable
from radar_cli.config.load import Config
from radar_cli.config.secrets import SecretError
from radar_cli.notify.channel import Receipt, UnusableChannelError
from radar_cli.notify.letter import write_letter
from radar_cli.notify.notice import Notice
from radar_cli.notify.program import run_program
from radar_cli.notify.wording import Wording, word


class EmailChannel:
    """Writes a mail to one or more addresses."""

    def __init__(self, table: ChannelTable, config: Config) -> None:
        self.table = table
        self._config = config
        self._receivers: list[str] = table.values["email"]

    @property
    def place(self) -> str:
        """The addresses."""
        return ", ".join(self._receivers)

    def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """Hand the mail over; that it was taken is all that can be known."""
        words = word(notice, self.table, self._config)
        send = self._send_by_smtp if "smtp" in self.table.values else self._send_by_sendmail
        return Receipt(send(notice, words, timeout_s), words.remark, is_on_its_way=True)

    def _send_by_smtp(self, notice: Notice, words: Wording, timeout_s: float) -> str:
        from radar_cli.notify.smtp import Conversation

        url = self.table.values["smtp"]
        sender = self.table.values.get("from") or split_smtp(url)[1]
        try:
            password = self.table.secret("password", self._config)
        except SecretError as error:
            raise UnusableChannelError(error.message, error.hint) from None
        ca_file = self.table.path("ca_file", self._config)
        conversation = Conversation(url, password, ca_file, self._config.environ, timeout_s)
        letter = write_letter(notice, words, sender, self._receivers)
        return conversation.hand_over(letter, sender, self._receivers)

    def _send_by_sendmail(self, notice: Notice, words: Wording, timeout_s: float) -> str:
        default = CHANNEL_SETTINGS["sendmail"].default
        program = self.table.path("sendmail", self._config) or default
        letter = write_letter(notice, words, self.table.values.get("from", ""), self._receivers)
        # Lines end as in a file: CR LF is for the wire.
        body = letter.as_bytes(policy=letter.policy.clone(linesep="\n"))
        # -i: a line with a single dot is no end. -t: the receivers stand in the mail.
        run_program([program, "-i", "-t"], body, self._config.environ, timeout_s)
        # Whether anybody gets it shows later, and to others: a bounce goes to the sender.
        return f"handed to {program}, which doesn't say whether it arrives"
