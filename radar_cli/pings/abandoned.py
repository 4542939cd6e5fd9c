"""What a run leaves behind when its time is up: its pings wait for a later one, and it says so."""

import os

from radar_cli.pings.unresolved import unresolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.pings.announcer import Announcer
    from radar_cli.pings.delivery import Carrier
    from radar_cli.pings.destinations import Destination
    from radar_cli.pings.ping import Ping
    from radar_cli.pings.spool import Entry

_KEPT = "kept in the outbox"


def keep_unresolved(announcer: "Announcer", profiles: list[str], waited_for: str) -> None:
    """Keep a run's pings though it isn't known where they go.

    A person has to mend that, so it is said to everybody.
    """
    for destination in unresolved(profiles, os.environ):
        for ping in list(announcer.pings):
            announcer.complete(ping)
            if announcer.keep(ping, destination.address()):
                announcer.tell(ping, _KEPT, f"no time left to wait for {waited_for}", aloud=True)


def keep_undelivered(
    announcer: "Announcer",
    destination: "Destination",
    carrier: "Carrier | None",
    entry: "Entry | None",
    rest: "list[Ping]",
) -> None:
    """Keep the pings that one destination hasn't got; the first one's file may be `entry`.

    One that the server is being asked to take, and would take for news again, is let go.
    """
    reason = f"{destination.server}: no answer in time"
    unsure = f"{reason}, and it may have arrived"
    is_asked = carrier is not None and carrier.may_have_arrived
    if is_asked and carrier is not None and carrier.late is not None:
        from radar_cli.pings.flush import say_unsure

        late = carrier.late
        late.remove()
        announcer.warnings.append(say_unsure(late.ping, unsure))
        is_asked = False
    for at, ping in enumerate(rest):
        is_kept = False
        if at == 0 and entry is not None:
            if is_asked:
                entry.remove()
                announcer.tell(ping, "not sent again", unsure, aloud=True)
                continue
            try:
                entry.sync()
                is_kept = True
            except OSError:
                pass  # it is kept below
        if not is_kept:
            announcer.complete(ping)
            is_kept = announcer.keep(ping, destination.address())
        if is_kept and destination.is_server:
            announcer.tell(ping, _KEPT, reason, aloud=False)
