"""Evidence beside events: the process of Beat, and result backends. No broker."""

import socket
from typing import Any

import pytest

from radar_cli.celery.processes import BeatProcess
from radar_cli.celery.watch.backends import Backends, place_of
from radar_cli.celery.watch.beats import BeatSeeker, SeenBeat
from radar_cli.celery.watch.reporting import Problems

_NO_BROKER: Any = None  # all workers are known: nobody is asked


def test_a_backend_that_answered_and_does_not_any_more() -> None:
    backends, nodes = Backends(), ("w@h", "v@h", "u@h")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        backends.learn({"w@h": {"result_backend": f"redis://:**@127.0.0.1:{port}/1"}})
        backends.learn({"v@h": {}, "u@h": {"result_backend": "redis://127.0.0.1:1/0"}})
        faults = backends.look(_NO_BROKER, nodes)
        assert faults == {"u@h": "redis://127.0.0.1:1: Connection refused"}
        assert backends.find_lost(faults) == ""  # it may be out of reach from here
    faults = backends.look(_NO_BROKER, nodes)
    assert faults["w@h"] == backends.find_lost(faults)
    assert faults["w@h"] == f"redis://127.0.0.1:{port}: Connection refused"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://r/0", ("r", 6379)),
        ("rediss://:**@r:7000/0?ssl_cert_reqs=required", ("r", 7000)),
        ("db+postgresql+psycopg2://u:**@db/results", ("db", 5432)),
        ("rpc://", None),
        ("sentinel://a:26379;sentinel://b:26379", None),
        ("mongodb://a,b/x", None),
        ("redis://r:port/0", None),
        ("db+sqlite:///x", None),
    ],
)
def test_where_a_backend_is(url: str, place: tuple[str, int] | None) -> None:
    assert place_of(url) == place


def test_a_beat_that_was_there_is_gone() -> None:
    seeker = BeatSeeker("/srv/schedule")
    assert seeker.judge([]) == SeenBeat()
    stopped = BeatProcess(7, "shop", "/srv/schedule", "", 1.0, (), is_stopped=True)
    assert seeker.judge([stopped]) == SeenBeat(7, is_stopped=True)
    assert seeker.judge([]).describe().startswith("Beat is gone (it was process 7)")
    assert SeenBeat().describe() == "Beat sends nothing that is due"
    assert BeatSeeker("redbeat:").look() == SeenBeat()


def test_causes_are_problems() -> None:
    problems = Problems()
    problems.backend, problems.beat = "redis://r:6379: Connection refused", "Beat is gone"
    problems.blind = "no broker"
    assert problems.find(0) == [
        "the watch sees nothing: no broker",
        "Beat is gone",
        "no result can be stored, and so no end is told: redis://r:6379: Connection refused",
    ]
