"""A notice as a mail: headers, text and HTML."""

import hashlib
import socket
from email.message import EmailMessage
from email.policy import SMTP

from radar_cli.notify.excerpt import one_line
from radar_cli.notify.notice import Notice
from radar_cli.notify.page import html
from radar_cli.notify.wording import Wording
from radar_cli.notify.words import to_utc

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
