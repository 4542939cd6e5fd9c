"""URLs of servers, read by hand: `urllib.parse` would import `re` beside a running job."""

_PORTS = {"http": 80, "https": 443}
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
_IPV6 = frozenset("0123456789abcdefABCDEF:.")


class Url:
    """A server's URL in parts. `path` is what stands before every call, without a last slash."""

    def __init__(self, text: str) -> None:
        """ValueError says why `text` is no URL of a server; it never shows a password."""
        url = text.strip()
        if not (url.isascii() and url.isprintable()) or " " in url:
            raise ValueError("holds a space, a control character or one beyond ASCII")
        scheme, mark, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        self.userinfo, at, place = authority.rpartition("@")
        shown = repr((url if len(url) <= 80 else url[:77] + "...") if not at else place[:80])
        self.scheme = scheme.lower()
        if not mark or self.scheme not in _PORTS:
            raise ValueError(f"{shown} is no URL: it begins with https:// or http://")
        if "?" in rest or "#" in rest:
            raise ValueError(f"{shown} has a '?' or '#': radar adds the path and query itself")
        host, port = _split(place)
        if not host or (port and not (port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536)):
            raise ValueError(f"{shown} is no URL: it needs a host, like https://radar.example")
        self.host = host.lower()
        self.port = int(port) if port else _PORTS[self.scheme]
        self.path = (slash + path).rstrip("/")

    @property
    def authority(self) -> str:
        """Host and, where it isn't the usual one, port: the Host header (RFC 9110, 7.2)."""
        return self.endpoint.removesuffix(f":{_PORTS[self.scheme]}")

    @property
    def endpoint(self) -> str:
        """Host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def text(self) -> str:
        """The URL in its shortest form, without a password: what a destination is known by."""
        return f"{self.scheme}://{self.authority}{self.path}"


def _split(authority: str) -> "tuple[str, str]":
    """Host and port; an IPv6 address stands in brackets, and a bad host comes back empty."""
    if authority.startswith("["):
        host, bracket, port = authority[1:].partition("]")
        is_host = bracket and ":" in host and _IPV6.issuperset(host)
        if not is_host or port[:1] not in ("", ":"):
            return "", ""
        colon, port = port[:1], port[1:]
    else:
        host, colon, port = authority.partition(":")
        if not _NAME.issuperset(host):
            return "", ""
    # A colon without a port behind it is a slip, and no port is 0.
    return host, port if port or not colon else "0"
