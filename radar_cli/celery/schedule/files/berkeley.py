"""Hash files of Berkeley DB, which Debian's own Python writes as dbm.ndbm (db_page.h)."""

import struct
from typing import Iterator

MAGIC = 0x00061561  # at byte 12
_HASH_PAGES = (2, 13)  # P_HASH_UNSORTED, P_HASH
_OVERFLOW_PAGE = 7
_HEAD = 26
_ON_PAGE, _OFF_PAGE = 1, 3


def is_one(head: bytes) -> bool:
    """Whether a file that begins like this is a hash file of Berkeley DB."""
    return MAGIC in (int.from_bytes(head[12:16], order) for order in ("little", "big"))


def items(data: bytes) -> dict[bytes, bytes]:
    """All keys with their values. ValueError, struct.error: it isn't a whole file of that kind."""
    return dict(_Pages(data).items())


class _Pages:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._order = "<" if data[12] == MAGIC & 0xFF else ">"
        (self._page_bytes,) = struct.unpack_from(f"{self._order}I", data, 20)
        if not 512 <= self._page_bytes <= 65536 or len(data) % self._page_bytes:
            raise ValueError("a part of a page")

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Page by page: which bucket a key hashes to is no matter when all are wanted."""
        for number in range(1, len(self._data) // self._page_bytes):
            page = self._page(number)
            if page[25] not in _HASH_PAGES:
                continue
            count = self._number("H", page, 20)
            ends = [self._page_bytes]
            values = []
            for index in range(count):
                begin = self._number("H", page, _HEAD + 2 * index)
                values.append(self._value(page[begin : ends[-1]]))
                ends.append(begin)
            yield from zip(values[::2], values[1::2], strict=True)

    def _page(self, number: int) -> bytes:
        page = self._data[number * self._page_bytes : (number + 1) * self._page_bytes]
        if not page:
            raise ValueError("a page that isn't there")
        return page

    def _value(self, item: bytes) -> bytes:
        if item[:1] == bytes((_ON_PAGE,)):
            return item[1:]
        if item[:1] != bytes((_OFF_PAGE,)):
            raise ValueError("an item of an unknown kind")
        number, total = self._number("I", item, 4), self._number("I", item, 8)
        value = b""
        while len(value) < total:
            page = self._page(number)
            length = self._number("H", page, 22)
            if page[25] != _OVERFLOW_PAGE or not length:
                raise ValueError("a value that breaks off")
            value += page[_HEAD : _HEAD + length]
            number = self._number("I", page, 16)
        return value[:total]

    def _number(self, form: str, page: bytes, at: int) -> int:
        (number,) = struct.unpack_from(self._order + form, page, at)
        return int(number)
