"""The keys of a server's monitors, for completions: within a second, or none."""

import os

from radar_cli.settings.secrets import is_literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.settings.profiles import Profile

_PATIENCE_S = 1.0


def read_keys(profile: "Profile", prefix: str, limit: int) -> "list[str]":
    """At most `limit` keys that begin with `prefix`; none if the server doesn't tell in time.

    A key that a program tells isn't asked for: it may ask a person in turn.
    """
    value = profile.setting("api_key").value
    if profile.protocol != "radar" or not (
        is_literal(value) or (isinstance(value, str) and value.startswith("file:"))
    ):
        return []
    from radar_cli.core.bounded import call_within

    keys: list[str] = []
    try:
        call_within(_PATIENCE_S, lambda: keys.extend(_ask(profile, prefix, limit)))
    except Exception:  # noqa: BLE001  (a person is typing: no word is better than a complaint)
        return []
    return keys


def _ask(profile: "Profile", prefix: str, limit: int) -> "list[str]":
    import json
    import time

    from radar_cli.core.urls import Url
    from radar_cli.net.client import Link
    from radar_cli.net.proxies import proxy_for

    url = Url(profile.server)
    link = Link(url, proxy=proxy_for(url, os.environ), ca_file=profile.ca_file, environ=os.environ)
    headers = {**profile.headers, "Authorization": f"Bearer {profile.api_key()}"}
    path = f"{url.path}/api/v1/monitor-keys?prefix={prefix}&limit={limit}"
    try:
        request = link.render(path, headers, b"", "GET")
        response = link.exchange(request, time.monotonic() + _PATIENCE_S)
    finally:
        link.close()
    if response.status != 200:
        return []
    return [key for key in json.loads(response.body)["keys"] if isinstance(key, str)]
