"""Failures on the way to a server, in words for people."""

from radar_cli.net import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.core.urls import Url
    from radar_cli.net.client import Link

_HINTS = {
    401: "is the API key right?",
    403: "is the API key right?",
    407: "the proxy wants a user and a password",
}
_TLS_HINT = "RADAR_CA_FILE or ca_file names certificates to trust"


class TunnelError(OSError):
    """A proxy lets nobody through to the server."""


def refuse_tunnel(proxy: "Url", status: int) -> TunnelError:
    """The error for what a proxy answered to CONNECT."""
    hint = f" ({_HINTS[status]})" if status in _HINTS else ""
    return TunnelError(status, f"proxy {proxy.text} answered {status}{hint}")


def explain(error: OSError, link: "Link") -> LinkError:
    """The error to show for one of the system's, or of TLS."""
    name = type(error).__name__
    if isinstance(error, TunnelError):
        return LinkError(error.strerror or "", needs_person=(error.errno or 0) < 500)
    if name == "CaError":
        return LinkError(str(error), is_setting=True)
    where = "" if link.proxy is None else f"proxy {link.proxy.text}: "
    if name == "SSLCertVerificationError":
        reason = getattr(error, "verify_message", "")
        hint = _TLS_HINT
        if "expired" in reason or "not yet valid" in reason:
            hint = "if this machine's clock is right, the server's has to be renewed"
        elif "match" in reason:
            hint = "is the URL right?"
        return LinkError(f"its certificate is not valid: {reason} ({hint})", needs_person=True)
    if isinstance(error, TimeoutError):
        return LinkError(f"{where}{error.strerror or 'no answer in time'}")
    return LinkError(where + (error.strerror or str(error) or name))
