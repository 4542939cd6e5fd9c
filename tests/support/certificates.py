"""Certificates of a test's own authority, and what a client needs to trust it."""

import ssl
from pathlib import Path

import trustme


class Authority:
    """A certificate authority; `ca_file` is what SSL_CERT_FILE or --cacert wants."""

    def __init__(self, directory: Path) -> None:
        self._ca = trustme.CA()
        self.ca_file = directory / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.ca_file))

    def server_context(self, hostname: str = "localhost") -> ssl.SSLContext:
        """For `Server(tls=…)`: with another hostname, its certificate is for the wrong host."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(hostname).configure_cert(context)
        return context
