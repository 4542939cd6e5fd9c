"""Pings that were made before it could be known where they go, and what must not go there."""

from radar_cli.pings.ping import Ping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.pings.destinations import Destination


def clean(ping: Ping, destination: "Destination") -> Ping:
    """The ping without what its destination's config wants redacted: it could not be read then."""
    if not ping.body:
        return ping
    from radar_cli.wrap.redaction import redact, secrets_of
    from radar_cli.wrap.watchers import compile_patterns

    body = ping.body
    gone = int(ping.fields.get("omitted") or "0")
    if gone:
        # A secret may be cut in half where the output begins: that line is left out.
        body = body.partition(b"\n")[2]
    secrets = secrets_of({}, [destination.key] if destination.key else [])
    patterns = compile_patterns(destination.redact, "redact", [])
    gone += len(ping.body) - len(body)
    body, _ = redact(body, secrets, patterns, is_cut=False)
    fields = {**ping.fields, "omitted": str(gone)} if gone else ping.fields
    return Ping(
        ping.kind,
        ping.monitor,
        run_id=ping.run_id,
        time_us=ping.time_us,
        fields=fields,
        body=body.decode("utf-8", "replace").encode(),  # a pattern may cut a character in two
        ping_id=ping.id,
    )
