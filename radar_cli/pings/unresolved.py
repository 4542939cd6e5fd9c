"""Pings that were made before it could be known where they go, and what must not go there."""

from radar_cli.pings.destinations import UNRESOLVED, Destination
from radar_cli.pings.ping import Ping

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

# What may hold a line of output, or the command; it was cut after its secrets were taken out.
_WORDS = ("reason", "message", "command")
_SHORTEST_HALF_BYTES = 4


def unresolved(profiles: list[str], environ: "Mapping[str, str]") -> list[Destination]:
    """What stands for the destinations of these profiles while it isn't known where they are."""
    names = profiles or [environ.get("RADAR_PROFILE", "")]
    return [Destination(UNRESOLVED, profile=name) for name in dict.fromkeys(names)]


def clean(ping: Ping, destination: Destination) -> Ping:
    """The ping without what its destination's config wants redacted: it could not be read then."""
    from radar_cli.wrap.redaction import redact, secrets_in_headers, secrets_of
    from radar_cli.wrap.watchers import compile_patterns

    own = [destination.key] if destination.key else []
    secrets = secrets_of({}, own + secrets_in_headers(destination.headers))
    patterns = compile_patterns(destination.redact, "redact", [])
    fields = dict(ping.fields)
    for name in _WORDS:
        if name in fields:
            fields[name] = _clean_words(fields[name], secrets, patterns)
    body = ping.body
    gone = int(fields.get("omitted") or "0")
    if gone and body:
        # A secret may be cut in half where the output begins: that line is left out.
        body = body.partition(b"\n")[2]
        gone += len(ping.body) - len(body)
        fields["omitted"] = str(gone)
    body, _ = redact(body, secrets, patterns, is_cut=False)
    return Ping(
        ping.kind,
        ping.monitor,
        run_id=ping.run_id,
        time_us=ping.time_us,
        fields=fields,
        body=body.decode("utf-8", "replace").encode(),  # a pattern may cut a character in two
        ping_id=ping.id,
    )


def _clean_words(words: str, secrets: list[bytes], patterns: "list[re.Pattern[bytes]]") -> str:
    """Words without secrets, and without the half of one that they were cut off in."""
    from radar_cli.wrap.redaction import redact

    raw = words.encode("utf-8", "replace")
    for secret in secrets:
        for size in range(len(secret) - 1, _SHORTEST_HALF_BYTES - 1, -1):
            if raw.endswith(secret[:size]):
                raw = raw[:-size]
                break
    return redact(raw, secrets, patterns, is_cut=False)[0].decode("utf-8", "replace")
