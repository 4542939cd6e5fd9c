"""Somebody with a browser: cookies, forms with their hidden fields, and no JavaScript."""

import re
from collections.abc import Mapping
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx

_open: list[httpx.Client] = []


def close_all() -> None:
    """Have all browsers closed at the end of a test."""
    while _open:
        _open.pop().close()


class Visitor:
    """A browser at a server. It follows no redirects, so that tests see them."""

    def __init__(self, url: str, key: str = "", **options: Any) -> None:
        self.url = url
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=30, **options)
        _open.append(self.client)
        if key:
            answer = self.log_in(key)
            assert answer.status_code == 303, answer.text

    def log_in(self, key: str, onward: str = "", **more: str) -> httpx.Response:
        """Fill in the login form and send it."""
        form = hidden_fields(self.get("/login", next=onward).text)
        return self.client.post("/login", data={**form, "key": key, **more})

    def get(self, path: str, **query: Any) -> httpx.Response:
        """A page."""
        return self.client.get(path, params=query)

    def post(
        self,
        path: str,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a form as the page with it would: with this session's token."""
        data = {"csrf": self.csrf, **(fields or {})}
        return self.client.post(path, data=data, headers=dict(headers or {}))

    @property
    def csrf(self) -> str:
        """The token in this session's forms."""
        return hidden_fields(self.get("/").text)["csrf"]

    def text(self, path: str, **query: Any) -> str:
        """A page as it is read."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return text_of(answer.text)


class _Tags(HTMLParser):
    """The elements of a page, and the addresses in it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    """Every element with its attributes, in order."""
    parser = _Tags()
    parser.feed(page)
    return parser.tags


def hidden_fields(page: str) -> dict[str, str]:
    """What the forms of a page send along."""
    return {
        attrs["name"] or "": attrs.get("value") or ""
        for tag, attrs in elements(page)
        if tag == "input" and attrs.get("type") == "hidden"
    }


def addresses(page: str) -> list[str]:
    """Where everything in a page leads, or comes from."""
    return [
        value
        for _, attrs in elements(page)
        for name, value in attrs.items()
        if name in ("href", "src", "action") and value is not None
    ]


def monitor_links(page: str) -> list[str]:
    """The keys of the monitors that a list shows, in its order."""
    return [
        (attrs["href"] or "").rpartition("/")[2]
        for tag, attrs in elements(page)
        if tag == "a" and attrs.get("class") == "name"
    ]


def text_of(page: str) -> str:
    """What stands in a page, words apart by single spaces."""
    body = re.sub(r"<(title|script)\b.*?</\1>", "", page.partition("<body")[2], flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def link(page: str, rel: str, url: str) -> str:
    """The address of a page's link of this kind; "" if there is none."""
    for tag, attrs in elements(page):
        if tag == "a" and attrs.get("rel") == rel:
            return urljoin(url, attrs["href"] or "")
    return ""
