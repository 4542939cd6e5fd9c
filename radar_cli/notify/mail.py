"""Mail as a channel: by an SMTP server, or by this machine's sendmail."""

import hashlib
import os
import re
import socket
from email.message import EmailMessage
from email.policy import SMTP
from html import escape

from radar_cli.model.sentences import find_links
from radar_cli.notify.channel import Receipt, UnusableChannelError
from radar_cli.notify.command import run_program
from radar_cli.notify.excerpt import last_lines, one_line
from radar_cli.notify.notice import Notice
from radar_cli.notify.wording import Wording, compose_text
from radar_cli.notify.words import facts, headline, notes, summaries, to_utc
from radar_cli.settings.channels import CHANNEL_SETTINGS, ChannelTable, split_smtp
from radar_cli.settings.profiles import Config
from radar_cli.settings.secrets import SecretError


class EmailChannel:
    """Writes a mail to one or more addresses."""

    def __init__(self, table: ChannelTable, config: Config) -> None:
        self.table = table
        self._config = config
        self._receivers: list[str] = table.values["email"]

    @property
    def place(self) -> str:
        """The addresses."""
        return ", ".join(self._receivers)

    def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """Hand the mail over; that it was taken is all that can be known."""
        words = compose_text(notice, self.table, self._config)
        send = self._send_by_smtp if "smtp" in self.table.values else self._send_by_sendmail
        return Receipt(send(notice, words, timeout_s), words.remark, is_on_its_way=True)

    def _send_by_smtp(self, notice: Notice, words: Wording, timeout_s: float) -> str:
        from radar_cli.notify.smtp import Conversation

        url = self.table.values["smtp"]
        sender = self.table.values.get("from") or split_smtp(url)[1]
        try:
            password = self.table.secret("password", self._config)
        except SecretError as error:
            raise UnusableChannelError(error.message, error.hint) from None
        ca_file = self.table.path("ca_file", self._config)
        conversation = Conversation(url, password, ca_file, self._config.environ, timeout_s)
        letter = write_letter(notice, words, sender, self._receivers)
        return conversation.hand_over(letter, sender, self._receivers)

    def _send_by_sendmail(self, notice: Notice, words: Wording, timeout_s: float) -> str:
        default = CHANNEL_SETTINGS["sendmail"].default
        program = self.table.path("sendmail", self._config) or default
        letter = write_letter(notice, words, self.table.values.get("from", ""), self._receivers)
        # Lines end as in a file: CR LF is for the wire.
        body = letter.as_bytes(policy=letter.policy.clone(linesep="\n"))
        # -i: a line with a single dot is no end. -t: the receivers stand in the mail.
        run_program([program, "-i", "-t"], body, self._config.environ, timeout_s)
        # Whether anybody gets it shows later, and to others: a bounce goes to the sender.
        return f"handed to {program}, which doesn't say whether it arrives"


# A header of some hundred ids is refused here and there.
_ROOTS_MAX = 20


def write_letter(notice: Notice, words: Wording, sender: str, receivers: list[str]) -> EmailMessage:
    """Return the mail; without a sender whoever takes it adds one, as sendmail does.

    A retry makes the same one, with the same Message-ID, so that mail programs show it once.
    """
    letter = EmailMessage(policy=SMTP)
    letter["Subject"] = words.subject
    if sender:
        letter["From"] = sender
    letter["To"] = ", ".join(receivers)
    letter["Date"] = to_utc(notice.noticed_us).replace(microsecond=0)
    domain = sender.rpartition("@")[2] if "@" in sender else socket.gethostname()
    domain = domain.strip("[]") or "localhost"
    roots = [_message_id(each.incident, domain) for each in notice.all if each.incident]
    if roots and not notice.others and notice.kind == "down" and notice.previous != "down":
        # The first of its thread: what comes of the same incident answers it.
        letter["Message-ID"] = roots[0]
    else:
        letter["Message-ID"] = _message_id(notice.key, domain)
        if roots:
            letter["In-Reply-To"] = roots[0]
            letter["References"] = " ".join(roots[:_ROOTS_MAX])
    # RFC 3834: nobody's holiday notice answers it.
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"  # what Exchange reads instead
    letter["X-Radar-Kind"] = one_line(notice.kind)
    letter["X-Radar-Monitor"] = one_line(", ".join(each.monitor for each in notice.all))
    letter.set_content(words.text)
    if not words.is_own:
        letter.add_alternative(html(notice, words.subject), subtype="html")
    return letter


