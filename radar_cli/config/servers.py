"""What the settings say of a server: its URL, and the protocol that goes with it."""

from radar_cli.core.urls import Url

CRONRADAR_URL = "https://cron.life"
CRONRADAR_HOSTS = frozenset(("cron.life", "cronradar.io"))


def check_server(text: str) -> str:
    """Return the URL `text` without a trailing slash; ValueError says what is wrong with it.

    The empty text is no server: the store on this machine.
    """
    if not text.strip():
        return ""
    try:
        url = Url(text)
    except ValueError as error:
        raise ValueError(f"server {error}") from None
    if url.userinfo:
        # Not shown: it holds a password.
        raise ValueError("server holds a user or password: put the key into api_key")
    return text.strip().rstrip("/")


def is_same_server(one: str, other: str) -> bool:
    """Whether two URLs mean one server: case, the usual port and a last slash don't matter."""
    if not one or not other:
        return one == other
    return Url(one).text == Url(other).text


def default_protocol(url: str) -> str:
    """Return the protocol of a server whose settings name none."""
    return "cronradar" if url and Url(url).host in CRONRADAR_HOSTS else "radar"
