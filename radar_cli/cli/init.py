"""`radar init`: four questions, and this machine is watched."""

from typing import Any, TypedDict

import click

from radar_cli.cli import login
from radar_cli.cli.answers import answers
from radar_cli.cli.crontab import wrap_jobs
from radar_cli.cli.notify_add import (
    add_channel,
    ask_settings,
    can_ask,
    has_arrived,
    missing,
    try_channel,
)
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Result, complain
from radar_cli.core import exits
from radar_cli.core.errors import RadarError, UsageError
from radar_cli.notify.channel import ChannelError
from radar_cli.notify.channels import find_channels


class SetUpFields(TypedDict):
    """The place of the monitors (null: here), the wrapped cron jobs, and the channel."""

    server: str | None
    wrapped: list[str]
    channel: str | None


@click.command(name="init")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--key", metavar="-", help="Read the key of --server from stdin, and don't ask.")
@click.option("--here", "is_here", is_flag=True, help="Keep monitors here, with no server.")
@click.option(
    "--wrap/--no-wrap", default=None, help="Put radar in front of the cron jobs, or don't."
)
@click.option("--link", "link_file", metavar="FILE", help="Start radar by this link.")
@click.option("--packaged", is_flag=True, help="Also of crontabs that belong to packages.")
@click.option("--email", metavar="ADDRESS", help="Tell you by mail.")
@click.option("--webhook", metavar="URL", help="Tell you by a webhook.")
@click.option("--no-notify", "is_silent", is_flag=True, help="Add no channel.")
@click.option("--no-test", "is_untested", is_flag=True, help="Send no test notice.")
@click.option("--yes", is_flag=True, help="Ask nothing: what no option sets is left as it is.")
@common_options
@answers(SetUpFields)
@pass_session
def command(
    session: Session,
    files: tuple[str, ...],
    key: str | None,
    is_here: bool,
    wrap: bool | None,
    link_file: str | None,
    packaged: bool,
    email: str | None,
    webhook: str | None,
    is_silent: bool,
    is_untested: bool,
    yes: bool,
) -> Result:
    """Set radar up on this machine: where is the server, what to watch, how to tell you.

    Asks at a terminal, and sends a test notice. Each question has an option, so that a script
    answers all of them. What is done already is left as it is: it can be run again at any time.
    The cron jobs are those of all crontabs that you may write, or of FILEs.
    """
    asks = not yes and can_ask()
    if not (asks or yes or wrap is not None or email or webhook or is_here or session.server):
        raise UsageError("nobody can be asked", "the options answer the questions, or --yes")
    setup = _Setup(session, asks=asks)
    setup.find_server(key, is_here=is_here)
    setup.wrap(wrap, is_sure=yes, files=files, link_file=link_file, packaged=packaged)
    if setup.has_server:
        setup.note("the server sends the notices: its own config has the channels")
    elif not is_silent:
        setup.add_channel(email, webhook, is_sure=yes, is_untested=is_untested)
    return setup.finish()


class _Setup:
    """The steps, each of which is whole or not there, and what became of them."""

    def __init__(self, session: Session, *, asks: bool) -> None:
        self._session = session
        self._asks = asks
        self._lines: list[str] = []
        self._code = exits.OK
        self._failure: RadarError | None = None
        self.data: SetUpFields = {"server": None, "wrapped": [], "channel": None}

    @property
    def has_server(self) -> bool:
        """Whether pings go to a server."""
        return bool(self._session.load_profile().server)

    def note(self, line: str) -> None:
        """Say what was done."""
        self._lines.append(line)

    def find_server(self, key: str | None, *, is_here: bool) -> None:
        """Find where the monitors are: on this machine, or on a server."""
        url = self._session.server or ""
        configured = self._session.load_config().resolve(
            self._session.profile, explicit=self._session.profile is not None
        )
        if self._asks and not (url or is_here or configured.server):
            url = str(
                click.prompt(
                    "URL of the server (empty: this machine)",
                    default="",
                    err=True,
                    show_default=False,
                )
            ).strip()
        if url and url.rstrip("/") != configured.server.rstrip("/"):
            result = click.get_current_context().invoke(login.command, url=url, source=key)
            self.note(result.text)
        server = url or configured.server
        self.data["server"] = None if is_here else server or None
        if not self.data["server"]:
            self.note("monitors are kept on this machine")

    def wrap(self, wanted: bool | None, *, is_sure: bool, **options: Any) -> None:
        """Put radar in front of cron jobs; the diff is shown, and asked about, by that command."""
        if wanted is False or (wanted is None and not (self._asks or is_sure)):
            return
        invoke = click.get_current_context().invoke
        try:
            is_sure |= bool(wanted and not self._asks)
            result = invoke(wrap_jobs, yes=is_sure, **options)
        except click.Abort:
            self.note("no cron job was changed ('radar crontab wrap' does it)")
            return
        for line in result.notes:
            complain(line)
        jobs = [job for crontab in result.data["crontabs"] for job in crontab["jobs"]]
        self.data["wrapped"] = [job["monitor"] for job in jobs]
        self._code = self._code or result.exit_code
        self.note(result.text)

    def add_channel(
        self, email: str | None, webhook: str | None, *, is_sure: bool, is_untested: bool
    ) -> None:
        """Tell people by a channel, and ask whether the test notice came."""
        if email and webhook:
            raise UsageError("one channel: --email or --webhook", "'radar notify add' adds another")
        if email or webhook:
            name = "mail" if email else "chat"
            settings: dict[str, tuple[str, ...]] = (
                {"email": (email,)} if email else {"webhook": (webhook or "",)}
            )
        elif found := find_channels(self._session.load_config()):
            names = ", ".join(channel.table.name for channel in found)
            self.note(f"notices go out through {names} ('radar notify test' tries it)")
            return
        elif self._asks:
            name, settings = ask_settings()
        else:
            self.note("no channel is set up, so no notices are sent: 'radar notify add' adds one")
            return
        added = add_channel(self._session, name, settings, is_sure=is_sure or not self._asks)
        self.data["channel"] = name
        self.note(f"channel {name} is in {added.path}" + ("" if added.is_new else " already"))
        if is_untested or not added.is_new:
            return
        try:
            self.note(f"the test notice: {try_channel(self._session, added.channel)}")
        except ChannelError as error:
            self._failure = error
            return
        if self._asks and not has_arrived():
            self.note(missing(name))
            self._code = exits.BAD

    def finish(self) -> Result:
        """All that was done, and what to do next."""
        self.note("next: 'radar status' shows what is watched, 'radar doctor' what is wrong")
        text = "\n".join(line for line in self._lines if line)
        return Result(self.data, text=text, exit_code=self._code, failure=self._failure)
