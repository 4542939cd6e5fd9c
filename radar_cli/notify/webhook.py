"""Any HTTP server as a channel."""

import hashlib
import hmac
import json
import time
from urllib.parse import quote, urljoin, urlsplit

import httpx

from radar_cli import __version__
from radar_cli.config.channel_settings import check_webhook
from radar_cli.config.channels import ChannelTable
from radar_cli.config.load import Config
from radar_cli.config.secrets import SecretError
from radar_cli.config.shown import mask_url
from radar_cli.net.tls import CaError, make_context
from radar_cli.notify.bounded import call_within
from radar_cli.notify.channel import ChannelError, Receipt, UnusableChannelError
from radar_cli.notify.notice import Notice
from radar_cli.notify.presets import PRESETS, Requests
from radar_cli.notify.wording import Wording, word
from radar_cli.notify.words import data

RETRIABLE = frozenset((408, 425, 429, 500, 502, 503, 504))
_REDIRECTS = (307, 308)  # the others would turn the POST into a GET
_REDIRECTS_MAX = 3


class WebhookChannel:
    """Posts a notice as JSON, signed if there is a secret, or as a service wants it."""

    def __init__(self, table: ChannelTable, config: Config) -> None:
        self.table = table
        self._config = config

    @property
    def place(self) -> str:
        """The URL without its path, which is often a secret."""
        return mask_url(self.table.values["webhook"])

    def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """Post the notice; a status of 2xx means that it arrived."""
        try:
            context = make_context(self.table.path("ca_file", self._config), self._config.environ)
        except CaError as error:
            raise UnusableChannelError(str(error)) from None
        client = httpx.Client(verify=context, timeout=timeout_s)
        words = word(notice, self.table, self._config)
        codes: list[int] = []

        def post() -> None:
            with client:
                for url, content in self._requests(notice, words):
                    codes.append(self._post(client, url, json.dumps(content).encode(), notice))

        try:
            call_within(timeout_s, post, client.close)
        except (TimeoutError, httpx.TimeoutException):
            raise ChannelError(f"{self.place}: no answer within {timeout_s:g} s") from None
        except SecretError as error:
            raise UnusableChannelError(error.message, error.hint) from None
        except (httpx.HTTPError, OSError) as error:
            reason = str(error).rpartition("] ")[2] or type(error).__name__
            raise ChannelError(f"{self.place}: {reason}") from None
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise UnusableChannelError(f"{self.place}: {error}") from None
        return Receipt(f"{self.place} answers {codes[-1]}", words.remark)

    def _requests(self, notice: Notice, words: Wording) -> Requests:
        url = check_webhook(self.table.secret("webhook", self._config))
        if preset := self.table.values.get("preset"):
            return PRESETS[preset](notice, words, url, self.table.secret("to", self._config))
        return [(url, {**data(notice), "subject": words.subject, "text": words.text})]

    def _post(self, client: httpx.Client, url: str, body: bytes, notice: Notice) -> int:
        """Return the status of the answer, which is one of 2xx; nothing else of it is read."""
        headers = self._headers(notice, body)
        for _ in range(_REDIRECTS_MAX + 1):
            with client.stream("POST", url, content=body, headers=headers) as response:
                code, location = response.status_code, response.headers.get("Location", "")
            if response.is_success:
                return code
            if code not in _REDIRECTS or not location:
                break
            target = urljoin(url, location)
            if _origin(target) != _origin(url):
                # The signature and the headers are for the server that the person named.
                raise ChannelError(
                    f"{self.place} answers {code}: it sends elsewhere, to {_origin(target)}",
                    "put the new URL into the config file",
                    is_retriable=False,
                )
            url = target
        raise ChannelError(f"{self.place} answers {code}", is_retriable=code in RETRIABLE)

    def _headers(self, notice: Notice, body: bytes) -> httpx.Headers:
        headers = httpx.Headers({"User-Agent": f"radar/{__version__}"})
        headers["Content-Type"] = "application/json"
        headers.update(self.table.values.get("headers", {}))
        headers["Idempotency-Key"] = quote(notice.key, safe="!*'();:@&=+$,/?#[]~", errors="replace")
        if secret := self.table.secret("secret", self._config):
            headers["X-Radar-Signature"] = sign(secret, int(time.time()), body)
        return headers


def sign(secret: str, time_s: int, body: bytes) -> str:
    """The signature of a body: HMAC-SHA256 over the time, a dot and the body."""
    signed = f"{time_s}.".encode() + body
    return f"t={time_s},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def _origin(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"
