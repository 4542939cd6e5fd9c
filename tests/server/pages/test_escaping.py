"""What others say shows on pages, and does nothing there."""

import time
import unicodedata
import uuid
from html import unescape

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radar_cli.model.ping import Ping
from tests.server.pages.visitor import Visitor, elements, text_of
from tests.support.radar_server import RadarServer

_NASTY = [
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>'),
    *("'-alert(1)-'", "javascript:alert(1)", "{{ 7*7 }}{% raw %}", "</pre></title></textarea>"),
    *("\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b]8;;http://evil\x1b\\link", "a\rb\x08\x7f"),
    *("\u202egnirts\u2066", "\u200b\ufeff", "\x00", "\x9b31m", "&lt;b&gt;", "]]>", "<!--"),
    *("\ud7ff\ue000\uffff", "\U000e0041", "a\u0300" * 30),
]
TEXTS = st.lists(st.sampled_from(_NASTY) | st.text(max_size=30), max_size=4).map("".join)
# Hidden fields and cursors: nothing that a page sends back may hold what a page can't show.
_SETTINGS = settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def harmless(page: str) -> None:
    """No character that a browser or a terminal would obey, and no element of somebody else's."""
    for character in page:
        category = unicodedata.category(character)
        assert character == "\n" or category not in ("Cc", "Cf", "Cs", "Zl", "Zp"), repr(character)
    for tag, attrs in elements(page):
        assert tag not in ("img", "iframe", "object", "style", "textarea", "base")
        assert tag != "script" or (attrs["src"] or "").startswith("/static/")
        for name, value in attrs.items():
            assert not name.startswith("on")
            if name in ("href", "src", "action"):
                assert (value or "/").startswith(("/", "#", "data:image/svg+xml"))


@_SETTINGS
@given(name=TEXTS, tags=TEXTS, host=TEXTS, reason=TEXTS, message=TEXTS, output=TEXTS)
def test_what_jobs_say_isharmless_on_every_page(
    server: RadarServer,
    admin: Visitor,
    key: str,
    *,
    name: str,
    tags: str,
    host: str,
    reason: str,
    message: str,
    output: str,
) -> None:
    said = {"name": name, "tags": tags, "host": host, "reason": reason, "message": message}
    fields = {
        field: text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        for field, text in said.items()
    }
    monitor, run_id, now_us = f"x-{key}", str(uuid.uuid4()), time.time_ns() // 1000
    body = output.encode("utf-8", "replace")
    pings = [
        Ping("fail", monitor, run_id=run_id, time_us=now_us, fields=fields, body=body),
        Ping("log", monitor, run_id=run_id, time_us=now_us, fields=fields, body=body),
    ]
    with server.store() as store:
        store.pings.add(pings, now_us)
        store.monitors.update(monitor, {"name": fields["name"], "tags": fields["tags"]}, now_us)
    path = f"/monitors/{monitor}"
    try:
        for each in ("/", path, f"{path}/runs/{run_id}", f"{path}/delete"):
            answer = admin.get(each, **({"q": monitor} if each == "/" else {}))
            assert answer.status_code == 200
            harmless(answer.text)
        assert admin.get(f"{path}/edit").status_code == 200
        assert admin.get("/", tag=fields["tags"].split()[:3], q=name).status_code == 200
    finally:
        with server.store() as store:
            store.monitors.delete([monitor])


def test_output_shows_as_it_was_meant(server: RadarServer, admin: Visitor, key: str) -> None:
    body = (
        "\x1b[1;31mred\x1b[0m & <b>bold</b>\r\n10%\r100%\n\ttab\nbell\x07 back\x08 \u202eturned\n"
    ).encode() + b"\xff\xfe"
    server.ping(f"{key}/fail", body)
    page = admin.get(f"/monitors/{key}").text
    shown = page.partition('id="tail"')[2].partition("<pre>")[2].partition("</pre>")[0]
    assert unescape(shown) == (
        "red & <b>bold</b>\n10%\n100%\n        tab\n"
        "bell\u2407 back\u2408 \u27e8U+202E\u27e9turned\n\ufffd\ufffd"
    )
    assert "&lt;b&gt;bold" in shown


def test_a_search_showsharmlessly(admin: Visitor) -> None:
    for words in _NASTY:
        answer = admin.get(
            "/", q=words.encode("utf-8", "replace"), tag=words.encode("utf-8", "replace")
        )
        assert answer.status_code == 200
        page = answer.text
        assert "<script>alert" not in page
        assert "onerror=" not in text_of(page).replace("onerror=alert(1)>", "")
        assert not [tag for tag, _ in elements(page) if tag == "img"]
