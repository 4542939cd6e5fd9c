"""`radar notify`: the channels that tell people, and whether they do."""

import os
import sys
import time
from collections.abc import Sequence
from typing import Annotated, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.groups import Group
from radar_cli.cli.options import Session, common_options, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table, is_terminal, warn
from radar_cli.client.wire import iso
from radar_cli.core.errors import BadValueError, ConfigError, UsageError
from radar_cli.core.grammar import parse_duration
from radar_cli.core.ids import new_id
from radar_cli.core.shapes import ErrorFields, Moment, one_of
from radar_cli.core.zone import local_zone
from radar_cli.model.sentences import local_time
from radar_cli.notify.channel import Channel, ChannelError, Receipt
from radar_cli.notify.channels import find_channels
from radar_cli.notify.notice import rehearse
from radar_cli.settings.profiles import Config
from radar_cli.store.notices import Logged

_TIMEOUT_S = 30.0
_FATES = {"delivered": "green", "given up": "red"}
_NONE = "no channels yet: try 'radar config set notify.chat.webhook URL'"


class ChannelFields(TypedDict):
    """A channel of a config file; `fault` is why it can't work, for people."""

    channel: str
    kind: str | None
    to: str | None
    on: list[str]
    tags: list[str]
    fault: str | None
    file: str


class TestedFields(TypedDict):
    """A channel's test; `delivered` is null where nobody here can know."""

    channel: str
    kind: str | None
    delivered: bool | None
    answer: str | None
    remark: str | None
    error: ErrorFields | None


class NoticeFields(TypedDict):
    """A notice; `fate` is null while it is on its way."""

    id: str
    channel: str
    kind: str | None
    monitors: list[str]
    made_at: Moment | None
    settled_at: Moment | None
    next_try_at: Moment | None
    tries: int
    fate: Annotated[str, one_of(_FATES)] | None
    answer: str | None


class UnknownChannelError(ConfigError):
    """A channel that no config file has."""

    slug = "unknown-channel"


@click.group(cls=Group, name="notify")
@common_options
def command() -> None:
    """List the channels that tell people of what goes wrong, and test them.

    A channel is a [notify.NAME] table in a config file.
    """


@command.command(name="list")
@list_options
@answers(list[ChannelFields])
@pass_session
def list_channels(session: Session) -> Result:
    """Print every channel: where it leads, and what it hears of."""
    channels = load_channels(session.load_config())
    rows = [
        (
            channel.table.name,
            channel.table.kind,
            Cell(channel.place, "red" if channel.table.fault else ""),
            ", ".join(channel.table.on),
            ", ".join(channel.table.tags),
        )
        for channel in channels
    ]
    data: list[ChannelFields] = [
        {
            "channel": channel.table.name,
            "kind": channel.table.kind or None,
            "to": None if channel.table.fault else channel.place,
            "on": list(channel.table.on),
            "tags": list(channel.table.tags),
            "fault": channel.table.fault or None,
            "file": channel.table.file.path,
        }
        for channel in channels
    ]
    return Result(data, Table(("channel", "kind", "to", "on", "tags"), rows, _NONE))


@command.command(name="test")
@click.argument("names", metavar="[CHANNEL]...", nargs=-1)
@common_options
@answers(list[TestedFields])
@pass_session
def test_channels(session: Session, names: tuple[str, ...]) -> Result:
    """Send a test notice through every channel, or just those named.

    Exits with 0 if all took it, with 3 if one could not be reached, and with 2 if one can't work
    until you edit something.
    """
    config = session.load_config()
    chosen = _choose(load_channels(config), names)
    profile = config.resolve(session.profile, explicit=session.profile is not None)
    host = profile.host or os.uname().nodename
    now_us = time.time_ns() // 1000
    notice = rehearse(new_id(now_us), host, now_us, local_zone() or "UTC")
    results: list[Receipt | ChannelError] = []
    with click.progressbar(
        chosen, label="testing", file=sys.stderr, hidden=not is_terminal(sys.stderr)
    ) as progress:
        for channel in progress:
            try:
                results.append(channel.send(notice, timeout_s=_TIMEOUT_S))
            except ChannelError as error:
                results.append(error)
    rows, data = [], []
    for channel, result in zip(chosen, results, strict=True):
        place = "" if channel.table.fault else channel.place
        rows.append((channel.table.name, channel.table.kind, place, _show(result)))
        data.append(_describe(channel, result))
    return Result(
        data,
        Table(("channel", "kind", "to", "result"), rows),
        failure=_summarize(results),
    )


