"""TLS for the ping client."""

import os
import socket
import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Mapping


class CaError(OSError):
    """The certificates to trust can't be had."""


_HASHED = frozenset("0123456789abcdef")


def start_tls(
    connection: "_socket.socket",
    host: str,
    ca_file: str,
    environ: "Mapping[str, str]",
    timeout_s: float,
) -> ssl.SSLSocket:
    """The connection with TLS on it; it belongs to what is returned, or is closed.

    OSError (ssl.SSLError is one): the handshake failed. CaError: a CA file can't be read.
    """
    plain = socket.socket(fileno=connection.detach())
    try:
        plain.settimeout(timeout_s)
        return make_context(ca_file, environ).wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def make_context(ca_file: str, environ: "Mapping[str, str]") -> ssl.SSLContext:
    """A context that verifies servers against `ca_file`, else SSL_CERT_FILE, else the system.

    CaError: the CA file can't be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file = ca_file or environ.get("SSL_CERT_FILE", "")
    if file:
        try:
            context.load_verify_locations(cafile=file)
        except OSError as error:
            raise CaError(f"the CA file {file} can't be used: {error.strerror}") from error
        return context
    paths = ssl.get_default_verify_paths()
    for folder in (environ.get("SSL_CERT_DIR", ""), paths.openssl_capath, "/etc/ssl/certs"):
        # OpenSSL reads just the certificates it needs from such a folder; the bundle that holds
        # them all takes it 20 ms.
        if folder and _is_hashed(folder):
            context.load_verify_locations(capath=folder)
            return context
    context.load_default_certs()
    return context


def _is_hashed(folder: str) -> bool:
    """Whether a folder holds certificates under the hashes of their subjects (`c_rehash`)."""
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return any(
        name.endswith(".0") and len(name) == 10 and _HASHED.issuperset(name[:8]) for name in names
    )
