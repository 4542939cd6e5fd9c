"""A systemd unit for the server as it was called: only what it has to write is open to it.

Channels that are programs (`sendmail` among them) have needs that nobody here knows: where there
are some, what would keep them from their work is left open.
"""

import os
from dataclasses import dataclass, field
from typing import Iterator, Sequence

_LOWEST_FREE_PORT = 1024
_HOMES = ("/home/", "/root/", "/run/user/")
_EXAMPLES = {
    "RADAR_DATABASE": "postgresql://USER:PASSWORD@HOST/NAME",
    "RADAR_SERVER_PING": "https://HOST/ping/TOKEN",
    "RADAR_SERVER_CELERY_BROKER": "redis://:PASSWORD@HOST/0",
}
_SYSTEM_STATE = "/var/lib/"
# systemd.exec(5); each keeps from what neither radar nor a program for mail has to do.
_CLOSED = (
    *("PrivateTmp", "PrivateDevices", "ProtectClock", "ProtectControlGroups", "ProtectHostname"),
    *("ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "LockPersonality"),
    *("RestrictNamespaces", "RestrictRealtime"),
)


@dataclass(frozen=True, slots=True)
class Unit:
    """The things that a unit depends on. Paths are absolute."""

    program: Sequence[str]  # radar itself
    words: Sequence[str]  # what stands behind it
    state_directory: str
    user: str  # "" for root
    port: int
    written: Sequence[str] = ()  # folders besides the state directory
    read: Sequence[str] = ()  # files that it needs: its config, certificates
    environment: dict[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = ()  # variables that hold what mustn't stand in a unit
    is_on_postgresql: bool = False
    starts_programs: bool = False

    def text(self) -> str:
        """Return the unit, with how to install it."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield "# Written by 'radar server --print-unit'. To install it:"
        yield "#   radar server ... --print-unit | sudo tee /etc/systemd/system/radar.service"
        yield "#   sudo systemctl daemon-reload && sudo systemctl enable --now radar"
        yield "[Unit]"
        yield "Description=radar, a dead man's switch for cron jobs"
        yield "Wants=network-online.target"
        after = " postgresql.service" if self.is_on_postgresql else ""
        yield f"After=network-online.target{after}"
        yield "# It is to run whatever happens: nobody else would report its end."
        yield "StartLimitIntervalSec=0"
        yield ""
        yield "[Service]"
        yield "Type=exec"
        yield f"ExecStart={' '.join(map(quote, (*self.program, *self.words)))}"
        yield "Restart=always"
        yield "RestartSec=2"
        yield "# Each ping that was answered is stored by then."
        yield "TimeoutStopSec=30"
        yield "LimitNOFILE=65536"
        if self.user:
            yield f"User={self.user}"
        for name, value in self.environment.items():
            yield f"Environment={quote(f'{name}={value}')}"
        if self.secrets:
            yield "# Of mode 0600, with what mustn't stand here, a line each:"
            yield from (f"#   {name}={_EXAMPLES[name]}" for name in self.secrets)
            yield "EnvironmentFile=/etc/radar/server.env"
        yield ""
        yield from self._hardening()
        yield ""
        yield "[Install]"
        yield "WantedBy=multi-user.target"

    def _hardening(self) -> Iterator[str]:
        yield "UMask=0077"
        if os.path.dirname(self.state_directory) + "/" == _SYSTEM_STATE:
            yield f"StateDirectory={quote(os.path.basename(self.state_directory))}"
            yield "StateDirectoryMode=0700"
            written = [*self.written]
        else:
            written = [self.state_directory, *self.written]
        needed = (*self.program, *self.read, *written)
        is_at_home = any(path.startswith(_HOMES) for path in needed)
        yield f"ProtectHome={'read-only' if is_at_home else 'yes'}"
        yield from (f"{name}=yes" for name in _CLOSED)
        yield "SystemCallArchitectures=native"
        if self.starts_programs:
            yield "# Channels start programs, which may need more: mail its spool and set-uid bits."
            yield "ProtectSystem=full"
        else:
            yield "ProtectSystem=strict"
            yield "NoNewPrivileges=yes"
            yield "RestrictSUIDSGID=yes"
            yield "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK"
            yield "SystemCallFilter=@system-service"
            yield "SystemCallErrorNumber=EPERM"
            yield f"CapabilityBoundingSet={self._capability()}".rstrip()
        if self.user and self._capability():
            yield f"AmbientCapabilities={self._capability()}"
        for path in dict.fromkeys(written):
            yield f"ReadWritePaths={quote(path)}"

    def _capability(self) -> str:
        return "CAP_NET_BIND_SERVICE" if 0 < self.port < _LOWEST_FREE_PORT else ""


def quote(word: str) -> str:
    """Return a word as systemd.syntax(7) reads it back, without its specifiers and variables."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    is_plain = word and not any(each.isspace() or each in "'\"\\;" for each in word)
    return escaped if is_plain else f'"{escaped}"'
