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

    def server_files(self, directory: Path, hostname: str = "localhost") -> tuple[Path, Path]:
        """The certificate and the key of a server, in two files."""
        issued = self._ca.issue_cert(hostname)
        certificate, key = directory / "server.pem", directory / "server.key"
        issued.cert_chain_pems[0].write_to_path(str(certificate))
        issued.private_key_pem.write_to_path(str(key))
        return certificate, key

    def client_context(self) -> ssl.SSLContext:
        """For a client that trusts nobody else."""
        return ssl.create_default_context(cafile=str(self.ca_file))