def _message_id(key: str, domain: str) -> str:
    digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]
    return f"<{digest}@{domain}>"


# Mail programs drop style sheets; these colours show up on white and on black alike.
_RED, _AMBER = "#d93025", "#b27300"
_COLORS = {"down": _RED, "channel": _RED, "late": _AMBER, "fault": _AMBER}
_COLORS |= {"up": "#1e8e3e", "test": "#1a73e8"}
_GRAY = "#808080"
_MONO = "font:13px/1.45 ui-monospace,Menlo,Consolas,monospace"
_PRE = (
    f"{_MONO};white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0 16px;padding:8px;"
    f"border:1px solid {_GRAY};border-radius:4px"
)
_NOTES = "margin:4px 0 16px;overflow-wrap:anywhere"
_LINE_MAX = 2000
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
"""


def html(notice: Notice, title: str) -> str:
    """The whole notice as one HTML document, ASCII but for what others wrote."""
    color = _COLORS.get(notice.kind, _GRAY)
    parts = [
        f"{_HEAD}<title>{escape(title)}</title>\n</head>\n",
        '<body style="margin:0;padding:16px;font:16px/1.5 system-ui,sans-serif">\n',
        f'<p style="margin:0 0 16px;padding-left:12px;border-left:6px solid {color};',
        f'font-size:20px;font-weight:bold">{escape(headline(notice))}</p>\n',
    ]
    if notice.others:
        parts += [f"<div>{_link(line)}</div>\n" for line in summaries(notice)]
        parts += _ways_on(notice)
        return "".join(parts) + "</body>\n</html>\n"
    parts.append('<table role="presentation" style="border-spacing:0;margin-bottom:16px">\n')
    label_style = f"color:{_GRAY};padding:2px 12px 2px 0;vertical-align:top;white-space:nowrap"
    for label, value in facts(notice):
        cell = f'<td style="padding:2px 0;overflow-wrap:anywhere">{escape(value)}</td>'
        parts.append(f'<tr><td style="{label_style}">{label}</td>{cell}</tr>\n')
    parts.append("</table>\n")
    if notice.notes:
        parts.append(f'<div style="color:{_GRAY}">Its notes</div>\n<div style="{_NOTES}">')
        parts.append("<br>\n".join(map(_link, notes(notice))) + "</div>\n")
    if notice.last_run is not None:
        tail, is_cut = last_lines(notice.last_run)
        if tail:
            output = escape("\n".join(["...", *tail] if is_cut else tail))
            parts.append(f'<div style="color:{_GRAY}">The end of its output</div>\n')
            parts.append(f'<pre style="{_PRE}">{output}</pre>\n')
    return "".join((*parts, *_ways_on(notice))) + "</body>\n</html>\n"


def _ways_on(notice: Notice) -> list[str]:
    parts = []
    for heading, hints in (("To look further", notice.look), ("To mute it", notice.mute)):
        if hints:
            parts.append(f'<div style="color:{_GRAY};margin-top:12px">{heading}</div>\n')
            parts += [f'<div style="{_MONO}">{_link(line)}</div>\n' for line in hints]
    return parts


def _link(line: str) -> str:
    """A line with what is a link in it as one."""
    ((*parts,),) = find_links(one_line(line, _LINE_MAX)) or [[]]
    return "".join(
        f'<a href="{escape(part.text)}">{escape(part.text)}</a>'
        if part.is_link
        else escape(part.text)
        for part in parts
    )


SENDMAIL = "/usr/sbin/sendmail"
_EXIM = "etc/exim4/update-exim4.conf.conf"
_POSTFIX = "etc/postfix/main.cf"


def find_local_only(root: str = "/") -> str:
    """Return why mail to other machines does not leave this one; "" if nothing says so."""
    if not os.path.exists(os.path.join(root, SENDMAIL.lstrip("/"))):
        return f"there is no {SENDMAIL}"
    exim = _read(os.path.join(root, _EXIM))
    if re.search(r"^dc_eximconfig_configtype=['\"]?local['\"]?\s*$", exim, re.MULTILINE):
        return "exim4 is set up for local mail alone (dpkg-reconfigure exim4-config)"
    settings = dict(
        re.findall(r"^(\w+)\s*=\s*(.*?)\s*$", _read(os.path.join(root, _POSTFIX)), re.M)
    )
    transport = settings.get("default_transport", "")
    if transport.partition(":")[0] in ("error", "local", "discard"):
        return f"postfix has default_transport = {transport}"
    return ""


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1_000_000)
    except OSError:
        return ""
