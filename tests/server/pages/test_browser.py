"""The pages in a real browser: on a phone, and as they refresh themselves."""

import datetime
import re
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
    with server.store() as store:
        now_us = time.time_ns() // 1000
        store.aliases.rename(f"{long}-{key}", f"{long}-{key}.", now_us)
        with store.database.change() as change:
            change.execute(
                "INSERT INTO notice (id, channel, kind, monitors, created_us, tries, answer)"
                " VALUES (?, ?, 'down', 1, ?, 3, ?)",
                (key, long[:60], now_us, long * 3),
            )
            change.execute(
                "INSERT INTO alert (id, flip, monitor, channel, notice, created_us, told_in)"
                " VALUES (?, '', ?, ?, '{}', ?, ?)",
                (key, f"{long}-{key}.", long[:60], now_us, key),
            )
    path += "."
    for each in (
        "/",
        f"/?q={key}",
        f"/?q={key}&group=tag&sort=next",
        path,
        f"{path}/edit",
        f"{path}/rename",
        f"{path}/delete",
        "/new",
        "/keys",
        "/channels",
        "/notices",
        f"/notices?monitor={long}-{key}.",
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
    page.open(f"{server.url}/?q={key}")
    page.evaluate("document.querySelector('td.tick input').click()")
    assert page.evaluate("getComputedStyle(document.querySelector('.bulk')).display") == "flex"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.evaluate("document.querySelector('.bulk button[value=delete]').click()")
    page.wait("location.pathname === '/bulk'")
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


def test_times_are_told_by_the_readers_clock(server: RadarServer, page: Page, key: str) -> None:
    page.call("Emulation.setTimezoneOverride", timezoneId="Asia/Kathmandu")
    page.open(f"{server.url}/monitors/{key}")
    told = page.evaluate("document.querySelector('.flips time').textContent")
    moment = page.evaluate("new Date(document.querySelector('.flips time').dateTime).getTime()")
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=45))
    there = datetime.datetime.fromtimestamp(moment / 1000, zone)
    assert told == f"{there:%Y-%m-%d %H:%M:%S} GMT+5:45"
    title = page.evaluate("document.querySelector('.flips time').title")
    assert "by the server's clock: " in title
    zone_said = "document.querySelector('#zone').textContent"
    # Chromium knows some zones by older names.
    assert re.fullmatch(r"times by your clock, Asia/Kat\w+", page.evaluate(zone_said))
    page.without_scripts()
    page.call("Page.reload")
    assert page.complaints == []


def test_a_schedule_is_told_while_it_is_typed(server: RadarServer, page: Page) -> None:
    page.open(f"{server.url}/new")
    assert page.evaluate("document.querySelector('button.preview')") is None
    type_it = "(e => { e.value = {}; e.dispatchEvent(new Event('input')); })"
    field = "(document.querySelector('#schedule'))"
    page.evaluate(type_it.replace("{}", "'5 2 * * '") + field)
    page.wait("document.querySelector('#forecast').textContent.includes('bad schedule')")
    page.evaluate(type_it.replace("{}", "'5 2 * * 1'") + field)
    page.wait("document.querySelector('#forecast').textContent.includes('on Monday')")
    assert page.evaluate("document.querySelectorAll('#forecast li').length") == 5
    assert page.complaints == []


def test_what_is_ticked_stays_so_while_the_list_refreshes(
    server: RadarServer, page: Page, key: str
) -> None:
    for number in (1, 2):
        server.ping(f"{key}-{number}/success", create="1")
    page.open(f"{server.url}/?q={key}-")
    page.evaluate("document.querySelector('th.tick input').click()")
    ticked = "document.querySelectorAll('td.tick input:checked').length"
    assert page.evaluate(ticked) == 2
    page.evaluate(f"document.getElementById('c-{key}-1').click()")
    server.ping(f"{key}-2/fail", exit="7")
    page.wait("document.querySelector('td.status strong').textContent === 'down'")
    assert page.evaluate(ticked) == 1
    page.evaluate("document.querySelector('#bulk-for').value = '2h'")
    page.evaluate("document.querySelector('.bulk button[value=pause]').click()")
    page.wait("!!document.querySelector('tr.r-paused')")
    assert page.evaluate("location.search") == f"?q={key}-"
    assert page.evaluate("document.querySelectorAll('tr.r-paused').length") == 1
    assert page.complaints == []


def test_whoever_has_only_keys_reaches_everything_and_sees_where(
    server: RadarServer, page: Page, key: str
) -> None:
    page.open(f"{server.url}/?q={key}")
    seen = []
    for _ in range(40):
        page.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", windowsVirtualKeyCode=9)
        page.call("Input.dispatchKeyEvent", type="keyUp", key="Tab", windowsVirtualKeyCode=9)
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        what = "e.id || e.name || e.textContent.trim()"
        name = page.evaluate(f"(e => {what})(document.activeElement)")
        if name in seen or page.evaluate("document.activeElement === document.body"):
            break
        assert page.evaluate(outline) != "none", name
        seen.append(name)
    wanted = {"Monitors", "Notices", "Channels", "Keys", "Log out", "q", "New monitor", f"c-{key}"}
    assert wanted | {key} <= set(seen)
