"""Templates: a person's words where they can be had, and radar's own in any other case."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from radar_cli.notify.words import subject, text
from tests.notify.conftest import Maker
from tests.notify.notices import NOTICE
from tests.support.radar import environment
from tests.support.server import Server


def _send(make_channel: Maker, server: Server, lines: str) -> tuple[str, str, str]:
    """The subject and text that arrive, and the remark on them."""
    receipt = make_channel(f"webhook = '{server.url}'\n{lines}").send(NOTICE, timeout_s=20)
    sent = json.loads(server.requests[-1].body)
    return sent["subject"], sent["text"], receipt.remark


def test_a_template_has_all_that_programs_get(make_channel: Maker, server: Server) -> None:
    lines = (
        "subject = '{{ monitor|upper }}: {{ reason }}'\n"
        "body = '''\n{% for each in monitors %}\n* {{ each.name }} at {{ each.since[:10] }}\n"
        "{% endfor %}\n{{ last_run.output }}\n'''"
    )
    assert _send(make_channel, server, lines) == (
        "BACKUP: missed",
        "* Nightly backup at 2026-07-18\ncopying\ndisk is full\n",
        "",
    )


def test_one_alone_leaves_the_other_as_it_is(make_channel: Maker, server: Server) -> None:
    said, body, _ = _send(make_channel, server, "subject = 'S {{ key }}'")
    assert (said, body) == ("S flip-42/chat", text(NOTICE))


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ no_such_field }}", "'no_such_field' is undefined"),
        ("{{ monitor", "TemplateSyntaxError"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{{ a }}{% endfor %}{% endfor %}",
         "takes longer than 2 s"),
        ("{{ 'x' * 10**10 }}", "too large"),
        ("{{ 'x' * 9999999 }}", "too large"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
    ],
)  # fmt: skip
def test_where_one_fails_the_built_in_words_go_out(
    make_channel: Maker, server: Server, template: str, why: str
) -> None:
    said, body, remark = _send(make_channel, server, f'body = """{template}"""')
    assert (said, body) == (subject(NOTICE), text(NOTICE))
    assert why in remark
    assert remark.endswith("radar's own words went out")


def test_what_it_makes_is_harmless(make_channel: Maker, server: Server) -> None:
    lines = 'subject = "a\\nBcc: {{ 1 + 1 }}"\nbody = "a\\u001b[31m\\tb"'
    assert _send(make_channel, server, lines)[:2] == ("a Bcc: 2", "a\ufffd[31m b\n")


def test_without_jinja2_the_built_in_words_go_out(server: Server) -> None:
    """In a process of its own, which has no jinja2."""
    code = (
        "import sys, os; sys.modules['jinja2'] = None; sys.modules['jinja2.sandbox'] = None\n"
        "from radar_cli.settings.profiles import load\n"
        "from radar_cli.notify.channels import find_channels\n"
        "from radar_cli.notify.notice import rehearse\n"
        "(channel,) = find_channels(load(os.environ))\n"
        "print(channel.send(rehearse('k', 'h', 1), timeout_s=20).remark)\n"
    )
    config = environment()["RADAR_CONFIG"]
    with open(config, "w") as file:
        file.write(f"[notify.a]\nwebhook = '{server.url}'\nbody = 'mine'\n")
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), text=True, capture_output=True, check=True
    )
    assert "jinja2 is not installed" in done.stdout
    assert "this is a test" in json.loads(server.requests[0].body)["text"]


def test_a_template_may_stand_in_a_file(
    make_channel: Maker, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("words") / "body"
    path.write_text("{{ kind }}\n{{ host }}\n")
    path.chmod(0o600)
    assert _send(make_channel, server, f"body = 'file:{path}'")[1] == "down\ndb-1\n"


def test_several_are_one_list_to_a_template(make_channel: Maker, server: Server) -> None:
    channel = make_channel(f"webhook = '{server.url}'\nbody = '{{{{ monitors|length }}}}'")
    channel.send(replace(NOTICE, others=(replace(NOTICE, monitor="db"),)), timeout_s=20)
    assert json.loads(server.requests[-1].body)["text"] == "2\n"
