"""TLS for the ping client: the certificates that OpenSSL and curl trust on this machine.

OpenSSL reads just the certificates it needs from a directory that has them under the hashes of
their subjects; reading a whole bundle takes it 20 ms. But a bundle is where a private CA often
stands alone. So the directory comes first, and the bundle when the directory doesn't do.
"""

import os
import socket
import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Mapping

# Where systems keep them, for an OpenSSL that was built for another one (as in uv's Pythons):
# Debian, Alpine, Arch and SUSE; Red Hat and Fedora; the last is Fedora's since 43.
_DIRECTORIES = (
    "/etc/ssl/certs",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted/pem/directory-hash",
)
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_HASHED = frozenset("0123456789abcdef")
# X509_V_ERR_…: UNABLE_TO_GET_ISSUER_CERT, DEPTH_ZERO_SELF_SIGNED_CERT, SELF_SIGNED_CERT_IN_CHAIN,
# UNABLE_TO_GET_ISSUER_CERT_LOCALLY, UNABLE_TO_VERIFY_LEAF_SIGNATURE.
_UNKNOWN_ISSUER = frozenset((2, 18, 19, 20, 21))


class CaError(OSError):
    """The certificates to trust can't be had."""


class Trust:
    """Whom one client trusts: `ca_file` alone, else what the environment and the system name."""

    def __init__(self, ca_file: str, environ: "Mapping[str, str]") -> None:
        self._ca_file = ca_file
        self._environ = environ
        self._bundle = "" if ca_file else _find_bundle(environ)
        self._context: ssl.SSLContext | None = None

    def start_tls(
        self, connection: "_socket.socket", host: str, timeout_s: float
    ) -> ssl.SSLSocket | None:
        """Put TLS on the connection, which then belongs to what is returned, or is closed.

        None: the server's issuer was looked for in the directory only, and is trusted on a new
        connection if it stands in the bundle. OSError (ssl.SSLError is one): the handshake failed.
        CaError: a CA file can't be read.
        """
        plain = socket.socket(fileno=connection.detach())
        try:
            if self._context is None:
                self._context = self._make_context()
            plain.settimeout(timeout_s)
            return self._context.wrap_socket(plain, server_hostname=host)
        except BaseException as error:
            plain.close()
            if isinstance(error, ssl.SSLCertVerificationError) and self._can_trust_more(error):
                return None
            raise

    def whole_context(self) -> ssl.SSLContext:
        """A context with all that is trusted. CaError: a CA file can't be read."""
        context = self._make_context()
        self._add_bundle(context)
        return context

    def _make_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # As curl and Python's own default have it: who trusts an intermediate needs no root.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        named = self._ca_file or self._environ.get("SSL_CERT_FILE", "")
        if named:
            try:
                context.load_verify_locations(cafile=named)
            except OSError as error:
                raise CaError(f"the CA file {named} can't be used: {error.strerror}") from error
        if not (self._ca_file or self._add_directory(context)):
            self._add_bundle(context)
        return context

    def _add_directory(self, context: ssl.SSLContext) -> bool:
        """Let OpenSSL look into the directory, or into several; whether it finds anything there."""
        if named := self._environ.get("SSL_CERT_DIR", ""):
            context.load_verify_locations(capath=named)
            return any(_is_hashed(folder) for folder in named.split(os.pathsep))
        for folder in (ssl.get_default_verify_paths().openssl_capath, *_DIRECTORIES):
            if _is_hashed(folder):
                context.load_verify_locations(capath=folder)
                return True
        return False

    def _can_trust_more(self, error: ssl.SSLCertVerificationError) -> bool:
        """Whether a bundle was left out that may have the issuer; from now on it is trusted."""
        if self._context is None or error.verify_code not in _UNKNOWN_ISSUER:
            return False
        return self._add_bundle(self._context)

    def _add_bundle(self, context: ssl.SSLContext) -> bool:
        bundle, self._bundle = self._bundle, ""
        if not bundle:
            return False
        try:
            context.load_verify_locations(cafile=bundle)
        except OSError:  # nobody has named it: what the directory has may do
            return False
        return True


def make_context(ca_file: str, environ: "Mapping[str, str]") -> ssl.SSLContext:
    """A context that trusts what `Trust` does, for a client that connects by itself.

    CaError: the CA file can't be read.
    """
    return Trust(ca_file, environ).whole_context()


def _find_bundle(environ: "Mapping[str, str]") -> str:
    """The system's bundle, unless the environment names another one; "" if there is none."""
    if environ.get("SSL_CERT_FILE"):
        return ""
    places = (ssl.get_default_verify_paths().openssl_cafile, *_BUNDLES)
    return next((path for path in places if os.access(path, os.R_OK)), "")


def _is_hashed(folder: str) -> bool:
    """Whether a folder holds certificates under the hashes of their subjects (`c_rehash`)."""
    try:
        names = os.listdir(folder)
    except PermissionError:
        return os.access(folder, os.X_OK)  # OpenSSL needs no list
    except OSError:
        return False
    return any(
        name.endswith(".0") and len(name) == 10 and _HASHED.issuperset(name[:8]) for name in names
    )
