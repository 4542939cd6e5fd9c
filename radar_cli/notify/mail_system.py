"""The mail system of this machine, as far as it shows that it sends no mail away.

"Handed to sendmail" is not "delivered": Debian's exim4 takes each mail, and bounces what isn't for
a user of the machine, until somebody has set it up.
"""

import os
import re

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
