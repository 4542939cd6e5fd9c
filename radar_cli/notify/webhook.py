"""Any HTTP server as a channel, with presets for what well-known services want."""

import hashlib
import hmac
import json
import time
from typing import Any, Callable, Sequence
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

import httpx

from radar_cli import __version__
from radar_cli.core.bounded import call_within
from radar_cli.net.tls import CaError, make_context
from radar_cli.notify.channel import ChannelError, Receipt, UnusableChannelError
from radar_cli.notify.notice import Notice
from radar_cli.notify.wording import Wording, compose_text
from radar_cli.notify.words import data, headline, run_line, to_utc
from radar_cli.settings.channels import ChannelTable, check_webhook
from radar_cli.settings.keys import mask_url
from radar_cli.settings.profiles import Config
from radar_cli.settings.secrets import SecretError

# A URL and a JSON body; more than one where a service has an incident for each monitor.
Requests = Sequence[tuple[str, dict[str, Any]]]
Preset = Callable[[Notice, Wording, str, str], Requests]


def _slack(_notice: Notice, words: Wording, url: str, _to: str) -> Requests:
    # api.slack.com/messaging/webhooks; it escapes these three, and no others.
    message = f"{words.subject}\n\n{words.text}"
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        message = message.replace(character, entity)
    return [(url, {"text": _cut(message, 12_000)})]


def _discord(_notice: Notice, words: Wording, url: str, _to: str) -> Requests:
    # discord.com/developers/docs/resources/webhook: 2,000 characters, and nobody is mentioned.
    message = f"**{words.subject}**\n```\n{words.text.replace('```', chr(39) * 3)}"
    return [(url, {"content": _cut(message, 1_990) + "\n```", "allowed_mentions": {"parse": []}})]


def _teams(notice: Notice, words: Wording, url: str, _to: str) -> Requests:
    # A workflow "When a Teams webhook request is received" takes an adaptive card.
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {
                "type": "TextBlock",
                "text": words.subject,
                "weight": "bolder",
                "wrap": True,
                "color": {"down": "attention", "up": "good"}.get(notice.kind, "warning"),
            },
            {
                "type": "TextBlock",
                "text": _cut(words.text, 12_000),
                "wrap": True,
                "fontType": "monospace",
            },
        ],
    }
    if notice.url and not notice.others:
        links = [("Look", notice.url), ("See to it", notice.act_url)]
        card["actions"] = [
            {"type": "Action.OpenUrl", "title": title, "url": link} for title, link in links if link
        ]
    kind = "application/vnd.microsoft.card.adaptive"
    content = {"contentType": kind, "content": card}
    return [(url, {"type": "message", "attachments": [content]})]


def _telegram(_notice: Notice, words: Wording, url: str, to: str) -> Requests:
    # core.telegram.org/bots/api#sendmessage: plain text has no marks to escape.
    text = _cut(f"{words.subject}\n\n{words.text}", 4_000)
    body = {"chat_id": to, "text": text, "link_preview_options": {"is_disabled": True}}
    return [(url, body)]


def _ntfy(notice: Notice, words: Wording, url: str, _to: str) -> Requests:
    # docs.ntfy.sh/publish/#publish-as-json: to the server's root, which is told the topic.
    parts = urlsplit(url)
    folder, _, topic = parts.path.rstrip("/").rpartition("/")
    root = urlunsplit((parts.scheme, parts.netloc, folder + "/", parts.query, ""))
    body: dict[str, Any] = {
        "topic": unquote(topic),
        "title": words.subject,
        "message": _cut(words.text, 3_800),
        "priority": {"down": 4, "channel": 4}.get(notice.kind, 3),
        "tags": [{"down": "red_circle", "up": "green_circle"}.get(notice.kind, "warning")],
    }
    if notice.url and not notice.others:
        body["click"] = notice.url
        if notice.act_url:
            # `view` opens it: an `http` action would act at a touch of whoever has the topic.
            body["actions"] = [{"action": "view", "label": "See to it", "url": notice.act_url}]
    return [(root, body)]


def _pagerduty(notice: Notice, words: Wording, url: str, to: str) -> Requests:
    # developer.pagerduty.com/docs/events-api-v2: an up resolves what the down has triggered.
    return [(url, _event(each, words, notice, to)) for each in notice.all]


def _event(each: Notice, words: Wording, whole: Notice, to: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "routing_key": to,
        "event_action": "resolve" if each.kind == "up" else "trigger",
        "dedup_key": _dedup_key(each),
    }
    if each.kind == "up":
        return event
    details = {"text": words.text} if not whole.others else {"happened": each.happened}
    if each.last_run is not None:
        details["last_run"] = run_line(each, each.last_run)
    event["payload"] = {
        "summary": _cut(words.subject if not whole.others else headline(each), 1_000),
        "source": each.host or each.monitor or "radar",
        "severity": {"down": "critical", "channel": "error"}.get(each.kind, "warning"),
        "timestamp": to_utc(each.since_us).isoformat(),
        "component": each.monitor or "radar",
        "custom_details": details,
    }
    if each.url:
        links = [(each.url, "radar"), (each.act_url, "see to it, or mute it")]
        event["links"] = [{"href": href, "text": text} for href, text in links if href]
    return event


def _dedup_key(each: Notice) -> str:
    """The same for a down, its reminders and its end; at most 255 characters."""
    what = "fault-" if each.kind == "fault" else ""
    return f"radar-{what}{each.monitor or each.kind}-{each.incident}".rstrip("-")[:255]


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


PRESETS: dict[str, Preset] = {
    "slack": _slack,
    "discord": _discord,
    "teams": _teams,
    "telegram": _telegram,
    "ntfy": _ntfy,
    "pagerduty": _pagerduty,
}


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
        words = compose_text(notice, self.table, self._config)
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
