"""The small grammars of the command line: durations, sizes, counts, exit codes, switches, ids.

The wrapper imports it before the spawn if an option needs it, so it imports nothing. What can't be
read is a BadValueError, which is a ValueError.
"""

LONGEST_S = 366 * 86400 * 10
# In the order in which they may stand behind one another.
_UNIT_S = {"w": 604_800, "d": 86400, "h": 3600, "m": 60, "min": 60, "s": 1}
_DIGITS = frozenset("0123456789.")
_LETTERS = frozenset("wdhmins")
_UNIT_BYTES = {"": 1, "b": 1, "k": 1000, "kb": 1000, "m": 1000_000, "mb": 1000_000}


def parse_duration(text: str) -> float:
    """Seconds of a duration like `90s`, `5min`, `6h`, `1w`, `1h30m` or `90`; else ValueError."""
    seconds, smallest = 0.0, float("inf")
    # `90` is `90s`, but `1h30` is nothing.
    rest = text.strip()
    rest += "s" if _decimal(rest) >= 0 else ""
    while rest and smallest:
        number = _leading(rest, _DIGITS)
        rest = rest[len(number) :].lstrip(" ")
        unit = _leading(rest, _LETTERS)
        rest = rest[len(unit) :].lstrip(" ")
        size, value = _UNIT_S.get(unit, 0), _decimal(number)
        # Larger units come first, and each once; 0 ends it.
        smallest = size if size < smallest and value >= 0 else 0
        seconds += value * smallest
    if not smallest or smallest == float("inf") or not 0 <= seconds <= LONGEST_S:
        raise _refuse(f"bad duration {text[:60]!r}", "use 90s, 15m, 6h, 2d, 1w or 1h30m")
    return seconds


def parse_period(text: str) -> float:
    """Seconds of a duration that isn't 0; ValueError if it is none."""
    seconds = parse_duration(text)
    if not seconds:
        raise _refuse(f"bad duration {text[:60]!r}", "it has to be more than 0")
    return seconds


def _refuse(message: str, hint: str) -> ValueError:
    from radar_cli.core.errors import BadValueError

    return BadValueError(message, hint)


def format_seconds(seconds: float) -> str:
    """A duration for programs: no more digits than needed, at most microseconds."""
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _leading(text: str, letters: "frozenset[str]") -> str:
    """The beginning of `text` that consists of these characters."""
    end = 0
    while end < len(text) and text[end] in letters:
        end += 1
    return text[:end]


def _decimal(number: str) -> float:
    """The value of plain digits with at most one dot, or -1; float() would take `1e5` and `nan`."""
    whole, _, fraction = number.partition(".")
    digits = whole + fraction
    if not (digits.isascii() and digits.isdigit() and len(digits) < 18):
        return -1.0
    return float(number)


def format_duration(seconds: float) -> str:
    """A duration in at most two units, for people: `40 ms`, `1.5 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    for size, unit, smaller, small_unit in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {small_unit}" if rest else "")
    raise AssertionError


def parse_size(text: str) -> int:
    """Bytes of a size like `10000`, `10k` or `2MB` (powers of 1000); ValueError if it isn't one."""
    word = text.strip().lower()
    number = word.rstrip("bkm")
    factor = _UNIT_BYTES.get(word[len(number) :])
    if factor is None or not (number.isascii() and number.isdigit() and len(number) < 12):
        raise _refuse(f"bad size {text[:60]!r}", "use a number of bytes like 10000, 10k or 1M")
    return int(number) * factor


def parse_codes(text: str) -> tuple[int, ...]:
    """Exit codes of a list like `0,24`; ValueError if it isn't one."""
    codes = []
    for word in text.split(","):
        number = word.strip()
        if not (number.isascii() and number.isdigit() and len(number) <= 3 and int(number) <= 255):
            raise _refuse(f"bad exit codes {text[:60]!r}", "use numbers from 0 to 255, as in 0,24")
        codes.append(int(number))
    return tuple(codes)


def parse_count(text: str) -> int:
    """A whole number of at most six digits; ValueError if it isn't one."""
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise _refuse(f"bad number {text[:60]!r}", "use a whole number")
    return int(text)


def parse_hosts(text: str) -> str:
    """Parse how many machines serve a slot: any, each or a number; ValueError otherwise."""
    word = text.strip().lower()
    is_count = word.isascii() and word.isdigit() and len(word) <= 3 and int(word) > 0
    if word in ("any", "each") or is_count:
        return word.lstrip("0")
    raise _refuse(f"bad hosts {text[:60]!r}", "use any, each, or how many")


def parse_switch(text: str) -> bool:
    """A yes or no as environment variables spell it; ValueError if it is neither."""
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("", "0", "false", "no", "off"):
        return False
    raise _refuse(f"bad switch {text[:60]!r}", "use 1 or 0")


def parse_run_id(text: str) -> str:
    """A run id, a UUID in its canonical form; ValueError if it isn't one."""
    word = text.lower()
    parts = word.split("-")
    if [len(part) for part in parts] != [8, 4, 4, 4, 12] or not frozenset(
        "0123456789abcdef"
    ).issuperset("".join(parts)):
        hint = "it is a UUID, like 018f4e9a-7b1c-4c3d-8e2f-5a6b7c8d9e0f"
        raise _refuse(f"bad run id {text[:60]!r}", hint)
    return word
