"""Secret tokens of monitors."""

from radar_cli.model.ping import Ping
from radar_cli.store.store import Store
from radar_cli.store.tokens import BADGE, PING
from tests.store.arrivals import add


def test_a_token_is_made_once_and_leads_to_its_monitor(store: Store) -> None:
    assert store.tokens.find("m", PING) is None
    token = store.tokens.make("m", PING)
    assert (store.tokens.make("m", PING), store.tokens.find("m", PING)) == (token, token)
    assert store.tokens.find_monitor(token, PING) == "m"


def test_a_token_is_good_for_its_purpose_only(store: Store) -> None:
    ping, badge = store.tokens.make("m", PING), store.tokens.make("m", BADGE)
    assert ping != badge
    assert store.tokens.find_monitor(badge, PING) is None
    assert store.tokens.find_monitor(ping, BADGE) is None


def test_a_dropped_token_leads_nowhere_and_never_comes_back(store: Store) -> None:
    token = store.tokens.make("m", BADGE)
    assert store.tokens.drop("m", BADGE)
    assert not store.tokens.drop("m", BADGE)
    assert store.tokens.find_monitor(token, BADGE) is None
    assert store.tokens.make("m", BADGE) != token


def test_tokens_go_with_their_monitor(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=1)])
    token = store.tokens.make("m", PING)
    store.monitors.delete(["m"])
    assert store.tokens.find_monitor(token, PING) is None
