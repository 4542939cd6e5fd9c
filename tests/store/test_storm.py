"""A storm: all monitors go down and up within a minute, and two servers tell of it."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from radar_cli.model.flip import Flip
from radar_cli.model.notice_timing import Window
from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord
from radar_cli.notify.channel import Receipt
from radar_cli.notify.notice import Notice
from radar_cli.service.composing import Composer, enqueue_news
from radar_cli.settings.channels import ChannelTable
from radar_cli.settings.files import ConfigFile
from radar_cli.store.notices import DELIVERED, Outgoing
from radar_cli.store.opening import open_database, open_embedded
from radar_cli.store.store import Store
from tests.store.arrivals import add
from tests.support.depth import depth
from tests.support.postgresql import Postgresql

_SECOND = 1_000_000
_BEGIN = 1_795_000_000 * _SECOND
_LEASE = 120 * _SECOND
_CHANNELS = ("well", "hangs", "fails")
_RECOVERS_S = 150
_MOST_NOTICES = 10


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sequence[Store]]:
    """Two stores on one database, as two servers have them."""
    if request.param == "postgresql":
        server: Postgresql = request.getfixturevalue("postgresql")
        url = server.url()
        opened = [open_database(url), open_database(url)]
    else:
        folder = str(tmp_path_factory.mktemp("shared"))
        opened = [open_embedded(folder), open_embedded(folder)]
    with opened[0], opened[1]:
        yield opened


def _to_all(_known: MonitorRecord, flip: Flip) -> list[tuple[str, str]]:
    kind = "down" if flip.status == "down" else "up"
    return [(name, json.dumps({"kind": kind, "previous": flip.previous})) for name in _CHANNELS]


class People:
    """Whoever reads what arrives: what each channel has told, by each notice's key."""

    def __init__(self, channels: Sequence[str] = _CHANNELS) -> None:
        self.notices: dict[str, set[str]] = {name: set() for name in channels}
        self.told: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in channels}

    def hear(self, outgoing: Outgoing) -> None:
        assert outgoing.id not in self.notices[outgoing.channel]
        self.notices[outgoing.channel].add(outgoing.id)
        self.told[outgoing.channel].update((each.monitor, each.kind) for each in outgoing.alerts)


