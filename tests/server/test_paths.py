"""What a path says: one thing, or none, whatever bytes it is made of."""

import contextlib
import socket
from urllib.parse import parse_qsl, quote

from hypothesis import given, settings
from hypothesis import strategies as st

from radar_cli.core.ids import check_key
from radar_cli.server.pings.paths import KINDS, BadPathError, is_token, parse_path
from radar_cli.server.pings.requests import _read_query
from tests.support.radar_server import RadarServer

_KEYS = st.from_regex(r"[a-z0-9._-]{1,30}", fullmatch=True)
_API_KEYS = st.from_regex(r"ck_app_[A-Za-z0-9]{10}_[A-Za-z0-9]{43}", fullmatch=True)
_TOKENS = st.uuids().map(str)
_HAPPENED = st.one_of(st.sampled_from(sorted(KINDS)), st.integers(0, 255).map(str))
_WORDS = st.one_of(_KEYS, _API_KEYS, _TOKENS, _HAPPENED, st.text(max_size=12))

_FIELDS = (
    *("rid", "ts", "sent", "id", "schedule", "every", "tz", "tags", "create", "exit"),
    *("duration", "gracePeriod", "max_runtime", "omitted", "message", "name"),
)


def _is_key(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return check_key(text) == text and not is_token(text)
    return False


@given(_KEYS.filter(_is_key), st.one_of(st.none(), _HAPPENED), _API_KEYS, st.integers(0, 2))
def test_it_reads_back_what_a_client_wrote(
    monitor: str, happened: str | None, api_key: str, order: int
) -> None:
    segments = [[monitor], [monitor, api_key], [api_key, monitor]][order]
    read = parse_path("/".join([*segments, *([happened] if happened else [])]))
    assert (read.monitor, read.token) == (monitor, "")
    assert read.api_key == (api_key if order else "")
    if happened is None or happened in KINDS:
        assert (read.kind, read.exit_code) == (KINDS[happened or "success"], None)
    else:
        assert read.exit_code == int(happened)
        assert read.kind == ("fail" if int(happened) else "success")


@given(_TOKENS, st.one_of(st.none(), _HAPPENED))
def test_a_token_is_a_token_in_each_case_of_its_letters(token: str, happened: str | None) -> None:
    for written in (token, token.upper()):
        read = parse_path(written + (f"/{happened}" if happened else ""))
        assert (read.token, read.monitor, read.api_key) == (token, "", "")


@given(st.lists(_WORDS, min_size=1, max_size=4).map("/".join))
def test_no_path_has_two_meanings(path: str) -> None:
    """What a path says can be written in one way only, but for the names of success."""
    try:
        read = parse_path(path)
    except BadPathError:
        return
    name = read.monitor or read.token
    assert bool(read.monitor) != bool(read.token)
    if read.monitor:
        assert check_key(read.monitor) == read.monitor
        assert not is_token(read.monitor)
    happened = str(read.exit_code) if read.exit_code is not None else read.kind
    again = parse_path("/".join(filter(None, (name, read.api_key, happened))))
    assert again == read


@settings(max_examples=300)
@given(
    method=st.sampled_from([b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"BREW"]),
    target=st.one_of(
        st.binary(max_size=60),
        st.lists(_WORDS, max_size=4).map(lambda words: quote("/".join(words)).encode()),
    ),
    query=st.one_of(
        st.binary(max_size=60),
        st.dictionaries(
            st.sampled_from(_FIELDS),
            st.text(max_size=20),
            max_size=5,
        ).map(lambda said: "&".join(f"{k}={quote(v)}" for k, v in said.items()).encode()),
    ),
    body=st.binary(max_size=60),
)
def test_no_bytes_make_it_fail(
    shared: RadarServer, method: bytes, target: bytes, query: bytes, body: bytes
) -> None:
    """A real request of any bytes: never 5xx, and the server answers the next one."""
    head = b"%b /ping/%b?%b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" % (
        method,
        target,
        query,
    )
    head += f"Authorization: Bearer {shared.key}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as sock:
        sock.sendall(head + body)
        answer = b""
        while b"\r\n" not in answer and (part := sock.recv(65536)):
            answer += part
    if answer:  # what isn't HTTP at all may be hung up on
        assert answer.split(b" ")[1][:1] in (b"2", b"4"), answer


def test_it_is_still_well(shared: RadarServer) -> None:
    assert shared.is_healthy()
    assert "Traceback" not in shared.said()
    assert "Error" not in shared.said()


@given(st.text(alphabet="ab=&;+%41 \u00e4", max_size=30))
def test_a_query_is_read_as_forms_are(query: str) -> None:
    expected = dict(pair for pair in parse_qsl(query, keep_blank_values=True) if pair[1])
    assert {name: value for name, value in _read_query(query) if value} == expected
