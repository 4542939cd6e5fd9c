"""What holds for any text, any file, any URL and any bytes on the wire."""

import os
import socket
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from radar_cli.core.ids import KEY_MAX
from radar_cli.core.text import cut, printable, valid
from radar_cli.core.urls import Url
from radar_cli.model.ping import (
    KINDS,
    Ping,
    decode,
    decode_fields,
    encode_fields,
    format_time,
    parse_time,
    quote,
    unquote,
)
from radar_cli.net import LinkError
from radar_cli.net.client import Link
from radar_cli.outbox.claiming import parse, peek
from radar_cli.outbox.spool import Spool, write

any_text = st.text(st.characters(exclude_categories=["Cs"]))
names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1).filter(
    lambda name: name not in ("id", "kind", "monitor", "rid", "ts")
)
fields = st.dictionaries(names, any_text.filter(bool), max_size=5)
keys = st.text("abcdefghijklmnopqrstuvwxyz-_", min_size=1, max_size=KEY_MAX).filter(
    lambda key: key not in ("start", "success", "complete", "fail", "log")
)
pings = st.builds(
    Ping,
    st.sampled_from(KINDS),
    keys,
    run_id=st.uuids().map(str),
    time_us=st.integers(0, 10**17 - 1),
    fields=fields,
    body=any_text.map(str.encode),
)


@given(st.text())
def test_any_text_can_be_quoted(text: str) -> None:
    quoted = quote(text)
    assert quoted.isascii()
    assert not any(c in quoted for c in " \r\n&=#?/%" if c != "%")
    clean = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if "\ufffd" not in clean:
        assert unquote(quoted) == text


@given(fields)
def test_fields_come_back(given_fields: dict[str, str]) -> None:
    assert decode_fields(encode_fields(given_fields)) == given_fields


@given(st.text())
@example("%")
@example("%+1=x")
@example("a=%zz")
@example("a\r=b")
def test_what_is_no_query_is_refused_or_read(text: str) -> None:
    try:
        found = decode_fields(text)
    except ValueError:
        return
    assert decode_fields(encode_fields(found)) == {k: v for k, v in found.items() if v}


@given(pings)
def test_a_ping_comes_back(ping: Ping) -> None:
    again = decode(ping.encode(), ping.body)
    assert vars(again) == vars(ping)


@given(st.integers(0, 10**17 - 1))
def test_a_time_comes_back_exactly(time_us: int) -> None:
    assert parse_time(format_time(time_us)) == time_us


@given(st.text())
@example("m%0D%0AX: y")
def test_a_ping_from_a_file_has_a_monitor_that_fits_a_path(monitor: str) -> None:
    line = Ping("start", monitor, time_us=1).encode()
    try:
        ping = decode(line, b"")
    except ValueError:
        return
    assert quote(ping.monitor) == ping.monitor


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ping=pings, to=fields, data=st.data())
def test_a_damaged_file_is_the_same_ping_or_refused(
    ping: Ping, to: dict[str, str], data: st.DataObject, tmp_path: Path
) -> None:
    path = tmp_path / "x.ping"
    write(str(path), ping, to, durable=False)
    whole = path.read_bytes()
    read, address = parse(whole)
    assert (vars(read), address) == (vars(ping), to)

    for damaged in (
        whole[: data.draw(st.integers(0, len(whole) - 1))],
        _flipped(whole, data.draw(st.integers(0, len(whole) * 8 - 1))),
        whole + data.draw(st.binary(min_size=1)),
        data.draw(st.binary()),
        b"\0" * len(whole),
    ):
        try:
            read, address = parse(damaged)
        except ValueError:
            continue
        assert (vars(read), address) == (vars(ping), to)


def _flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ping=pings, to=fields)
def test_a_spooled_ping_comes_back(ping: Ping, to: dict[str, str], tmp_path: Path) -> None:
    spool = Spool(str(tmp_path / "state"))
    entry = spool.put(ping, to, durable=False)
    found = peek(spool, os.path.basename(entry.path))
    assert found is not None
    assert (vars(found.ping), found.to) == (vars(ping), to)
    entry.remove()
    assert spool.names() == []


@given(st.text() | st.from_regex(r"https?://[a-z0-9.:@\[\]/]*", fullmatch=True))
@example("http://[::1")
@example("http://h:99999999999999999999")
@example("http://h:²")
@example("http://@/")
def test_a_url_is_read_or_refused(text: str) -> None:
    try:
        url = Url(text)
    except ValueError as error:
        assert len(str(error)) < 600  # noqa: PT017
        return
    assert 0 <= url.port < 65536
    assert url.host
    again = Url(url.text)
    assert (again.host, again.port, again.scheme) == (url.host, url.port, url.scheme)
    assert "\r" not in url.text
    assert "\n" not in url.text


@given(st.binary(), st.integers(0, 100))
def test_valid_text_is_cut_at_a_character(raw: bytes, limit: int) -> None:
    text = valid(raw)
    text.decode()
    body, gone = cut(text, limit)
    assert body.decode().encode() == text[gone:]
    assert len(body) <= limit
    assert gone + len(body) == len(text)
    assert len(text) <= limit or len(body) > limit - 4


@given(st.text())
def test_printable_text_moves_no_cursor(text: str) -> None:
    assert printable(text).isprintable()


_START = st.sampled_from(
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: ",
    ]
)
_TOKENS = st.sampled_from(
    [
        b"\r\n",
        b"\r\n\r\n",
        b"0\r\n",
        b"5;x\r\n",
        b"-1\r\n",
        b"ffffffffff\r\n",
        b"12345",
        b": ",
        b"\xff",
    ]
)
_CHUNKS = st.lists(st.binary(max_size=20) | _TOKENS, max_size=12)


@settings(deadline=None, max_examples=200)
@given(_START, _CHUNKS)
def test_any_answer_is_an_answer_or_a_link_error(start: bytes, chunks: list[bytes]) -> None:
    ours, theirs = socket.socketpair()
    link = Link(Url("http://127.0.0.1:9"), proxy=None, ca_file="", environ={})
    link._socket = ours
    begin = time.monotonic()

    def answer() -> None:
        with theirs:
            for chunk in (start, *chunks):
                try:
                    theirs.sendall(chunk)
                except OSError:
                    return

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        response = link.post("/ping/m", {}, b"body", begin + 5)
        assert 101 <= response.status <= 999
        assert all(name == name.lower() for name in response.headers)
    except LinkError as error:
        assert "no answer in time" not in str(error)  # noqa: PT017
    finally:
        link.close()
        thread.join()


@pytest.mark.parametrize("at", range(1, 60, 7))
def test_an_answer_may_come_in_any_pieces(at: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole = head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n"
    ours, theirs = socket.socketpair()
    link = Link(Url("http://127.0.0.1:9"), proxy=None, ca_file="", environ={})
    link._socket = ours
    with theirs:
        pieces = [whole[i : i + at] for i in range(0, len(whole), at)]
        thread = threading.Thread(target=lambda: any(map(theirs.sendall, pieces)))
        thread.start()
        response = link.post("/x", {}, b"", time.monotonic() + 5)
        thread.join()
    link.close()
    assert (response.status, response.body) == (200, b"abcde")
