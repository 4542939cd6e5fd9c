"""Through which proxy a server is reached, and the tunnel through it."""

from radar_cli.core.urls import Url
from radar_cli.model.ping import unquote
from radar_cli.net.messages import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def proxy_for(url: Url, environ: "Mapping[str, str]") -> Url | None:
    """The proxy that the environment names for `url`, as curl reads it; None for none.

    LinkError: it names one that can't be used.
    """
    names = [f"{url.scheme}_proxy", f"{url.scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"]
    if url.scheme == "http" and "REQUEST_METHOD" in environ:
        del names[1]  # in a CGI, HTTP_PROXY is whatever the client's `Proxy:` header said
    name = next((name for name in names if environ.get(name)), "")
    if not name or _is_excluded(url, environ.get("no_proxy") or environ.get("NO_PROXY") or ""):
        return None
    text = environ[name]
    try:
        proxy = Url(text if "://" in text else "http://" + text)
        unquote(proxy.userinfo)
    except ValueError:
        proxy = None
    if proxy is None or proxy.scheme != "http":
        # Not shown in full: it may hold a password.
        scheme = text.partition("://")[0] if "://" in text else "none"
        raise LinkError(
            f"the proxy in {name} can't be used: its URL must start with http:// (it has"
            f" {scheme[:20]!r})",
            needs_person=True,
        )
    return proxy


def _is_excluded(url: Url, exceptions: str) -> bool:
    for exception in exceptions.replace(",", " ").lower().split():
        name, port = exception, ""
        if exception.startswith("["):  # an IPv6 address
            name, _, port = exception[1:].partition("]")
            port = port.removeprefix(":")
        elif exception.count(":") == 1:
            name, _, port = exception.partition(":")
        if port and port != str(url.port):
            continue
        name = name.removeprefix("*").removeprefix(".")
        if exception == "*" or url.host == name or url.host.endswith("." + name):
            return True
        if "/" in name and _is_in_network(url.host, name):
            return True
    return False


def _is_in_network(host: str, network: str) -> bool:
    """Whether an address is in a network in CIDR notation."""
    import _socket

    base, _, bits = network.partition("/")
    family = _socket.AF_INET6 if ":" in base else _socket.AF_INET
    try:
        address, start = _socket.inet_pton(family, host), _socket.inet_pton(family, base)
        shift = 8 * len(start) - int(bits)
        return int.from_bytes(address, "big") >> shift == int.from_bytes(start, "big") >> shift
    except (OSError, ValueError):
        return False


def proxy_headers(proxy: Url) -> list[str]:
    """What a proxy with a password wants to see."""
    if not proxy.userinfo:
        return []
    return ["Proxy-Authorization: " + basic(unquote(proxy.userinfo))]


def render_connect(target: Url, proxy: Url) -> bytes:
    """The request for a tunnel to a server (RFC 9110, 9.3.6)."""
    place = target.endpoint
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", *proxy_headers(proxy), "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace")


def basic(credentials: str) -> str:
    """The value of an Authorization header (RFC 7617) for `user:password`."""
    import binascii

    return "Basic " + binascii.b2a_base64(credentials.encode(), newline=False).decode()
