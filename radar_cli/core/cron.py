"""The grammar of cron expressions (crontab(5)), for the wrapper and for those who judge.

The wrapper imports it beside a running job, so it imports nothing.
"""

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
LONGEST = 400  # characters: more than lists of all values of all five fields take
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
# Name, lowest, highest, and the names that stand for numbers (crontab(5)).
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)


def find_fault(schedule: str) -> str:
    """Return what is wrong with a cron expression of 5 fields, or "".

    Whether it ever matches is not asked here: that takes the calendar.
    """
    if len(schedule) > LONGEST:
        return f"it has {len(schedule)} characters, at most {LONGEST} fit"
    if schedule.startswith("@"):
        if schedule.lower() == "@reboot":
            return "it has no times to watch: leave the schedule out"
        return "" if schedule.lower() in ALIASES else "no such @ form"
    words = schedule.lower().split()
    if len(words) != 5:
        return f"it has {len(words)} field{'' if len(words) == 1 else 's'}, cron has 5"
    for word, (name, low, high, names) in zip(words, _FIELDS, strict=True):
        if not all(_is_item(item, low, high, names) for item in word.split(",")):
            return f"bad {name} {word[:40]!r}"
    return ""


def _is_item(item: str, low: int, high: int, names: list[str]) -> bool:
    body, slash, step = item.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 0 < int(step[:6]) <= high + 1):
        return False
    if body == "*":
        return True
    first, dash, last = body.partition("-")
    start, end = _value(first, low, names), _value(last if dash else first, low, names)
    return low <= start <= high and low <= end <= high and (start <= end or high == 7)


def _value(word: str, low: int, names: list[str]) -> int:
    """The number that a word in a field stands for, or -1."""
    if word in names:
        return names.index(word) + low
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 2 else -1
