"""Taking secrets out of text before it leaves the machine.

A secret is found as it is, and as programs print it: quoted for a URL, a shell, JSON, C or HTML,
or in base64, as in a Basic header.
"""

from radar_cli.core.credentials import passwords_in_urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from radar_cli.core.matching import Span, SpanFinder

_MARK = b"[redacted]"
# The longest that quoting makes of one byte: \u0000, &#000;
_QUOTED_BYTES = 6
_ESCAPES = {
    ord(letter): value for letter, value in zip("abtnvfr0e", b"\a\b\t\n\v\f\r\0\x1b", strict=True)
}
_ENTITIES = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}
_QUOTES = (b"'\\''", b"'\"'\"'")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_PROBE_BYTES = 64
# The beginning and the end of a longer secret stand for all of it.
_BASE64_PART_BYTES = 33


class Redactor:
    """Takes literal secrets and what matches patterns out of texts.

    Patterns are searched for in a process of their own; `aside` runs that search, for who has to
    do something else meanwhile, and is given what ends it early.
    """

    def __init__(
        self,
        secrets: list[bytes],
        patterns: list[str],
        option: str,
        warnings: list[str],
        aside: "Callable[[Callable[[], None], Callable[[], None]], None] | None" = None,
    ) -> None:
        self._secrets = secrets
        self._warnings = warnings
        self._option = option
        self._aside = aside or _at_once
        self.fault = ""  # why a text had to be left out
        self._finder: SpanFinder | None = None
        if patterns:
            from radar_cli.core import matching

            self._finder = matching.SpanFinder(patterns, option, warnings)

    def clean(self, raw: bytes, *, margin_bytes: int = 0) -> tuple[bytes, int]:
        """Return `raw` without secrets, and how many bytes at its beginning had to go.

        All of it where the patterns can't be searched for: then a note is what is returned.
        """
        finder = self._finder
        found: list[list[Span] | None] = []
        if finder is not None and raw:
            self._aside(lambda: found.append(finder.find(raw)), finder.stop)
            if found[:1] in ([], [None]):
                self.fault = finder.fault or "there was no time to search it"
                warning = f"{self._option}: output is left out: {self.fault}"
                if warning not in self._warnings:
                    self._warnings.append(warning)
                return f"[left out, as it can't be redacted: {self.fault}]".encode(), len(raw)
        spans = (found and found[0]) or ()
        return redact(raw, self._secrets, spans, margin_bytes=margin_bytes)

    def clean_line(self, raw: bytes) -> str:
        """A line of output, or the command, without secrets."""
        return self.clean(raw)[0].decode("utf-8", "replace")

    def close(self) -> None:
        """End the process that searches, if there is one."""
        if self._finder is not None:
            self._finder.close()


