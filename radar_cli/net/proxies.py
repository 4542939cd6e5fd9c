"""Proxies: which one leads to a server, and the tunnel through it."""

from radar_cli.core.urls import Url
from radar_cli.model.ping import unquote
from radar_cli.net import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def proxy_for(url: Url, environ: "Mapping[str, str]") -> Url | None:
    """The proxy that the environment names for `url`; None for none.

    LinkError: it names one that can't be used, which is an error of the settings.
    """
    names = [f"{url.scheme}_proxy", f"{url.scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"]
    if url.scheme == "http" and "REQUEST_METHOD" in environ:
        del names[1]  # in a CGI, HTTP_PROXY is whatever the client's `Proxy:` header said
    name = next((name for name in names if environ.get(name, "").strip()), "")
    if not name or _is_excluded(url, environ.get("no_proxy") or environ.get("NO_PROXY") or ""):
        return None
    text = environ[name].strip()
    # Not shown in full: it may hold a password.
    scheme, mark, _ = text.partition("://")
    if mark and scheme.lower() != "http":
        hint = f"set {names[0]} to an http:// proxy, or name the server in no_proxy"
        message = f"radar speaks to http:// proxies only, not to {scheme[:20]}:// ({hint})"
        raise _refuse(name, message)
    try:
        proxy = Url(text if mark else "http://" + text)
    except ValueError as error:
        raise _refuse(name, str(error)) from error
    try:
        unquote(proxy.userinfo)
    except ValueError:
        message = "its user and password are no percent-encoding (a % is written %25)"
        raise _refuse(name, message) from None
    return proxy


def _refuse(name: str, why: str) -> LinkError:
    return LinkError(f"the proxy in {name} can't be used: {why}", is_setting=True)


def _is_excluded(url: Url, exceptions: str) -> bool:
    host = url.host.rstrip(".")
    address = _packed(host)
    for exception in exceptions.replace(",", " ").lower().split():
        name, port = exception, ""
        if exception.startswith("["):  # an IPv6 address
            name, _, port = exception[1:].partition("]")
            port = port.removeprefix(":")
        elif exception.count(":") == 1:
            name, _, port = exception.partition(":")
        if port and port != str(url.port):
            continue
        if exception == "*":
            return True
        if address:
            if _is_in_network(address, name):
                return True
            continue
        name = name.removeprefix("*").removeprefix(".").rstrip(".")
        if name and (host == name or host.endswith("." + name)):
            return True
    return False


def _is_in_network(address: bytes, network: str) -> bool:
    """Whether an address is this one, or in this network in CIDR notation."""
    base, slash, bits = network.partition("/")
    start = _packed(base)
    whole = 8 * len(start)
    if len(start) != len(address) or (slash and not (bits.isascii() and bits.isdigit())):
        return False
    shift = whole - int(bits[:4] if slash else whole)
    if shift < 0:
        return False
    return int.from_bytes(address, "big") >> shift == int.from_bytes(start, "big") >> shift


def _packed(host: str) -> bytes:
    """The bytes of an IP address; none of anything else."""
    import _socket

    try:
        return _socket.inet_pton(_socket.AF_INET6 if ":" in host else _socket.AF_INET, host)
    except (OSError, ValueError):
        return b""


def proxy_headers(proxy: Url) -> list[str]:
    """Return the headers that a proxy with a password wants."""
    if not proxy.userinfo:
        return []
    user, _, password = unquote(proxy.userinfo).partition(":")
    return [f"Proxy-Authorization: {basic(f'{user}:{password}')}"]


def render_connect(target: Url, proxy: Url) -> bytes:
    """The request for a tunnel to a server (RFC 9110, 9.3.6)."""
    place = target.endpoint
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", *proxy_headers(proxy), "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace")


def basic(credentials: str) -> str:
    """The value of an Authorization header (RFC 7617) for `user:password`."""
    import binascii

    return "Basic " + binascii.b2a_base64(credentials.encode(), newline=False).decode()
