"""`radar monitors rename|unalias`."""

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.monitors.described import find_monitors
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Result
from radar_cli.client.wire import AliasFields, MonitorFields, describe_monitor, encode_alias
from radar_cli.core.errors import BadValueError
from radar_cli.core.ids import check_key
from radar_cli.model.port import UnknownMonitorError


class RenamedFields(MonitorFields):
    """A monitor with its old keys that still count for it."""

    aliases: list[AliasFields]


@click.command(name="rename")
@click.argument("key", metavar="MONITOR")
@click.argument("new", metavar="NEW-KEY")
@click.option("--no-alias", is_flag=True, help="Forget the old key: its pings are another's then.")
@common_options
@answers(RenamedFields)
@pass_session
def rename_monitor(session: Session, key: str, new: str, no_alias: bool) -> Result:
    """Give a monitor another key; its history, alerts, tokens and settings stay with it.

    The old key goes on counting for it, so that no crontab has to change at the same moment, until
    'radar monitors unalias' removes it.
    """
    try:
        check_key(new)
    except BadValueError as error:
        raise error.as_usage_error() from None
    with open_monitors(session) as opened:
        store, notes = opened.store, opened.notes
        find_monitors(store, [key])
        store.aliases.rename(key, new, opened.now_us(), keeps_alias=not no_alias)
        (known,) = find_monitors(store, [new])
        now_us = opened.now_us()
        aliases = store.aliases.of(new)
    lines = [f"{key} is called {new} now"]
    if not no_alias:
        lines.append(f"what still comes for {key} counts for it: 'radar monitors unalias {key}'")
    entry = describe_monitor(known, known.view_at(now_us), now_us)
    data: RenamedFields = {**entry, "aliases": [encode_alias(each) for each in aliases]}
    return Result(data, text="\n".join(lines), notes=tuple(notes))


@click.command(name="unalias")
@click.argument("key", metavar="OLD-KEY")
@common_options
@answers(AliasFields)
@pass_session
def unalias_monitor(session: Session, key: str) -> Result:
    """Remove an old key of a monitor: what still comes under it no longer counts for it."""
    with open_monitors(session) as opened:
        alias = opened.store.aliases.find(key)
        if alias is None or not opened.store.aliases.drop(key):
            raise UnknownMonitorError(f"no monitor was called {key[:60]!r}")
        notes = opened.notes
    text = f"{key} doesn't count for {alias.monitor} any more"
    return Result(encode_alias(alias), text=text, notes=tuple(notes))
