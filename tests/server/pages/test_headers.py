"""What every page says to the browser, and what leads where behind a proxy."""

import re
from pathlib import Path

import pytest

from tests.server.pages.visitor import Visitor, addresses, elements, hidden_fields
from tests.support.radar_server import RadarServer, serving

_POLICY = {
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}
_PAGES = [
    *("/", "/login", "/new", "/?q=nothing-is-called-so", "/monitors/{key}", "/monitors/{key}/edit"),
    *(
        "/monitors/{key}/delete",
        "/monitors/{key}/runs/{run}",
        "/monitors/{key}/rename",
        "/channels",
        "/notices",
        "/keys",
        "/forecast?schedule=@daily",
        "/?group=tag&sort=-next",
        "/monitors/none",
        "/monitors/x/runs/y",
    ),
]


@pytest.mark.parametrize("path", _PAGES)
def test_every_page_has_a_strict_policy_and_nothing_inline(
    admin: Visitor, key: str, path: str
) -> None:
    run = re.search(rf"/monitors/{key}/runs/([^\"]+)", admin.get(f"/monitors/{key}").text)
    assert run is not None
    answer = admin.get(path.format(key=key, run=run[1]))
    policy = {part.strip() for part in answer.headers["content-security-policy"].split(";")}
    assert policy == _POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    # With no-referrer a browser would send `Origin: null` with our own forms.
    assert answer.headers["referrer-policy"] == "same-origin"
    for tag, attrs in elements(answer.text):
        assert tag != "style"
        assert tag != "script" or attrs["src"]
        assert not [name for name in attrs if name.startswith("on") or name == "style"]
    for address in addresses(answer.text):
        assert address.startswith(("/", "#", "data:image/svg+xml,"))
        assert not address.startswith("//")


def test_a_redirect_has_the_policy_too(server: RadarServer) -> None:
    answer = Visitor(server.url).get("/")
    assert answer.status_code == 303
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_static_files_are_kept_under_an_address_of_their_content(admin: Visitor) -> None:
    files = [each for each in addresses(admin.get("/").text) if "/static/" in each]
    assert len(files) == 2
    for address in files:
        answer = admin.client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith(("text/css", "text/javascript"))
    assert admin.get("/static/..%2Fapp.py").status_code == 404


def test_behind_a_proxy_all_leads_below_its_path(tmp_path: Path) -> None:
    options = ("--root-path", "/radar", "--trusted-proxy", "127.0.0.1")
    with serving(tmp_path / "state", *options) as server:
        server.ping("job/success", create="1")
        server.ping("job/fail", create="1")
        # The proxy takes its path away before it asks.
        visitor = Visitor(server.url, headers={"x-forwarded-proto": "https"})
        assert visitor.get("/").headers["location"] == "/radar/login"
        # httpx sends back no cookie that is for https, or for another path.
        form = visitor.get("/login", next="/monitors/job")
        visitor.client.headers["cookie"] = form.headers["set-cookie"].partition(";")[0]
        fields = {**hidden_fields(form.text), "key": server.key}
        answer = visitor.client.post("/login", data=fields)
        assert answer.headers["location"] == "/radar/monitors/job"
        (cookie,) = [c for c in answer.headers.get_list("set-cookie") if "radar_session" in c]
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"path=/radar", "secure", "httponly"} <= flags
        visitor.client.headers["cookie"] = cookie.partition(";")[0]
        paths = ("/", "/monitors/job", "/monitors/job/edit", "/monitors/job/rename", "/new")
        for path in (*paths, "/?tag=x", "/notices", "/channels", "/nowhere"):
            found = [each for each in addresses(visitor.get(path).text) if each[0] not in "#d"]
            assert path == "/nowhere" or found
            assert all(each.startswith("/radar/") for each in found), found
        page = visitor.post("/monitors/job/ping-url").text
        assert re.search(r"https://127\.0\.0\.1:\d+/radar/ping/[0-9a-f-]{36}", page)
