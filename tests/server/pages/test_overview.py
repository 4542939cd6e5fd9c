"""The list of all monitors."""

import os
import re
import subprocess
import time
import uuid
from html import unescape
from pathlib import Path

import pytest

from tests.server.pages.conftest import make_key
from tests.server.pages.visitor import Visitor, elements, link, monitor_links, text_of
from tests.support.radar_server import RadarServer, serving
from tests.support.waiting import wait_until


def _ping(server: RadarServer, key: str, kind: str, ago_s: float = 0, **fields: str) -> None:
    now = time.time()
    times = {"ts": f"{now - ago_s:.3f}", "sent": f"{now:.3f}"}
    answer = server.ping(f"{key}/{kind}", b"", create="1", **times, **fields)
    assert answer.status_code == 200, answer.text


@pytest.fixture
def statuses(server: RadarServer, key: str) -> dict[str, str]:
    """A monitor in each status, all with this test's tag: their keys by status."""
    keys = {status: f"{status}-{key}" for status in ("up", "late", "down", "new", "paused")}
    _ping(server, keys["up"], "success", 5, every="3600", tags=f"t-{key} web", name="Backups!")
    _ping(server, keys["down"], "fail", 5, every="3600", tags=f"t-{key}", exit="3", message="boo")
    _ping(server, keys["late"], "success", 90, every="60", gracePeriod="300", tags=f"t-{key}")
    with server.store() as store:
        now_us = time.time_ns() // 1000
        store.monitors.create(keys["new"], {"every": "3600", "tags": f"t-{key}"}, now_us)
        store.monitors.create(keys["paused"], {"every": "3600", "tags": f"t-{key}"}, now_us)
        store.monitors.pause([keys["paused"]], now_us, None)
    return keys


def test_it_shows_those_with_trouble_first(
    admin: Visitor, key: str, statuses: dict[str, str]
) -> None:
    wait_until(lambda: "late" in admin.text("/", tag=f"t-{key}", status="late"), 10)
    page = admin.get("/", tag=f"t-{key}").text
    wanted = [statuses[each] for each in ("down", "late", "new", "paused", "up")]
    assert monitor_links(page) == wanted
    text = text_of(page)
    assert f"down failed 5 s {statuses['down']}" in text
    assert re.search(r"exit 3: boo", text)
    assert f"up {statuses['up']} Backups! t-{key} web" in text
    assert "in 59 min" in text
    assert "no run since it was due" in text
    assert "none yet" in text


def test_no_status_is_told_by_colour_alone(
    admin: Visitor, key: str, statuses: dict[str, str]
) -> None:
    page = admin.get("/", tag=f"t-{key}").text
    rows = page.partition("<tbody")[2].split("<tr")[1:]
    assert len(rows) == len(statuses)
    for row in rows:
        (shape,) = re.findall(r'href="#i-(\w+)"', row)
        assert f">{shape}</strong>" in row


def test_a_strip_says_what_it_shows(server: RadarServer, admin: Visitor, key: str) -> None:
    for number, kind in enumerate(("success", "fail", "success", "start"), -3):
        rid = str(uuid.UUID(int=number % 2**128))
        ended = {"duration": "12", "exit": "1"} if kind == "fail" else {}
        _ping(server, key, kind, -number * 60, rid=rid, **ended)
    page = admin.get("/", q=key).text
    (strip,) = [attrs for tag, attrs in elements(page) if attrs.get("class") == "strip"]
    assert strip["aria-label"] == "last 5 runs: 3 well, 1 failed, 1 running"
    assert re.search(r"<title>failed, took 12 s, exit 1, \d{4}-", page)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "down"}, ["down"]),
        ({"status": ["down", "up"]}, ["down", "up"]),
        ({"q": "BACKUPS"}, ["up"]),
        ({"q": "backups! {tag}"}, ["up"]),
        ({"q": "down-"}, ["down"]),
        ({"q": "%"}, []),
        ({"q": "_______"}, []),
        ({"q": "backups!", "status": "down"}, []),
        ({"q": "\0'\"\\!"}, []),
    ],
)
def test_it_finds_by_words_and_status(
    admin: Visitor, key: str, statuses: dict[str, str], query: dict[str, str], found: list[str]
) -> None:
    asked = {n: v.format(tag=f"t-{key}") if isinstance(v, str) else v for n, v in query.items()}
    page = admin.get("/", tag=f"t-{key}", **asked)
    assert page.status_code == 200
    assert monitor_links(page.text) == [statuses[each] for each in found]
    assert found or "No monitor is like that" in text_of(page.text)


def test_tags_are_links_that_narrow_and_can_be_taken_out(
    admin: Visitor, key: str, statuses: dict[str, str]
) -> None:
    page = admin.get("/", tag=[f"t-{key}", "web"], q="backups").text
    assert monitor_links(page) == [statuses["up"]]
    chosen = [a["href"] for t, a in elements(page) if a.get("class") == "tag chosen"]
    assert chosen == [f"/?q=backups&tag={'web'}", f"/?q=backups&tag=t-{key}"]


