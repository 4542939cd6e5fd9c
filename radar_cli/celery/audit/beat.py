"""Rules on Beat."""

from collections.abc import Mapping
from typing import Any

from radar_cli.celery.audit.facts import MISSING, Facts, seconds_of
from radar_cli.celery.audit.rule import Advice, Rule, advice

_OFTEN_S = 3600


def _deadline(facts: Facts) -> Advice | None:
    name = "beat_cron_starting_deadline"
    is_unset = facts.get(name) is not MISSING and not facts.has(name)
    return advice("3600") if facts.has("beat_schedule") and is_unset else None


def _expires(facts: Facts) -> Advice | None:
    schedule = facts.get("beat_schedule")
    if not isinstance(schedule, Mapping):
        return None
    names = [str(name) for name, entry in schedule.items() if _piles_up(entry)]
    if not names:
        return None
    because = f"while workers are away these pile up: {', '.join(sorted(names)[:5])}"
    return advice("", because)


def _piles_up(entry: Any) -> bool:
    if not isinstance(entry, Mapping):
        return False
    options = entry.get("options")
    expires = options.get("expires") if isinstance(options, Mapping) else None
    return 0 < seconds_of(entry.get("schedule")) <= _OFTEN_S and not expires


RULES = (
    Rule(
        "beat_cron_starting_deadline",
        "3600",
        "after an outage Beat sends every crontab entry that it missed, however late",
        "an entry that is missed for longer waits for its next time",
        _deadline,
    ),
    Rule(
        "beat_schedule",
        "'options': {'expires': SECONDS} in each frequent entry, no longer than its interval",
        "each tick of an outage adds one more of the same task, and all run afterwards",
        "",
        _expires,
    ),
)
