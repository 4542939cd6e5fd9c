"""What becomes of a run's pings that aren't delivered, and the words for it."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.pings.announcer import Announcer
    from radar_cli.pings.delivery import Outcome
    from radar_cli.pings.destinations import Destination
    from radar_cli.pings.ping import Ping
    from radar_cli.pings.spool import Entry


def settle(
    announcer: "Announcer",
    destination: "Destination",
    ping: "Ping",
    entry: "Entry | None",
    outcome: "Outcome",
    unkept: str,
) -> None:
    """Keep a ping, or set it aside; `unkept` says why there is no entry of it."""
    if outcome.result == "dropped":
        if entry is not None:
            entry.remove()
        announcer.tell(ping, "not sent", outcome.reason, aloud=False)
    elif outcome.result == "unsure":
        if entry is not None:
            entry.remove()
        announcer.tell(ping, "not sent again", outcome.reason, aloud=True)
    elif entry is None:
        if outcome.needs_person:
            unkept = f"{outcome.reason}; {unkept}"
        else:
            announcer.tell(ping, "not delivered", outcome.reason, aloud=False)
        announcer.tell(ping, "lost", unkept, aloud=True)
    elif outcome.result == "rejected":
        from radar_cli.pings.outbox import reject

        reject(entry, outcome.reason)
        announcer.tell(ping, "refused", outcome.reason, aloud=True)
    else:
        entry.sync()
        if outcome.status == 401 and "key" in entry.to:
            # The key is no account's: the right one may differ in its fingerprint.
            from radar_cli.pings.outbox import readdress

            readdress(entry, {"server": destination.server})
        entry.release()
        announcer.has_kept = True
        announcer.tell(ping, "kept in the outbox", outcome.reason, aloud=outcome.needs_person)


def tell(lines: list[str], kind: str, fate: str, reason: str) -> None:
    """Add `the KIND ping is FATE: REASON` to the lines, or to the line that says it already."""
    for at, line in enumerate(lines):
        kinds = line.removeprefix("the ").removesuffix(f": {reason}")
        for mark in (f" ping is {fate}", f" pings are {fate}"):
            if kinds.endswith(mark) and line.endswith(f"{mark}: {reason}"):
                known = kinds.removesuffix(mark).split(" and ")
                if kind not in known:
                    lines[at] = f"the {' and '.join([*known, kind])} pings are {fate}: {reason}"
                return
    lines.append(f"the {kind} ping is {fate}: {reason}")
