"""Signed links in notices: whoever got one can act on that outage of that monitor, without a key.

A link names one monitor, one outage of it, the channel that it went through and when it expires,
and is signed with a secret of the server's (HMAC-SHA256). It is good for saying that somebody sees
to the outage, or for a while's peace, and for nothing else.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

# As long as a notice may be on its way.
LASTS_S = 7 * 86_400
_FIELDS = 4
_LONGEST = 1000
_MAC_BYTES = 32


class LinkError(ValueError):
    """A link that is good for nothing; the message says why, to people."""


@dataclass(frozen=True, slots=True)
class Link:
    """A signed link's content; `expires_s` is Unix time in seconds."""

    monitor: str
    incident: str
    channel: str
    expires_s: int


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes and reads links. `url` is the server's as people reach it."""

    secret: bytes
    url: str

    def link(self, monitor: str, incident: str, channel: str, now_s: float) -> str:
        """Return the URL with which whoever has it acts on an outage."""
        return f"{self.url}/act?t={self.sign(monitor, incident, channel, now_s)}"

    def sign(self, monitor: str, incident: str, channel: str, now_s: float) -> str:
        """Return the token in such a URL."""
        payload = "\n".join((monitor, incident, channel, str(round(now_s) + LASTS_S))).encode()
        token = base64.urlsafe_b64encode(self._mac(payload) + payload)
        return token.rstrip(b"=").decode()

    def read(self, token: str, now_s: float) -> Link:
        """Return what a token is for. LinkError: it wasn't made here, or not lately."""
        if not token.isascii() or len(token) > _LONGEST:
            raise LinkError("This link is not right.")
        try:
            whole = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        except ValueError:
            raise LinkError("This link is not right.") from None
        mac, payload = whole[:_MAC_BYTES], whole[_MAC_BYTES:]
        # Nothing is read of what isn't ours; one token has one form, so that it can't be varied.
        if not hmac.compare_digest(mac, self._mac(payload)) or self._form(whole) != token:
            raise LinkError("This link is not right.")
        monitor, incident, channel, expires = payload.decode().split("\n", _FIELDS - 1)
        if int(expires) < now_s:
            raise LinkError("This link has expired.")
        return Link(monitor, incident, channel, int(expires))

    def _mac(self, payload: bytes) -> bytes:
        return hmac.new(self.secret, b"act\n" + payload, hashlib.sha256).digest()

    def _form(self, whole: bytes) -> str:
        return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()
