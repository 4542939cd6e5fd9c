"""What services want of a webhook: one table, each with the JSON that its documentation names.

Slack, Discord, Teams, Telegram, ntfy and PagerDuty take no other body than their own.
"""

from typing import Any, Callable, Sequence
from urllib.parse import unquote, urlsplit, urlunsplit

from radar_cli.notify.notice import Notice
from radar_cli.notify.wording import Wording
from radar_cli.notify.words import headline, run_line, to_utc

# A URL and a JSON body; more than one where a service has an incident for each monitor.
Requests = Sequence[tuple[str, dict[str, Any]]]
Preset = Callable[[Notice, Wording, str, str], Requests]


def _slack(_notice: Notice, words: Wording, url: str, _to: str) -> Requests:
    # api.slack.com/messaging/webhooks; it escapes these three, and no others.
    said = f"{words.subject}\n\n{words.text}"
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        said = said.replace(character, entity)
    return [(url, {"text": _cut(said, 12_000)})]


def _discord(_notice: Notice, words: Wording, url: str, _to: str) -> Requests:
    # discord.com/developers/docs/resources/webhook: 2,000 characters, and nobody is mentioned.
    said = f"**{words.subject}**\n```\n{words.text.replace('```', chr(39) * 3)}"
    return [(url, {"content": _cut(said, 1_990) + "\n```", "allowed_mentions": {"parse": []}})]


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
    said = _cut(f"{words.subject}\n\n{words.text}", 4_000)
    body = {"chat_id": to, "text": said, "link_preview_options": {"is_disabled": True}}
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
        event["links"] = [{"href": href, "text": said} for href, said in links if href]
    return event


def _dedup_key(each: Notice) -> str:
    """The same for a down, its reminders and its end; at most 255 characters."""
    what = "fault-" if each.kind == "fault" else ""
    return f"radar-{what}{each.monitor or each.kind}-{each.incident}".rstrip("-")[:255]


def _cut(said: str, limit: int) -> str:
    return said if len(said) <= limit else said[: limit - 1] + "…"


PRESETS: dict[str, Preset] = {
    "slack": _slack,
    "discord": _discord,
    "teams": _teams,
    "telegram": _telegram,
    "ntfy": _ntfy,
    "pagerduty": _pagerduty,
}
