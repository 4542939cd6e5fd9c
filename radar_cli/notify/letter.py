"""A notice as a mail: headers, text and HTML."""

import hashlib
import socket
from email.message import EmailMessage
from email.policy import SMTP

from radar_cli.notify.excerpt import one_line
from radar_cli.notify.notice import Notice
from radar_cli.notify.page import html
from radar_cli.notify.words import subject, text, to_utc


def write_letter(notice: Notice, sender: str, receivers: list[str]) -> EmailMessage:
    """Return the mail; without a sender whoever takes it adds one, as sendmail does.

    A retry makes the same one, with the same Message-ID, so that mail programs show it once.
    """
    letter = EmailMessage(policy=SMTP)
    letter["Subject"] = subject(notice)
    if sender:
        letter["From"] = sender
    letter["To"] = ", ".join(receivers)
    letter["Date"] = to_utc(notice.noticed_us).replace(microsecond=0)
    domain = sender.rpartition("@")[2] if "@" in sender else socket.gethostname()
    digest = hashlib.sha256(notice.key.encode("utf-8", "replace")).hexdigest()[:32]
    letter["Message-ID"] = f"<{digest}@{domain.strip('[]') or 'localhost'}>"
    # RFC 3834: nobody's holiday notice answers it.
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"  # what Exchange reads instead
    letter["X-Radar-Kind"] = one_line(notice.kind)
    letter["X-Radar-Monitor"] = one_line(notice.monitor)
    letter.set_content(text(notice))
    letter.add_alternative(html(notice), subtype="html")
    return letter
