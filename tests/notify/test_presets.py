"""What services want of a webhook: each example of the guide, against a local receiver."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from radar_cli.notify.notice import Notice
from radar_cli.notify.webhook import PRESETS
from radar_cli.notify.words import subject
from radar_cli.settings.channels import PRESET_NAMES
from tests.notify.conftest import Maker
from tests.notify.notices import NOTICE
from tests.support import answers, docs
from tests.support.relay import Relay
from tests.support.server import Server

_DOWN = replace(NOTICE, url="https://radar.example/monitors/backup", incident="flip-42")
_UP = replace(_DOWN, key="k2", kind="up", status="up", previous="down")
_OTHER = replace(_DOWN, monitor="db", name="", incident="flip-43")


def _tables() -> dict[str, str]:
    """The guide's example of each preset: the lines below `[notify.NAME]`."""
    found = re.findall(r"^\[notify\.\w+\]\n((?:\w+ = .*\n)*?preset = \"(\w+)\"\n(?:\w+ = .*\n)*)",
                       docs.page("guides/notices"), re.MULTILINE)  # fmt: skip
    return {name: lines for lines, name in found}


def _send(make_channel: Maker, server: Server, name: str, notice: Notice) -> list[dict[str, Any]]:
    """What the receiver gets from a channel as the guide has it, but for where it leads."""
    lines = re.sub(r"https://[^/\"]+", server.url, _tables()[name])
    make_channel(lines).send(notice, timeout_s=20)
    return [json.loads(request.body) for request in server.requests]


def test_the_readme_has_an_example_of_each() -> None:
    assert set(_tables()) == set(PRESET_NAMES) == set(PRESETS)


def test_slack_gets_text_with_its_three_entities(make_channel: Maker, server: Server) -> None:
    (body,) = _send(make_channel, server, "slack", replace(_DOWN, happened="<b> & <!channel>"))
    assert body["text"].startswith(f"{subject(_DOWN)}\n\n")
    assert "&lt;b&gt; &amp; &lt;!channel&gt;" in body["text"]
    assert set(body) == {"text"}


def test_discord_gets_no_more_than_it_takes(make_channel: Maker, server: Server) -> None:
    notice = replace(_DOWN, happened="@everyone ```" + "x" * 3000)
    (body,) = _send(make_channel, server, "discord", notice)
    assert len(body["content"]) <= 2000
    assert body["content"].count("```") == 2
    assert body["allowed_mentions"] == {"parse": []}


def test_teams_gets_a_card(make_channel: Maker, server: Server) -> None:
    (body,) = _send(make_channel, server, "teams", _DOWN)
    card = body["attachments"][0]["content"]
    assert (body["type"], card["type"]) == ("message", "AdaptiveCard")
    assert card["body"][0]["text"] == subject(_DOWN)
    assert card["actions"][0]["url"] == _DOWN.url


def test_telegram_gets_the_chat(make_channel: Maker, server: Server) -> None:
    (body,) = _send(make_channel, server, "telegram", _DOWN)
    assert server.requests[0].target.endswith("/sendMessage")
    assert body["chat_id"] == "-1001234567890"
    assert body["text"].startswith(subject(_DOWN))
    assert "parse_mode" not in body


def test_ntfy_gets_the_topic_at_its_root(make_channel: Maker, server: Server) -> None:
    (body,) = _send(make_channel, server, "ntfy", _DOWN)
    assert server.requests[0].target == "/"
    assert (body["topic"], body["title"]) == ("radar-3f9c", subject(_DOWN))
    assert (body["priority"], body["click"]) == (4, _DOWN.url)


def test_pagerduty_has_an_incident_that_the_end_resolves(
    make_channel: Maker, server: Server
) -> None:
    _send(make_channel, server, "pagerduty", _DOWN)
    _send(make_channel, server, "pagerduty", replace(_DOWN, previous="down", key="k1"))
    trigger, again, resolve = _send(make_channel, server, "pagerduty", _UP)
    assert [body["event_action"] for body in (trigger, again, resolve)] == [
        *("trigger", "trigger", "resolve")
    ]
    assert trigger["dedup_key"] == again["dedup_key"] == resolve["dedup_key"]
    assert trigger["payload"]["summary"] == subject(_DOWN)
    assert trigger["payload"]["source"] == "db-1"
    assert trigger["links"] == [{"href": _DOWN.url, "text": "radar"}]
    assert trigger["routing_key"]


def test_pagerduty_has_an_incident_for_each_of_several(make_channel: Maker, server: Server) -> None:
    both = _send(make_channel, server, "pagerduty", replace(_DOWN, others=(_OTHER,)))
    assert len({body["dedup_key"] for body in both}) == 2
    assert [body["payload"]["component"] for body in both] == ["backup", "db"]


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_a_refusal_is_a_failure(make_channel: Maker, server: Server, name: str) -> None:
    server.behave(answers.status(400))
    with pytest.raises(Exception, match="answers 400"):
        _send(make_channel, server, name, _DOWN)


@pytest.mark.parametrize("preset", ["", "preset = 'slack'"])
def test_it_arrives_through_a_slow_network(
    make_channel: Maker, server: Server, preset: str
) -> None:
    """In segments of 1,448 bytes, with more than one of them."""
    with Relay(server.port, is_slow=True) as relay:
        notice = replace(_DOWN, expected="x" * 400, notes="\n".join(["y" * 300] * 6))
        channel = make_channel(f"webhook = 'http://127.0.0.1:{relay.port}/'\n{preset}")
        channel.send(notice, timeout_s=20)
    (request,) = server.requests
    assert len(request.body) > 1500
    assert json.loads(request.body)
