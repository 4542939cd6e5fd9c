"""The settings of a running server."""

from dataclasses import dataclass
from socket import gethostname
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radar_cli.server.runtime.beacon import Watcher
    from radar_cli.server.runtime.keys import ApiKey

PORT = 8321
BODY_LIMIT_BYTES = 100_000
REQUESTS_A_MINUTE = 1_000
MONITORS_PER_KEY = 10_000
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The options of `radar server`; durations in seconds, sizes in bytes."""

    host: str = "127.0.0.1"
    port: int = PORT
    database: str = ""  # a URL; "": the embedded store of `state_directory`
    state_directory: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    root_path: str = ""  # what a proxy puts before every path
    public_url: str = ""  # as people reach it; "": as each of them does
    allowed_hosts: tuple[str, ...] = ()  # for the Host header; empty: see guards.allowed_hosts
    trusted_proxies: tuple[str, ...] = ()  # addresses whose forwarded headers count
    access_log: str = ""  # a file, or - for stdout
    log_level: str = "info"
    log_format: str = "text"
    rate_limit: int = REQUESTS_A_MINUTE  # requests a minute, per key and per address; 0: none
    limits_loopback: bool = False  # whether that counts for clients on this machine, too
    body_limit_bytes: int = BODY_LIMIT_BYTES
    tz: str = ""  # of schedules that name none; "": this machine's
    monitors_per_key: int = MONITORS_PER_KEY  # that a ping key may make; 0: any number
    watchers: "tuple[Watcher, ...]" = ()  # servers that this one pings
    ping_every_s: float = 60.0
    ca_file: str = ""  # certificates for these to trust instead of the system's
    remind_every_s: float = 0.0  # tell again of what is still down; 0: never
    celery_broker: str = ""  # through which admin keys control workers and tasks; "": they don't

    def most_monitors(self, key: "ApiKey") -> int:
        """Return how many monitors an API key may make; 0: any number."""
        return 0 if key.may("admin") else self.monitors_per_key

    @property
    def link_url(self) -> str:
        """The URL that links in notices begin with; "" if nobody else could follow them."""
        if self.public_url or self.host not in _LOOPBACK:
            return self.url
        return ""

    @property
    def url(self) -> str:
        """The server's URL, without a last slash."""
        if self.public_url:
            return self.public_url.rstrip("/")
        scheme = "https" if self.tls_cert else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.host in ("0.0.0.0", "::"):  # noqa: S104 (it isn't bound here)
            host = gethostname()  # as others may know it
        return f"{scheme}://{host}:{self.port}{self.root_path.rstrip('/')}"
