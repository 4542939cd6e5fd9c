"""Declarations: what an unknown monitor is created with on its first ping."""

from radar_cli.core.cron import find_fault
from radar_cli.core.grammar import format_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.wrap.options import Options

_LONGEST_REFUSED = 200  # no schedule that can be read is longer


class Declaration:
    """A program's declaration of its monitor, by the names of the options of `radar run`."""

    def __init__(
        self, *, schedule: str = "", tz: str = "", name: str = "", tag: "list[str] | None" = None
    ) -> None:
        self.schedule = schedule
        self.tz = tz
        self.name = name
        self.tag = tag or []
        self.every: float | None = None
        self.grace: float | None = None
        self.max_runtime: float | None = None
        self.hosts = ""
        self.refused: dict[str, str] = {}
        self.warnings: list[str] = []

    def set(self, flag: str, text: str, read: "Callable[[str], object]") -> None:
        """Set what an option stands for; a text that can't be read goes along as it is."""
        try:
            setattr(self, flag[2:].replace("-", "_"), read(text))
        except ValueError as error:
            self.warnings.append(f"{flag[2:]} {text[:60]!r} is ignored: {error}")
            self.refused[flag] = text

    def set_period(self, flag: str, period: object) -> None:
        """Set a duration: a text like `15m`, seconds, or a timedelta; None leaves it open."""
        from datetime import timedelta

        from radar_cli.core.grammar import parse_duration, parse_period

        if period is None:
            return
        if isinstance(period, timedelta):
            period = period.total_seconds()
        text = format_seconds(period) if isinstance(period, (int, float)) else str(period)
        self.set(flag, text, parse_duration if flag == "--grace" else parse_period)

    def fields(self) -> dict[str, str]:
        """Return the fields that declare the monitor."""
        return declare(self)


def declare(options: "Options | Declaration") -> dict[str, str]:
    """Return the fields that declare the monitor.

    What can't be read goes along as it is, with a warning here: who keeps the monitor shows it as
    a fault, since nobody reads what a line of a crontab says on stderr.
    """
    fields: dict[str, str] = {}
    if options.schedule:
        schedule = " ".join(options.schedule.split())
        wrong = find_fault(schedule)
        if wrong:
            options.warnings.append(f"schedule {options.schedule[:60]!r} is ignored: {wrong}")
        fields["schedule"] = schedule[:_LONGEST_REFUSED]
    elif options.every:
        fields["every"] = format_seconds(options.every)
    if options.tz:
        from radar_cli.core.zone import is_zone

        fields["tz"] = options.tz[:_LONGEST_REFUSED]
        if not is_zone(options.tz):
            options.warnings.append(
                f"timezone {options.tz[:60]!r} is ignored: use a name like Europe/London"
            )
    if options.grace is not None:
        fields["gracePeriod"] = format_seconds(options.grace)
    if options.max_runtime is not None:
        fields["max_runtime"] = format_seconds(options.max_runtime)
    if options.hosts:
        fields["hosts"] = options.hosts
    for flag, text in options.refused.items():
        fields[_FIELDS[flag]] = text[:_LONGEST_REFUSED]
    if options.name:
        fields["name"] = options.name[:200]
    if options.tag:
        fields["tags"] = " ".join(dict.fromkeys(options.tag))[:500]
    return fields


# What pings call the options whose variable may hold what can't be read.
_FIELDS = {
    "--every": "every",
    "--grace": "gracePeriod",
    "--max-runtime": "max_runtime",
    "--hosts": "hosts",
}