@command.command(name="log")
@click.option("--monitor", metavar="MONITOR", default="", help="Only notices of this one.")
@click.option("--channel", metavar="CHANNEL", default="", help="Only through this one.")
@click.option("--since", metavar="DURATION", default="7d", show_default=True, help="How far back.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1), default=50, show_default=True, help="How many."
)
@list_options
@answers(list[NoticeFields])
@pass_session
def list_notices(session: Session, monitor: str, channel: str, since: str, limit: int) -> Result:
    """Print what people were told, newest first: through which channel, and what it answered.

    It is about the store on this machine; a server's notices are in the store that it serves.
    """
    from radar_cli.cli.opening import open_monitors

    try:
        since_us = round(parse_duration(since) * 1e6)
    except BadValueError as error:
        raise error.as_usage_error("--since") from None
    with open_monitors(session) as opened:
        if opened.local is None:
            raise UsageError(
                f"{opened.store.place} keeps its own log", "run it where the server runs"
            )
        from_us = opened.now_us() - since_us
        found = opened.local.notices(limit, monitor=monitor, channel=channel, since_us=from_us)
    rows = [
        (
            local_time(each.created_us),
            each.channel,
            each.kind,
            _name(each),
            Cell(each.fate or "on its way", _FATES.get(each.fate, "yellow")),
            each.tries,
            each.answer,
        )
        for each in found
    ]
    data: list[NoticeFields] = [
        {
            "id": each.id,
            "channel": each.channel,
            "kind": each.kind or None,
            "monitors": list(each.monitors),
            "made_at": iso(each.created_us),
            "settled_at": iso(each.settled_us),
            "next_try_at": iso(each.next_try_us),
            "tries": each.tries,
            "fate": each.fate or None,
            "answer": each.answer or None,
        }
        for each in found
    ]
    columns = ("when", "channel", "kind", "monitors", "fate", "tries", "answer")
    return Result(data, Table(columns, rows, "nobody was told of anything"))


def _name(logged: Logged) -> str:
    first, more = "".join(logged.monitors[:1]), logged.count - 1
    return f"{first} and {more} more" if more > 0 else first


def load_channels(config: Config) -> list[Channel]:
    """Return the channels of both config files; warnings about them go to stderr."""
    known = len(config.problems)
    channels = find_channels(config)
    for line in config.warnings[known:]:
        warn(line)
    return channels


def _choose(channels: list[Channel], names: tuple[str, ...]) -> list[Channel]:
    """The channels with these names, in this order, or all. Raises UnknownChannelError."""
    if not channels:
        raise UnknownChannelError("no channels", "radar config set notify.chat.webhook URL")
    by_name = {channel.table.name: channel for channel in channels}
    for name in names:
        if name not in by_name:
            from radar_cli.settings.profiles import closest

            close = closest(name, by_name)
            hint = f"did you mean {close!r}?" if close else f"there is {', '.join(by_name)}"
            raise UnknownChannelError(f"no channel {name!r}", hint)
    return [by_name[name] for name in dict.fromkeys(names)] or channels


def _show(result: Receipt | ChannelError) -> Cell:
    if isinstance(result, ChannelError):
        return Cell(result.line(), "red")
    if result.remark:
        return Cell(f"{result.answer}; {result.remark}", "yellow")
    return Cell(result.answer, "green")


def _describe(channel: Channel, result: Receipt | ChannelError) -> TestedFields:
    said = result.describe() if isinstance(result, ChannelError) else None
    receipt = result if isinstance(result, Receipt) else None
    return {
        "channel": channel.table.name,
        "kind": channel.table.kind or None,
        # Of a mail nobody here knows whether it arrives.
        "delivered": None if receipt is not None and receipt.is_on_its_way else said is None,
        "answer": None if receipt is None else receipt.answer,
        "remark": None if receipt is None else receipt.remark or None,
        "error": said,
    }


def _summarize(results: Sequence[Receipt | ChannelError]) -> ChannelError | None:
    """One error for all that failed: what a person has to edit comes first."""
    failed = [result for result in results if isinstance(result, ChannelError)]
    if not failed:
        return None
    worst = min(failed, key=lambda error: error.exit_code)
    count = f"{len(failed)} of {len(results)} channels" if len(results) > 1 else "the channel"
    return type(worst)(f"{count} did not take the test notice")
