"""The pages in a real browser: on a phone, and as they refresh themselves."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.pages.conftest import make_key
from tests.server.pages.visitor import Visitor
from tests.support.chromium import Page, chromium
from tests.support.radar_server import RadarServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    # What a browser makes of a page doesn't depend on the database.
    pytest.mark.parametrize("server", ["sqlite"], indirect=True),
]


@pytest.fixture
def page(tmp_path: Path, server: RadarServer, admin: Visitor) -> Iterator[Page]:
    """A tab of somebody who is logged in."""
    with chromium(tmp_path / "profile") as tab:
        session = admin.client.cookies["radar_session"]
        tab.call("Network.setCookie", name="radar_session", value=session, url=server.url)
        yield tab


def test_no_page_is_wider_than_a_phone(server: RadarServer, page: Page, key: str) -> None:
    long = "x" * 120
    fields = {"name": long, "tags": f"{long} b c", "host": long, "every": "3600", "create": "1"}
    server.ping(f"{long}-{key}/fail", f"{long * 5}\n{'word ' * 99}".encode(), reason=long, **fields)
    for _ in range(3):
        server.ping(f"{long}-{key}/success", b"ok", duration="1000000", **fields)
    path = f"/monitors/{long}-{key}"
    page.resize(360, 740)
    revoke = f"/keys/{make_key(server, 'read', long).split('_')[2]}/revoke"
    for each in (
        "/",
        f"/?q={key}",
        path,
        f"{path}/edit",
        f"{path}/delete",
        "/new",
        "/keys",
        revoke,
    ):
        page.open(server.url + each)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, each
        assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 15
    run = page.evaluate(
        f"fetch('{path}').then(r => r.text()).then(t => /runs\\/[^\"]+/.exec(t)[0])"
    )
    page.open(f"{server.url}{path}/{run}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    # Nothing of a page is against its own policy.
    assert page.complaints == []


def test_no_status_in_the_list_is_cut_off(server: RadarServer, page: Page, key: str) -> None:
    now = time.time()
    for name, kind, ago_s in (("a", "fail", 9.9 * 3600), ("b", "success", 9.9 * 86_400)):
        ping = {"every": "3600", "create": "1", "ts": f"{now - ago_s:.3f}", "sent": f"{now:.3f}"}
        server.ping(f"{key}-{name}/{kind}", b"long " * 99, **ping)
    for width in (1280, 800, 360):
        page.resize(width, 740)
        page.open(f"{server.url}/?q={key}-")
        assert page.evaluate("document.querySelectorAll('tr.r-down td.status small').length") == 2
        cut = "e => e.scrollWidth - e.clientWidth"
        cuts = page.evaluate(f"[...document.querySelectorAll('td.status span')].map({cut})")
        assert max(cuts) <= 0, width
        # Of an output that says much, the list shows little.
        lines = "e => e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).lineHeight)"
        heights = page.evaluate(f"[...document.querySelectorAll('.why')].map({lines})")
        assert max(heights) < 2.5, width


def test_the_list_and_a_monitor_refresh_themselves(
    server: RadarServer, page: Page, key: str
) -> None:
    page.open(f"{server.url}/?q={key}")
    page.wait("document.querySelector('td.status strong').textContent === 'up'")
    page.evaluate("document.querySelector('a.name').focus(); window.isSame = true")
    server.ping(f"{key}/fail", b"boo\n", exit="7")
    page.wait("document.querySelector('td.status strong').textContent === 'down'")
    assert "exit 7: boo" in page.evaluate("document.querySelector('.why').textContent")
    # It is the same page still, and whoever was somewhere in it is there.
    assert page.evaluate("window.isSame && document.activeElement.className") == "name"
    assert page.evaluate("location.search") == f"?q={key}"
    assert "down" in page.evaluate("document.title")

    page.open(f"{server.url}/monitors/{key}")
    page.evaluate("document.querySelector('#pause').open = true; window.isSame = true")
    page.evaluate("document.querySelector('#for').value = '3h'")
    server.ping(f"{key}/success", b"mended\n")
    page.wait("document.querySelector('.sentence strong').textContent === 'up'")
    assert "mended" in page.evaluate("document.querySelector('#tail').textContent")
    assert page.evaluate("window.isSame && document.querySelector('#for').value") == "3h"
    assert page.evaluate("document.querySelector('#live').textContent") == "live"
    assert page.complaints == []


def test_it_says_when_the_server_no_longer_answers(
    server: RadarServer, page: Page, admin: Visitor
) -> None:
    page.open(server.url + "/")
    page.wait("document.querySelector('#live').textContent === 'live'")
    admin.post("/logout")
    page.wait("document.querySelector('#live').textContent.startsWith('logged out')")


def test_it_logs_in_and_pauses_as_a_person_does(server: RadarServer, page: Page, key: str) -> None:
    page.call("Network.clearBrowserCookies")
    page.open(f"{server.url}/monitors/{key}")
    page.wait("location.pathname === '/login'")
    page.evaluate(f"document.querySelector('#key').value = '{server.key}'")
    page.evaluate("document.querySelector('form.login button').click()")
    page.wait(f"location.pathname === '/monitors/{key}'")
    page.evaluate("document.querySelector('#pause summary').click()")
    page.evaluate("document.querySelector('#for').value = '2h'")
    page.evaluate("document.querySelector('#pause button').click()")
    page.wait("document.querySelector('.sentence strong')?.textContent === 'paused'")
    assert page.complaints == []


def test_it_rests_while_nobody_sees_it(server: RadarServer, page: Page) -> None:
    page.open(server.url + "/")
    page.wait("document.querySelector('#live').textContent === 'live'")
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'));"
        "window.asked = 0; const ask = window.fetch;"
        "window.fetch = (...all) => { window.asked += 1; return ask(...all); }"
    )
    time.sleep(6)  # longer than it waits between two looks
    assert page.evaluate("window.asked") == 0
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: false});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.wait("window.asked === 1")
