"""The page of one monitor, and those of its runs."""

import re
import time
import uuid

import pytest

from tests.server.pages.visitor import Visitor, addresses, elements, link, text_of
from tests.support.radar_server import RadarServer


def _run(
    server: RadarServer, key: str, began_s: float, took_s: float, body: bytes = b"", **fields: str
) -> str:
    """One run, that many seconds ago; its id."""
    run_id, now = str(uuid.uuid4()), time.time()
    kind = "fail" if fields.get("exit", "0") != "0" else "success"
    for what, ago_s, content in (("start", began_s, b""), (kind, began_s - took_s, body)):
        times = {"ts": f"{now - ago_s:.3f}", "sent": f"{now:.3f}", "rid": run_id, "create": "1"}
        # What a run ended by isn't known at its start.
        said = {n: v for n, v in fields.items() if what != "start" or n != "exit"}
        answer = server.ping(f"{key}/{what}", content, **times, **said)
        assert answer.status_code == 200, answer.text
    return run_id


def test_it_shows_what_is_expected_and_what_happened(
    server: RadarServer, admin: Visitor, key: str
) -> None:
    key = f"{key}-w"
    declared = {"every": "3600", "tags": "db web", "max_runtime": "60", "gracePeriod": "600"}
    _run(server, key, 7300, 20, b"fine\n", host="db-1", **declared)
    _run(server, key, 3700, 30, b"one\nboo: disk full\n", exit="3", host="db-2")
    text = admin.text(f"/monitors/{key}")
    assert re.search(r"down failed since [-\d]+ [:\d]+ UTC \(1 h 1 min ago\)", text)
    assert "exit 3: boo: disk full" in text
    assert "Expected every 1 h" in text
    assert "Grace 10 min Max runtime 1 min Tags db web" in text
    assert "How long they took: 20 s to 30 s, half of them up to 20 s" in text
    assert re.search(r"UTC 30 s ✗ failed exit 3 db-2", text)
    assert re.search(r"UTC 20 s ✓ well db-1", text)
    # It was missed until these pings came; down it stayed.
    assert re.search(r"Changes of status down \w+ for [\w ]+ so far", text)
    assert "one boo: disk full" in text


def test_its_history_has_pages(server: RadarServer, admin: Visitor, key: str) -> None:
    key = f"{key}-h"
    took = [f"{number}.5" for number in range(1, 60)]
    for number, seconds in enumerate(took):
        now = time.time()
        times = {"ts": f"{now - 9000 + number * 60:.3f}", "sent": f"{now:.3f}"}
        server.ping(f"{key}/success", b"", create="1", duration=seconds, **times)
    found: list[str] = []
    address = f"{server.url}/monitors/{key}"
    while address:
        page = admin.client.get(address).text
        found += re.findall(r'class="took">([\d.]+ \w+)[ <]', page)
        address = link(page, "next", server.url)
    assert len(found) == 59
    assert (found[0], found[-1]) == ("1 min", "1.5 s")
    assert admin.get(f"/monitors/{key}", page="99").status_code == 200
    assert "No older runs are kept." in admin.text(f"/monitors/{key}", page="99")


@pytest.mark.parametrize("page", ["0", "-5", str(10**30)])
def test_a_page_that_is_none_is_no_error(admin: Visitor, key: str, page: str) -> None:
    assert admin.get(f"/monitors/{key}", page=page).status_code == 200


def test_a_run_has_a_page_with_all_of_its_output(
    server: RadarServer, admin: Visitor, key: str
) -> None:
    key = f"{key}-o"
    lines = b"".join(b"line %d\n" % number for number in range(3000))
    run_id = _run(server, key, 100, 9, lines, exit="1", host="web-1", cpu="3.5", rss="180000000")
    server.ping(f"{key}/log", b"half way\n", rid=run_id)
    page = admin.get(f"/monitors/{key}/runs/{run_id}").text
    text = text_of(page)
    assert "This run failed exit 1" in text
    assert "Took 9 s Ended by exit 1 CPU time 3.5 s Peak memory 180 MB Host web-1" in text
    assert all(f"line {number}\n" in page + "\n" for number in (0, 1500, 2998))
    assert "Said on the way half way" in text
    monitor = admin.get(f"/monitors/{key}").text
    assert f"/monitors/{key}/runs/{run_id}" in addresses(monitor)
    assert "line 0\n" not in monitor
    assert "line 2999" in monitor


def test_a_run_without_an_id_has_a_page_too(admin: Visitor, key: str) -> None:
    (path,) = {each for each in addresses(admin.get(f"/monitors/{key}").text) if "/runs/" in each}
    assert "/runs/at-" in path
    text = admin.text(path)
    assert "This run went well" in text
    assert "all is well" in text


def test_a_run_that_goes_on_says_so(server: RadarServer, admin: Visitor, key: str) -> None:
    run_id = str(uuid.uuid4())
    server.ping(f"{key}/start", rid=run_id)
    assert "running for" in admin.text(f"/monitors/{key}")
    page = admin.get(f"/monitors/{key}/runs/{run_id}").text
    assert "This run is running" in text_of(page)
    assert "data-refresh" in page


@pytest.mark.parametrize("ref", ["at-1", "at-x", "x", "at-", str(uuid.UUID(int=7)), "%00", "é"])
def test_a_run_that_is_not_there_is_a_page(admin: Visitor, key: str, ref: str) -> None:
    answer = admin.get(f"/monitors/{key}/runs/{ref}")
    assert answer.status_code == 404
    assert "There is no such run." in text_of(answer.text)


@pytest.mark.parametrize("name", ["none", "%00", "é", "x" * 5000, "..%2fx"])
def test_a_monitor_that_is_not_there_is_a_page(admin: Visitor, name: str) -> None:
    answer = admin.get(f"/monitors/{name}")
    assert answer.status_code == 404


def test_what_was_said_between_runs_is_shown(server: RadarServer, admin: Visitor, key: str) -> None:
    server.ping(f"{key}/log", message="skipped: another run holds the lock", host="web-1")
    text = admin.text(f"/monitors/{key}")
    assert "Said between runs skipped: another run holds the lock" in text


def test_who_left_a_message_has_said_something(
    server: RadarServer, admin: Visitor, key: str
) -> None:
    server.ping(key)
    assert "It said nothing" in admin.text(f"/monitors/{key}")
    server.ping(key, message="12 tables copied")
    text = admin.text(f"/monitors/{key}")
    assert "12 tables copied" in text
    assert "It said nothing" not in text


def test_what_cannot_be_used_of_a_schedule_is_said(
    server: RadarServer, admin: Visitor, key: str
) -> None:
    server.ping(f"bad-{key}/success", schedule="99 * * * *")
    assert "Beware:" in admin.text(f"/monitors/bad-{key}")


def test_the_plot_is_labelled(server: RadarServer, admin: Visitor, key: str) -> None:
    for number in range(4):
        _run(server, key, 1000 - 100 * number, 10 + number, exit="1" if number == 2 else "0")
    page = admin.get(f"/monitors/{key}").text
    plot = page.partition('<figure class="plot">')[2].partition("</figure>")[0]
    assert "<span>13 s</span><span>0</span>" in plot
    assert plot.count("<title>") == 4
    assert re.search(r"<title>12 s, failed, exit 1, \d{4}-", plot)
    # What failed is hatched: colour alone tells nothing.
    assert plot.count('fill="url(#hatch)"') == 1
    heights = [float(a["height"] or 0) for t, a in elements(plot) if t == "rect" and "y" in a]
    assert max(heights) == 100