def test_it_pages_through_many_there_and_back(
    server: RadarServer, admin: Visitor, key: str
) -> None:
    keys = sorted(f"many-{key}-{number:03d}" for number in range(230))
    with server.store() as store:
        for each in keys:
            store.monitors.create(each, {}, time.time_ns() // 1000)
    # One in the first group: the pages go on from group to group.
    _ping(server, keys[120], "fail")
    order = [keys[120], *keys[:120], *keys[121:]]
    pages, address = [], f"{server.url}/?q=many-{key}-"
    while address:
        page = admin.client.get(address).text
        pages.append(monitor_links(page))
        last, address = address, link(page, "next", server.url)
    assert [len(page) for page in pages] == [100, 100, 30]
    assert [each for page in pages for each in page] == order
    back = []
    while last:
        page = admin.client.get(last).text
        back.append(monitor_links(page))
        last = link(page, "prev", server.url)
    assert back == pages[::-1]


@pytest.mark.parametrize("cursor", ["x", "9.a", "1.", "2.\udcff", "0." + "x" * 3000, "2.é"])
def test_a_bad_place_is_no_error(admin: Visitor, cursor: str) -> None:
    for name in ("after", "before"):
        query = {name: cursor.encode("utf-8", "surrogateescape")}
        assert admin.get("/", **query).status_code == 200


def test_a_key_for_some_monitors_counts_only_those(server: RadarServer, key: str) -> None:
    for number in range(3):
        _ping(server, f"mine-{key}-{number}", "success")
    visitor = Visitor(server.url, make_key(server, "read", f"mine-{key}-[01]"))
    assert monitor_links(visitor.get("/").text) == [f"mine-{key}-0", f"mine-{key}-1"]
    assert "2 up" in visitor.text("/")


def test_an_empty_server_shows_the_whole_way(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as server:
        visitor = Visitor(server.url, server.key)
        page = visitor.get("/").text
        assert "No monitors yet." in text_of(page)
        codes = re.findall(r"<code>(.*?)</code></pre>", page)
        lines = [unescape(re.sub(r"<[^>]*>", "", each)) for each in codes]
        create, login, cron, curl = lines
        assert create == "radar server keys create --scope ping --name web1"
        assert login == f"radar login {server.url}"
        assert cron.startswith("5 2 * * *  radar run backup --schedule '5 2 * * *' -- ")
        # As it stands there, with a key as the first line makes it.
        ping_key = make_key(server, "ping")
        environment = {"PATH": os.environ["PATH"], "RADAR_API_KEY": ping_key}
        subprocess.run(["/bin/sh", "-c", curl], env=environment, check=True, timeout=60)
        assert monitor_links(visitor.get("/").text) == ["backup"]


def test_the_way_names_the_address_that_people_use(tmp_path: Path) -> None:
    public = "https://radar.example.com/r"
    with serving(tmp_path / "state", "--public-url", public) as server:
        text = Visitor(server.url, server.key).text("/")
        assert f"radar login {public}" in text
        assert f"'{public}/ping/backup?schedule=@daily'" in text
        # Who may make no keys isn't sent to make one.
        reader = Visitor(server.url, make_key(server, "read")).text("/")
        assert "keys create" not in reader
        assert f"radar login {public}" in reader


def test_every_page_begins_with_that_nobody_is_told(server: RadarServer, key: str) -> None:
    visitor = Visitor(server.url, server.key)
    of_monitor = (f"/monitors/{key}{more}" for more in ("", "/edit", "/rename", "/delete"))
    for path in ("/", "/new", *of_monitor):
        text = visitor.text(path)
        said = text.index("No notices are sent yet.")
        assert "radar notify test" in text[said:]
        # Before all that the page itself says.
        assert said < text.index("down") if path == "/" else said < text.index("Monitors /")


def test_it_says_nothing_of_that_where_somebody_is_told(tmp_path: Path) -> None:
    config = '[notify.chat]\nwebhook = "http://127.0.0.1:9/"\n'
    with serving(tmp_path / "state", config=config) as server:
        assert "No notices are sent yet" not in Visitor(server.url, server.key).text("/")


def test_it_says_when_nobody_looked(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as server:
        server.ping("job/success", every="60")
        server.stop()
        with server.store() as store:
            store.outages.leave(time.time_ns() // 1000 - 300_000_000)
        server.start()
        text = Visitor(server.url, server.key).text("/")
        assert "The server was away for 5 min" in text
        assert "was due meanwhile" in text
        assert server.request("GET", "/api/v1/status").json()["outage"]["monitors"] == 0
        # How many of all the monitors were due is not for a key that sees only some of them.
        narrow = make_key(server, "read", "db-*")
        text = Visitor(server.url, narrow).text("/")
        assert "The server was away for 5 min" in text
        assert "due meanwhile" not in text
        assert (
            server.request("GET", "/api/v1/status", key=narrow).json()["outage"]["monitors"] is None
        )


def test_it_says_when_the_database_is_bad(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as server:
        visitor = Visitor(server.url, server.key)
        with server.store() as store, store.database.change() as change:
            change.execute("ALTER TABLE monitor RENAME TO lost")
        answer = visitor.get("/")
        assert answer.status_code == 503
        assert "The database can't be used." in text_of(answer.text)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
