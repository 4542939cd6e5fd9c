"""Mail systems that send nothing away, from their own files."""

from pathlib import Path

import pytest

from radar_cli.notify.mail import find_local_only


def _make(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "etc/exim4/update-exim4.conf.conf",
            "# Debian\ndc_eximconfig_configtype='local'\ndc_other_hostnames=''\n",
            "exim4 is set up for local mail alone",
        ),
        ("etc/exim4/update-exim4.conf.conf", "dc_eximconfig_configtype='internet'\n", ""),
        ("etc/exim4/update-exim4.conf.conf", "#dc_eximconfig_configtype='local'\n", ""),
        (
            "etc/postfix/main.cf",
            "myhostname = web1\ndefault_transport = error: local delivery only\n",
            "postfix has default_transport = error: local",
        ),
        ("etc/postfix/main.cf", "inet_interfaces = loopback-only\n", ""),
    ],
)
def test_it_sees_that_mail_stays_here(tmp_path: Path, path: str, text: str, expected: str) -> None:
    _make(tmp_path, "usr/sbin/sendmail", "")
    _make(tmp_path, path, text)
    found = find_local_only(str(tmp_path))
    assert found.startswith(expected)
    assert bool(found) == bool(expected)


def test_it_sees_that_there_is_none(tmp_path: Path) -> None:
    assert find_local_only(str(tmp_path)) == "there is no /usr/sbin/sendmail"
