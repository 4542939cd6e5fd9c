"""A storm: all monitors go down and up within a minute, and two servers tell of it."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from radar_cli.model.flip import Flip
from radar_cli.model.ping import Ping
from radar_cli.model.record import MonitorRecord
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

    def __init__(self) -> None:
        self.notices: dict[str, set[str]] = {name: set() for name in _CHANNELS}
        self.told: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in _CHANNELS}

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
            store.enqueue_alerts(now_us, _to_all, calms_flaps=True)
            for channel in _CHANNELS:
                _try(store, channel, second, people)
    for channel in _CHANNELS:
        assert people.told[channel] == Counter((k, kind) for k in keys for kind in ("down", "up"))
        assert 2 <= len(people.notices[channel]) <= _MOST_NOTICES
    assert stores[0].waiting_alerts() == []


def _try(store: Store, channel: str, second: int, people: People) -> None:
    """What a server's thread for the channel does at each tick."""
    now_us = _BEGIN + second * _SECOND
    outgoing = store.claim_notice(now_us, _LEASE, channel, waits=True)
    if outgoing is None:
        return
    if channel == "hangs" and second < _RECOVERS_S:
        return  # nobody hears of this try any more
    if channel == "fails" and second < _RECOVERS_S:
        store.postpone_notice(outgoing, now_us + 30 * _SECOND, "refused", now_us)
        return
    people.hear(outgoing)
    store.settle_notice(outgoing, DELIVERED, "200", now_us)