@pytest.mark.nightly
def test_everything_is_told_once_in_few_notices(stores: Sequence[Store]) -> None:
    count = depth(200, 1000)
    keys = [f"m{number}" for number in range(count)]
    people = People()
    for second in range(400):
        now_us = _BEGIN + second * _SECOND
        for kind, begin_s in (("fail", 0), ("success", 30)):
            if begin_s <= second < begin_s + 30:
                some = keys[(second - begin_s) * count // 30 : (second - begin_s + 1) * count // 30]
                add(stores[0], [Ping(kind, key, time_us=now_us) for key in some])
        for store in stores:
            store.alerts.enqueue_flips(now_us, _to_all, calms_flaps=True)
            for channel in _CHANNELS:
                _try(store, channel, second, people)
    for channel in _CHANNELS:
        assert people.told[channel] == Counter((k, kind) for k in keys for kind in ("down", "up"))
        assert 2 <= len(people.notices[channel]) <= _MOST_NOTICES
    assert stores[0].alerts.waiting() == []


def _try(store: Store, channel: str, second: int, people: People, begin_us: int = _BEGIN) -> None:
    """What a server's thread for the channel does at each tick."""
    now_us = begin_us + second * _SECOND
    outgoing = store.notices.claim(now_us, _LEASE, channel, waits=True)
    if outgoing is None:
        return
    if channel == "hangs" and second < _RECOVERS_S:
        return  # nobody hears of this try any more
    if channel == "fails" and second < _RECOVERS_S:
        store.notices.postpone(outgoing, now_us + 30 * _SECOND, "refused", now_us)
        return
    people.hear(outgoing)
    store.notices.settle(outgoing, DELIVERED, "200", now_us)


_QUIET_S, _AFTER_S, _WINDOW_S = 240, 90, 200
_RULES: dict[str, dict[str, Any]] = {
    **{name: {} for name in _CHANNELS},
    "quiet": {"tz": "UTC"},
    "boss": {"after": _AFTER_S},
}
_FILE = ConfigFile("storm", "", {}, 0, 0o600)


class _Mute:
    """A channel of which only the rules are needed."""

    place = "nowhere"

    def __init__(self, table: ChannelTable) -> None:
        self.table = table

    def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        raise NotImplementedError


def _open_channels(begin_us: int) -> list[_Mute]:
    """The channels; `quiet` is so for the first minutes."""
    first, last = (datetime.fromtimestamp(begin_us / 1e6 + s, UTC) for s in (0, _QUIET_S))
    quiet = [f"{first:%H:%M}-{last:%H:%M}"]
    tables = {
        name: {**rules, "quiet": quiet} if "tz" in rules else rules
        for name, rules in _RULES.items()
    }
    return [_Mute(ChannelTable(name, _FILE, "webhook", each)) for name, each in tables.items()]


@pytest.mark.nightly
def test_rules_and_a_window_lose_nothing_and_tell_nothing_twice(stores: Sequence[Store]) -> None:
    """Two servers, channels that hang, fail, are quiet or hear later, and a maintenance window.

    Most monitors come up again within a minute, some stay down for long; of some of either kind
    nobody is told for a while.
    """
    count = depth(60, 1000)
    begin_us = _BEGIN // (60 * _SECOND) * 60 * _SECOND
    keys = [
        f"{'w' if n % 5 == 0 else 'm'}-{'long' if n % 4 == 0 else 'short'}-{n}"
        for n in range(count)
    ]
    stores[0].windows.add(
        Window("w", "upgrade", "w-*", "", begin_us, begin_us + _WINDOW_S * _SECOND)
    )
    channels = _open_channels(begin_us)
    composers = [Composer(store, channels, "here") for store in stores]
    people = People(tuple(_RULES))
    for second in range(0, 700, 2):
        now_us = begin_us + second * _SECOND
        add_all = [
            *_due(keys, "fail", second, 0),
            *_due([key for key in keys if "short" in key], "success", second, 30),
            *_due([key for key in keys if "long" in key], "success", second, 450),
        ]
        for kind, some in add_all:
            add(stores[0], [Ping(kind, key, time_us=now_us) for key in some])
        for store, compose in zip(stores, composers, strict=True):
            store.monitors.judge(now_us)
            enqueue_news(store, compose, now_us)
            for channel in channels:
                quiet = channel.table.quiet
                if quiet is None or not quiet.is_quiet(now_us):
                    _try(store, channel.table.name, second, people, begin_us)
    m_short, m_long, w_long = (
        [key for key in keys if key.startswith(start)] for start in ("m-short", "m-long", "w-long")
    )
    for name in _CHANNELS:
        assert people.told[name] == _both([*m_short, *m_long, *w_long])
    for name in ("quiet", "boss"):
        assert people.told[name] == _both([*m_long, *w_long])
    assert all(2 <= len(notices) <= _MOST_NOTICES for notices in people.notices.values())
    assert stores[0].alerts.waiting() == []


def _due(keys: Sequence[str], kind: str, second: int, begin_s: int) -> list[tuple[str, list[str]]]:
    """The pings of two seconds, of monitors that all have theirs within half a minute."""
    if not begin_s <= second < begin_s + 30:
        return []
    first, last = ((second - begin_s + s) * len(keys) // 30 for s in (0, 2))
    return [(kind, [*keys[first:last]])] if last > first else []


def _both(keys: Sequence[str]) -> Counter[tuple[str, str]]:
    return Counter((key, kind) for key in keys for kind in ("down", "up"))
