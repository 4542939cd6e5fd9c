"""`radar notify`: the channels that tell people, and whether they do."""

import os
import sys
import time
from collections.abc import Sequence
from typing import Any, TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.groups import Group
from radar_cli.cli.notify_add import command as add_channel
from radar_cli.cli.options import Session, common_options, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table, is_terminal, warn
from radar_cli.client.wire import NoticeFields, encode_notice, iso
from radar_cli.core.errors import BadValueError, ConfigError
from radar_cli.core.grammar import parse_duration
from radar_cli.core.ids import new_id
from radar_cli.core.shapes import ErrorFields, Moment, Seconds
from radar_cli.core.zone import local_zone
from radar_cli.model.notice_log import Logged
from radar_cli.model.sentences import local_time
from radar_cli.notify.channel import Channel, ChannelError, Receipt
from radar_cli.notify.channels import find_channels
from radar_cli.notify.notice import rehearse
from radar_cli.settings.profiles import Config

_TIMEOUT_S = 30.0
COLUMNS = ("when", "channel", "kind", "monitors", "fate", "tries", "answer")
_FATES = {"delivered": "green", "given up": "red"}
_NONE = "no channels yet: 'radar notify add' makes one"


class ChannelFields(TypedDict):
    """A channel of a config file; `fault` is why it can't work, for people."""

    channel: str
    kind: str | None
    to: str | None
    on: list[str]
    tags: list[str]
    monitors: list[str]
    after_s: Seconds | None
    quiet: list[str]
    quiet_tz: str | None
    quiet_until: Moment | None
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


class UnknownChannelError(ConfigError):
    """A channel that no config file has."""

    slug = "unknown-channel"


@click.group(cls=Group, name="notify")
@common_options
def command() -> None:
    """List the channels that tell people of what goes wrong, and test them.

    A channel is a [notify.NAME] table in a config file.
    """


command.add_command(add_channel)


@command.command(name="list")
@list_options
@answers(list[ChannelFields])
@pass_session
def list_channels(session: Session) -> Result:
    """Print every channel: where it leads, what it hears of, and what it leaves out or holds back.

    Of monitors that no channel is for 'radar status' and 'radar doctor' say so.
    """
    channels = load_channels(session.load_config())
    rows = [
        (
            channel.table.name,
            channel.table.kind,
            Cell(channel.place, "red" if channel.table.fault else ""),
            ", ".join(channel.table.on),
            _rules(channel),
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
            "monitors": list(channel.table.monitors),
            "after_s": channel.table.after_s or None,
            "quiet": list(channel.table.values.get("quiet", ())),
            "quiet_tz": None if channel.table.quiet is None else channel.table.quiet.tz,
            "quiet_until": iso(_quiet_until(channel)),
            "fault": channel.table.fault or None,
            "file": channel.table.file.path,
        }
        for channel in channels
    ]
    return Result(data, Table(("channel", "kind", "to", "on", "rules"), rows, _NONE))


@command.command(name="test")
@click.argument("names", metavar="[CHANNEL]...", nargs=-1)
@common_options
@answers(list[TestedFields])
@pass_session
def test_channels(session: Session, names: tuple[str, ...]) -> Result:
    """Send a test notice through every channel, or just those named.

    It goes out in quiet hours, too. Exits with 0 if all took it, with 3 if one could not be
    reached, and with 2 if one can't work until you edit something.
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
        events = ", ".join(channel.table.on)
        rules = f"{events}; {_rules(channel)}".removesuffix("; ")
        rows.append((channel.table.name, channel.table.kind, place, rules, _show(result)))
        data.append(_describe(channel, result))
    return Result(
        data,
        Table(("channel", "kind", "to", "hears of", "result"), rows),
        failure=_summarize(results),
    )


@command.command(name="log")
@click.option(
    "--monitor", "keys", metavar="MONITOR", multiple=True, help="Only of this one, or like 'db-*'."
)
@click.option("--tag", "tags", metavar="NAME", multiple=True, help="Only of monitors so tagged.")
@click.option("--channel", metavar="CHANNEL", default="", help="Only through this one.")
@click.option("--since", metavar="DURATION", default="7d", show_default=True, help="How far back.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1), default=50, show_default=True, help="How many."
)
@list_options
@answers(list[NoticeFields])
@pass_session
def list_notices(
    session: Session,
    keys: tuple[str, ...],
    tags: tuple[str, ...],
    channel: str,
    since: str,
    limit: int,
) -> Result:
    """Print what people were told, newest first: through which channel, and what it answered."""
    from radar_cli.cli.choosing import Choice, choose
    from radar_cli.cli.opening import open_monitors

    choice = Choice(keys, tags)
    try:
        since_us = round(parse_duration(since) * 1e6)
    except BadValueError as error:
        raise error.as_usage_error("--since") from None
    with open_monitors(session) as opened:
        from_us = opened.now_us() - since_us
        chosen: Sequence[str] = [""]
        if choice.is_by_name:
            # There may be notices still of one that is gone itself.
            chosen = keys
        elif not choice.is_everything:
            chosen = [known.key for known in choose(opened.store, choice)]
        notices = opened.store.notices
        each_found = [
            notices.newest(limit, monitor=key, channel=channel, since_us=from_us) for key in chosen
        ]
    by_id = {each.id: each for found in each_found for each in found}
    found = sorted(by_id.values(), key=lambda each: (each.created_us, each.id), reverse=True)[
        :limit
    ]
    rows = [make_row(each) for each in found]
    data = [encode_notice(each) for each in found]
    return Result(data, Table(COLUMNS, rows, "no notices"))


def make_row(logged: Logged) -> tuple[Any, ...]:
    """Return a notice as the table has it."""
    return (
        local_time(logged.created_us),
        logged.channel,
        logged.kind,
        _name(logged),
        Cell(logged.fate or "on its way", _FATES.get(logged.fate, "yellow")),
        logged.tries,
        logged.answer,
    )


def _name(logged: Logged) -> str:
    first, more = "".join(logged.monitors[:1]), logged.count - 1
    return f"{first} and {more} more" if more > 0 else first


def _quiet_until(channel: Channel) -> int | None:
    quiet = channel.table.quiet
    return None if quiet is None else quiet.end_us(time.time_ns() // 1000)


def _rules(channel: Channel) -> str:
    """Describe what a channel leaves out or holds back, and whether it is quiet now."""
    rules = channel.table.describe_rules()
    if (until_us := _quiet_until(channel)) is not None:
        rules.append(f"now until {local_time(until_us)}")
    return ", ".join(rules)


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
        raise UnknownChannelError("no channels", "'radar notify add' makes one")
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
    error = result.describe() if isinstance(result, ChannelError) else None
    receipt = result if isinstance(result, Receipt) else None
    return {
        "channel": channel.table.name,
        "kind": channel.table.kind or None,
        # Of a mail nobody here knows whether it arrives.
        "delivered": None if receipt is not None and receipt.is_on_its_way else error is None,
        "answer": None if receipt is None else receipt.answer,
        "remark": None if receipt is None else receipt.remark or None,
        "error": error,
    }


def _summarize(results: Sequence[Receipt | ChannelError]) -> ChannelError | None:
    """One error for all that failed: what a person has to edit comes first."""
    failed = [result for result in results if isinstance(result, ChannelError)]
    if not failed:
        return None
    worst = min(failed, key=lambda error: error.exit_code)
    count = f"{len(failed)} of {len(results)} channels" if len(results) > 1 else "the channel"
    return type(worst)(f"{count} did not take the test notice")