class View:
    """A text as it was before it was quoted, and where its bytes stand in the quoted one."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._marks: list[int] = []  # behind what was quoted
        self._shifts: list[int] = []  # by which the quoted text is longer, from there on

    def add_mark(self, at: int, place: int) -> None:
        """Note that from `at` on the text is as it stands in the quoted one from `place` on."""
        self._marks.append(at)
        self._shifts.append(place - at)

    def place_of(self, at: int) -> int:
        """Return the place in the quoted text of what is here at `at`."""
        from bisect import bisect_right

        number = bisect_right(self._marks, at)
        return at + (self._shifts[number - 1] if number else 0)


def _at_once(work: "Callable[[], None]", stop: "Callable[[], None]") -> None:  # noqa: ARG001
    work()


def redact(
    raw: bytes, secrets: list[bytes], found: "Iterable[Span]" = (), *, margin_bytes: int = 0
) -> tuple[bytes, int]:
    """Return `raw` without secrets and what was `found`, and how many bytes at its beginning went.

    Where output is missing before `raw`, a secret may be cut in half there: the margin is left out,
    and everything beyond it that such a half could reach.
    """
    views = _views(raw, secrets)
    spans = passwords_in_urls(raw)
    spans += found
    spans += _literal_spans(raw, secrets)
    for view in views:
        found = _literal_spans(view.text, secrets)
        spans += [(view.place_of(begin), view.place_of(end)) for begin, end in found]
    spans += _base64_spans(raw, secrets)
    spans.sort()
    start = 0
    if margin_bytes:
        start = min(margin_bytes, len(raw))
        as_it_is = View(raw)
        halves = [_half_at_start(as_it_is, each, margin_bytes) for each in secrets]
        for view in views:
            quoted_bytes = margin_bytes // _QUOTED_BYTES
            halves += [_half_at_start(view, each, quoted_bytes) for each in secrets]
        start = max([start, *halves])
        start = max([start, *(end for begin, end in spans if begin < start < end)])
    parts, at = [], start
    for begin, end in spans:
        if begin < at:
            at = max(at, end)
            continue
        parts += [raw[at:begin], _MARK]
        at = end
    parts.append(raw[at:])
    return b"".join(parts), start


def _half_at_start(view: "View", secret: bytes, margin_bytes: int) -> int:
    """Return how far a cut secret, longer than the margin, reaches from the beginning."""
    if len(secret) <= margin_bytes:
        return 0
    # What quotes a byte may be cut, too.
    for skipped in range(2 * _QUOTED_BYTES):
        probe = view.text[skipped : skipped + _PROBE_BYTES]
        at = secret.find(probe, 1)
        while at >= 0 and len(secret) - at > margin_bytes:
            if view.text.startswith(secret[at:], skipped):
                return view.place_of(skipped + len(secret) - at)
            at = secret.find(probe, at + 1)
    return 0


def _literal_spans(raw: bytes, secrets: list[bytes]) -> "list[Span]":
    spans = []
    for secret in secrets:
        at = raw.find(secret)
        while at >= 0:
            spans.append((at, at + len(secret)))
            at = raw.find(secret, at + len(secret))
    return spans


def _base64_spans(raw: bytes, secrets: list[bytes]) -> "list[Span]":
    """The words in base64 that hold a secret, whatever stands before it (`user:`)."""
    spans = []
    for core in dict.fromkeys(core for secret in secrets for core in _base64_cores(secret)):
        at = raw.find(core)
        while at >= 0:
            begin = len(raw[:at].rstrip(_BASE64))
            end = len(raw) - len(raw[at:].lstrip(_BASE64))
            spans.append((begin, end))
            at = raw.find(core, end)
    return spans


def _base64_cores(secret: bytes) -> "Iterable[bytes]":
    """Return what base64 makes of a secret wherever it stands, without letters shared with others.

    Three bytes become four letters of six bits each, so there are three ways for it to begin.
    """
    import binascii

    parts = [secret]
    if len(secret) > 2 * _BASE64_PART_BYTES:
        parts = [secret[:_BASE64_PART_BYTES], secret[-_BASE64_PART_BYTES:]]
    for part in parts:
        for offset in range(3):
            letters = binascii.b2a_base64(bytes(offset) + part, newline=False)
            core = letters[-(-8 * offset // 6) : 8 * (offset + len(part)) // 6]
            yield core
            if b"+" in core or b"/" in core:
                yield core.translate(_URL_SAFE)


def _views(raw: bytes, secrets: list[bytes]) -> "list[View]":
    """`raw` as it was before it was quoted, in each of the ways in which it seems to be."""
    views = [_unquote(raw, mark, read) for mark, read in _QUOTINGS]
    if b"+" in raw and any(b" " in secret for secret in secrets):
        spaced = raw.replace(b"+", b" ")
        views.append(_unquote(spaced, b"%", _read_percent) or View(spaced))
    return [view for view in views if view is not None]


def _unquote(
    raw: bytes, mark: bytes, read: "Callable[[bytes, int], tuple[bytes, int]]"
) -> "View | None":
    """The view in which what `read` understands at each mark stands for what it means.

    None where it understands nothing.
    """
    view = View(b"")
    parts: list[bytes] = []
    size_of_parts = done = 0
    at = raw.find(mark)
    while at >= 0:
        meant, size = read(raw, at)
        if size:
            parts += [raw[done:at], meant]
            size_of_parts += at - done + len(meant)
            done = at + size
            view.add_mark(size_of_parts, done)
        at = raw.find(mark, max(at + 1, done))
    if not done:
        return None
    view.text = b"".join((*parts, raw[done:]))
    return view


def _read_percent(raw: bytes, at: int) -> tuple[bytes, int]:
    """%C3, as URLs and forms have it."""
    code = _number(raw[at + 1 : at + 3], 16, 2)
    return (b"", 0) if code is None else (bytes((code,)), 3)


def _read_backslash(raw: bytes, at: int) -> tuple[bytes, int]:
    r"""\n \" \/ \u00e9 \ud83d\ude00 \xc3 \303, as JSON, C, Python and shells have it."""
    letter = raw[at + 1 : at + 2]
    if letter == b"u":
        code = _number(raw[at + 2 : at + 6], 16, 4)
        if code is not None and 0xD800 <= code < 0xDC00 and raw[at + 6 : at + 8] == b"\\u":
            low = _number(raw[at + 8 : at + 12], 16, 4)
            if low is not None and 0xDC00 <= low < 0xE000:
                both = 0x10000 + (code - 0xD800 << 10) + (low - 0xDC00)
                return chr(both).encode(), 12
        if code is not None:
            return chr(code).encode("utf-8", "surrogatepass"), 6
    if letter == b"x" and (code := _number(raw[at + 2 : at + 4], 16, 2)) is not None:
        return bytes((code,)), 4
    if (code := _number(raw[at + 1 : at + 4], 8, 3)) is not None and code < 256:
        return bytes((code,)), 4
    if not letter:
        return b"", 0
    return bytes((_ESCAPES.get(letter[0], letter[0]),)), 2


def _read_quote(raw: bytes, at: int) -> tuple[bytes, int]:
    """Read what ends the quotes, adds one, and goes on, as shells and Python's shlex have it."""
    for quote in _QUOTES:
        if raw.startswith(quote, at):
            return b"'", len(quote)
    return b"", 0


def _read_entity(raw: bytes, at: int) -> tuple[bytes, int]:
    """&amp; &#39; &#x27; as HTML and XML have it."""
    name, semicolon, _ = raw[at + 1 : at + 10].partition(b";")
    if not semicolon:
        return b"", 0
    if name in _ENTITIES:
        return _ENTITIES[name], len(name) + 2
    digits, base = (name[2:], 16) if name[:2] in (b"#x", b"#X") else (name[1:], 10)
    code = _number(digits, base, len(digits)) if name[:1] == b"#" else None
    if code is None or not 0 < code < 0x110000 or 0xD800 <= code < 0xE000:
        return b"", 0
    return chr(code).encode(), len(name) + 2


def _number(digits: bytes, base: int, size: int) -> int | None:
    if len(digits) != size or not digits.isalnum():  # int() would take `+1` and `1_0`, too
        return None
    try:
        return int(digits, base)
    except ValueError:
        return None


_QUOTINGS = (
    (b"%", _read_percent),
    (b"\\", _read_backslash),
    (b"'", _read_quote),
    (b"&", _read_entity),
)
