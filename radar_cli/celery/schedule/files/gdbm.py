"""Files of GNU dbm, as most of Docker's Pythons write them (gdbm's gdbmdefs.h)."""

import struct
from typing import Iterator

MAGICS = tuple(
    magic.to_bytes(4, order)
    for magic in (0x13579ACE, 0x13579ACD, 0x13579ACF, 0x13579AD0, 0x13579AD1)
    for order in ("little", "big")
)
_32_BIT = (0x13579ACD, 0x13579ACE)  # the second may be either: the size of the directory tells
_KEY_START = 4
_UNUSED = -1


def items(data: bytes) -> dict[bytes, bytes]:
    """All keys with their values. ValueError, struct.error: it isn't a whole gdbm file."""
    order = "<" if data[3] == 0x13 else ">"
    for offset in ("q", "i"):
        try:
            return dict(_items(data, order, offset))
        except (struct.error, ValueError):
            if offset == "i":
                raise
    raise AssertionError


def _items(data: bytes, order: str, offset: str) -> Iterator[tuple[bytes, bytes]]:
    # off_t is 8 bytes and aligned as C has it, or 4 on old machines of 32 bits.
    head = struct.Struct(f"{order}ii{offset}iiii")
    _, block, directory, directory_bytes, bits, bucket_bytes, elements = head.unpack_from(data)
    width = struct.calcsize(offset)
    if block <= 0 or directory_bytes != width << bits or not 0 < elements <= bucket_bytes:
        raise ValueError("no directory")
    count = directory_bytes // width
    # Many slots of the directory may lead to one bucket.
    for address in set(struct.unpack_from(f"{order}{count}{offset}", data, directory)):
        yield from _bucket(data, order, offset, address, elements)


def _bucket(
    data: bytes, order: str, offset: str, address: int, elements: int
) -> Iterator[tuple[bytes, bytes]]:
    wide = offset == "q"
    # av_count, six places of free space, then bits and count; and the table of elements.
    table = address + (8 + 6 * 16 + 8 if wide else 4 + 6 * 8 + 8)
    element = struct.Struct(f"{order}i{_KEY_START}s{offset}ii")
    for index in range(elements):
        place = table + index * element.size
        hashed, start, at, key_bytes, value_bytes = element.unpack_from(data, place)
        if hashed == _UNUSED:
            continue
        end = at + key_bytes + value_bytes
        if at < 0 or key_bytes < 0 or value_bytes < 0 or end > len(data):
            raise ValueError("an element that leads out of the file")
        key = data[at : at + key_bytes]
        if key[:_KEY_START] != start[: len(key)]:
            raise ValueError("an element that leads nowhere")
        yield key, data[at + key_bytes : end]
