"""Secret tokens of monitors."""

from radar_cli.model.ping import Ping
from radar_cli.store.store import Store
from radar_cli.store.tokens import BADGE, PING
from tests.store.arrivals import add


def test_a_token_is_made_once_and_leads_to_its_monitor(store: Store) -> None:
    assert store.find_token("m", PING) is None
    token = store.make_token("m", PING)
    assert (store.make_token("m", PING), store.find_token("m", PING)) == (token, token)
    assert store.find_by_token(token, PING) == "m"


def test_a_token_is_good_for_its_purpose_only(store: Store) -> None:
    ping, badge = store.make_token("m", PING), store.make_token("m", BADGE)
    assert ping != badge
    assert store.find_by_token(badge, PING) is None
    assert store.find_by_token(ping, BADGE) is None


def test_a_dropped_token_leads_nowhere_and_never_comes_back(store: Store) -> None:
    token = store.make_token("m", BADGE)
    assert store.drop_token("m", BADGE)
    assert not store.drop_token("m", BADGE)
    assert store.find_by_token(token, BADGE) is None
    assert store.make_token("m", BADGE) != token


def test_tokens_go_with_their_monitor(store: Store) -> None:
    add(store, [Ping("success", "m", time_us=1)])
    token = store.make_token("m", PING)
    store.delete(["m"])
    assert store.find_by_token(token, PING) is None
