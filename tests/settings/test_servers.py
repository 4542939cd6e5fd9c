import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.core.urls import Url
from radar_cli.settings.values import check_server, is_same_server


@pytest.mark.parametrize(
    "url",
    [
        "https://a",
        "http://127.0.0.1:8000",
        "http://[::1]:8000/base",
        "http://[::1]",
        "HTTPS://Radar.Example:65535/a/b",
    ],
)
def test_it_takes_what_is_a_server(url: str) -> None:
    assert check_server(f" {url}/ ") == url
    assert Url(url).host == urllib.parse.urlsplit(url).hostname


@pytest.mark.parametrize(
    "url",
    [
        "radar.example",
        "ftp://a",
        "https://",
        "https:///path",
        "https://:80",
        "https://a:",
        "https://a:x",
        "https://a:0",
        "https://a:65536",
        "https://[::1",
        "https://[::1]x",
        "https://[]",
        "https://[a.example]",
        "https://a[",
        "https://a\\b",
        "https://'a'",
        "https://a?b",
        "https://a#b",
        "https://a b",
        "https://a\r\nHost: b",
        "https://ä.example",
        "https://user:secret@a",
    ],
)
def test_it_refuses_what_is_no_server(url: str) -> None:
    with pytest.raises(ValueError, match="server") as caught:
        check_server(url)
    assert "secret" not in str(caught.value)
    assert str(caught.value).isprintable()


@given(st.text("https:/.a[]1@?# \n\\", max_size=16))
def test_it_agrees_with_urllib_on_what_it_takes(text: str) -> None:
    try:
        url = check_server("http://" + text)
    except ValueError:
        return
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError as error:
        assert "IPv" in str(error)  # noqa: PT017  (addresses are the resolver's to judge)
        return
    assert parts.hostname
    assert Url(url).host == parts.hostname
    assert is_same_server(url, url + "/")


def test_it_takes_an_empty_server_for_this_machine() -> None:
    assert check_server(" ") == ""
    assert is_same_server("", "")
    assert not is_same_server("", "https://a")
