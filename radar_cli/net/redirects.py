"""Following a server that has moved, with the ping and without giving the key away."""

from radar_cli.core.urls import Url
from radar_cli.net import LinkError, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.net.client import Link

_REDIRECTS_MAX = 5
_SAFE_ELSEWHERE = ("user-agent", "content-type")


def follow(
    first: "Link",
    path: str,
    headers: dict[str, str],
    body: bytes,
    *,
    response: Response,
    deadline: float,
) -> Response:
    """The answer behind a 307 or 308. LinkError: there are too many, or one leads nowhere."""
    link = first
    try:
        for _ in range(_REDIRECTS_MAX):
            location = response.headers.get("location", "").partition("#")[0]
            if response.status not in (307, 308) or not location:
                return response
            if any(ord(c) <= 32 or ord(c) >= 127 for c in location):
                raise LinkError("redirected to what is no URL", needs_person=True)
            if location.startswith("/") and not location.startswith("//"):
                path = location
            else:
                target, path = _locate(link.url, location)
                if not _is_same(link.url, target):
                    headers = {k: v for k, v in headers.items() if k.lower() in _SAFE_ELSEWHERE}
                if link is not first:
                    link.close()
                    link.forget()
                link = _open(first, target)
            response = link.exchange(link.render(path, headers, body), deadline)
        raise LinkError(f"more than {_REDIRECTS_MAX} redirects", needs_person=True)
    finally:
        if link is not first:
            link.close()
            link.forget()


def _locate(url: Url, location: str) -> tuple[Url, str]:
    """Read where a redirect leads: the server, and the path with its query."""
    if location.startswith("//"):
        location = f"{url.scheme}:{location}"
    scheme, _, rest = location.partition("://")
    authority, slash, path = rest.partition("/")
    try:
        target = Url(f"{scheme}://{authority}")
    except ValueError as error:
        raise LinkError(f"redirected to nowhere: {error}", needs_person=True) from error
    if url.scheme == "https" and target.scheme != "https":
        raise LinkError(f"redirected out of TLS, to {target.text}: not followed", needs_person=True)
    return target, (slash or "/") + path


def _is_same(url: Url, target: Url) -> bool:
    """Whether a key that is meant for one server may go to the other (it may go into TLS)."""
    if target.host != url.host:
        return False
    return target.port == url.port or (url.port == 80 and target.port == 443)


def _open(first: "Link", target: Url) -> "Link":
    proxy = None
    if any(name.lower().endswith("_proxy") for name in first.environ):
        from radar_cli.net.proxies import proxy_for

        proxy = proxy_for(target, first.environ)
    return type(first)(target, proxy=proxy, ca_file=first.ca_file, environ=first.environ)
