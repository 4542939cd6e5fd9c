"""Ports for the servers of the tests."""

import secrets
import socket

# Below those that systems give to clients: the tests have thousands, and one would take the port
# before its server does.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port on which nobody listens at this moment."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
