"""What an unknown monitor is created with on its first ping: its schedule and its limits."""

from radar_cli.core.cron import find_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.wrap.options import Options


def declare(options: "Options") -> dict[str, str]:
    """The fields that declare the monitor; what is wrong in one is left out, with a warning."""
    fields: dict[str, str] = {}
    if options.schedule:
        schedule = " ".join(options.schedule.split())
        wrong = find_fault(schedule)
        if wrong:
            options.warnings.append(f"schedule {options.schedule[:60]!r} is ignored: {wrong}")
        else:
            fields["schedule"] = schedule
    elif options.every:
        fields["every"] = _number(options.every)
    if options.tz:
        if _is_timezone(options.tz):
            fields["tz"] = options.tz
        else:
            options.warnings.append(
                f"timezone {options.tz[:60]!r} is ignored: use a name like Europe/London"
            )
    if options.grace is not None:
        fields["gracePeriod"] = _number(options.grace)
    if options.max_runtime is not None:
        fields["max_runtime"] = _number(options.max_runtime)
    if options.name:
        fields["name"] = options.name[:200]
    if options.tag:
        fields["tags"] = " ".join(dict.fromkeys(options.tag))[:500]
    return fields


def _is_timezone(name: str) -> bool:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def _number(seconds: float) -> str:
    return str(int(seconds)) if seconds == int(seconds) else str(seconds)
