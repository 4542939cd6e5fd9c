"""The settings that radar knows: one table, read by the loader, `radar config` and the docs."""

DEFAULT_PROFILE = "default"
PROTOCOLS = ("radar", "cronradar")

# One connection: these belong to the server that they were set for.
CONNECTION = frozenset(("server", "api_key", "protocol", "ca_file", "headers"))
# What must never reach another server.
CREDENTIALS = frozenset(("api_key", "headers"))


class Known:
    """One setting: its name, the kind of its value, what it is for, its environment variable.

    `default` is what radar does without it, as a person would write it; empty if there is
    nothing to write.
    """

    __slots__ = ("default", "help", "kind", "name", "variable")

    def __init__(self, name: str, kind: str, help: str, default: str = "") -> None:  # noqa: A002  (its natural name)
        self.name = name
        self.kind = kind
        self.help = help
        self.default = default
        self.variable = "RADAR_" + name.upper()


SETTINGS = {
    known.name: known
    for known in (
        Known("profile", "text", "name of the profile to use when none is named"),
        Known("server", "server", "URL of the server; empty: the store on this machine"),
        Known("api_key", "secret", "key for the server: itself, file:PATH or cmd:COMMAND"),
        Known("protocol", "protocol", "what the server speaks: radar or cronradar"),
        Known("ca_file", "path", "certificates to trust instead of the system's"),
        Known("headers", "headers", "headers to add to each request"),
        Known("host", "text", "name of this machine to report"),
        Known("ping_timeout", "duration", "longest wait for a delivery after the job's end", "10s"),
        Known("tail", "size", "how many bytes of a job's output to send", "10k"),
        Known("redact", "regexes", "regular expressions of what to blot out of the output"),
        Known("keep_pings", "count", "how many pings of a monitor the store keeps", "10000"),
        Known("keep_pings_for", "duration", "and for how long", "400d"),
        Known("keep_outputs", "count", "how many of them with their output", "1000"),
        Known("keep_outputs_for", "duration", "and for how long", "90d"),
        Known("tz", "timezone", "timezone of the schedules, like Europe/Berlin"),
    )
}

# The tables at the top of a file that hold more tables.
TABLES = ("profiles", "notify")

# What may stand in a [profiles.NAME] table.
PROFILE_SETTINGS = tuple(name for name in SETTINGS if name != "profile")


class Setting:
    """A value and where it came from; `error` says why a value can't be used."""

    __slots__ = ("error", "origin", "source", "value")

    def __init__(
        self, value: object, origin: str = "default", *, error: str = "", source: object = None
    ) -> None:
        self.value = value
        self.origin = origin
        self.error = error
        self.source = source  # the ConfigFile that it stands in, if any


class Problem:
    """Something in the settings that a person should edit."""

    __slots__ = ("file", "hint", "key", "message")

    def __init__(self, file: str, key: "tuple[str, ...]", message: str, hint: str = "") -> None:
        self.file = file  # a path, or `environment RADAR_…`
        self.key = key
        self.message = message
        self.hint = hint

    def line(self) -> str:
        """File, message and hint, on one line."""
        text = f"{self.file}: {self.message}"
        return f"{text} ({self.hint})" if self.hint else text
