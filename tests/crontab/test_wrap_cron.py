"""Wrapped lines under Debian's real cron have the effects that they had without radar."""

from pathlib import Path

import pytest

from tests.support.cron import Cron
from tests.support.installation import Installation
from tests.support.pings import read_pings
from tests.support.radar import run_radar
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

# Each writes a file, and some print, which cron mails. {} is the test's folder.
_LINES = (
    "@reboot /bin/cp /etc/hostname {}/plain",
    "@reboot cat >{}/input%one%two",
    "@reboot echo 50\\% 'it'\\''s' \"$A\" >{}/quotes",
    "@reboot cd {} && pwd >there",
    "@reboot A='c d' env | grep ^A= >{}/variable; echo mailed",
    "@reboot cd {} && ./loud >/dev/null 2>&1",
    "@reboot cd {}/nowhere && ./loud >/dev/null 2>&1",
    "@reboot (cat; echo 'a  b') >{}/group%in",
    "@reboot exec sh -c 'echo $0 $#' x y >{}/exec",
    "@reboot ls {}/*.txt >{}/globs",
    "@reboot false || date +\\%Y >{}/year",
    "@reboot echo to stderr >&2; exit 3",
)
_MADE = ("plain", "input", "quotes", "there", "variable", "group", "exec", "globs", "year", "done")


def _run(folder: Path, crontab: str) -> tuple[dict[str, bytes], list[bytes]]:
    """What the lines write, by file, and what is mailed."""
    folder.mkdir()
    loud = folder / "loud"
    loud.write_text("#!/bin/sh\necho loud; echo err >&2; echo >done.new && mv done.new done\n")
    loud.chmod(0o755)
    for name in ("a.txt", "b c.txt"):
        (folder / name).touch()
    with Cron(folder, crontab.replace("{}", str(folder)), settings={"A": "x  y"}) as cron:
        wait_until(lambda: all((folder / name).exists() for name in _MADE))
        wait_until(lambda: len(cron.mails) == 3)
        mails = sorted(mail.partition(b"\n\n")[2] for mail in cron.mails)
    here = str(folder).encode()
    made = {name: (folder / name).read_bytes().replace(here, b"HERE") for name in _MADE}
    return made, [mail.replace(here, b"HERE") for mail in mails]


def test_wrapped_lines_do_what_they_did(whole: Installation, tmp_path: Path) -> None:
    plain = "\n".join(_LINES) + "\n"
    path = tmp_path / "jobs"
    path.write_text(plain)
    done = run_radar("crontab", "wrap", "--yes", "--link", whole.link, path, text=True)
    assert done.returncode == 0, done.stderr
    wrapped = path.read_text()
    assert wrapped.count(f"{whole.link} run ") == len(_LINES)
    assert _run(tmp_path / "wrapped", wrapped) == _run(tmp_path / "plain", plain)
    ended = [ping for ping in read_pings() if ping.kind != "start"]
    assert len(ended) == len(_LINES)
    assert sorted(ping.fields.get("exit", "0") for ping in ended if ping.kind == "fail") == [
        *("2", "3"),
    ]


# With a column of users, by bash.
_SYSTEM_LINES = (
    "@reboot root [[ -e {} ]] && echo bash >{}/test",
    "@reboot root diff <(echo a) <(echo a) &>{}/diff && echo same >{}/same",
    "@reboot root /bin/echo plain >{}/plain",
    "@reboot\troot  cd {} && cat >in%it\\'s%  two",
)
_SYSTEM_MADE = ("test", "diff", "same", "plain", "in")


def _run_system(folder: Path, crontab: str) -> dict[str, bytes]:
    folder.mkdir()
    written = crontab.replace("{}", str(folder))
    with Cron(folder, "", system_crontab=written):
        wait_until(lambda: all((folder / name).exists() for name in _SYSTEM_MADE))
        wait_until(lambda: (folder / "in").stat().st_size > 5)
    here = str(folder).encode()
    return {name: (folder / name).read_bytes().replace(here, b"HERE") for name in _SYSTEM_MADE}


def test_wrapped_lines_of_the_system_do_what_they_did(whole: Installation, tmp_path: Path) -> None:
    plain = "\n".join(("SHELL=/bin/bash", *_SYSTEM_LINES)) + "\n"
    path = tmp_path / "cron.d/jobs"
    path.parent.mkdir()
    path.write_text(plain)
    done = run_radar("crontab", "wrap", "--yes", "--link", whole.link, path, text=True)
    assert done.returncode == 0, done.stderr
    wrapped = path.read_text()
    assert wrapped.count(f"root {whole.link} run ") + wrapped.count(
        f"root  {whole.link} run "
    ) == len(_SYSTEM_LINES)
    made = _run_system(tmp_path / "wrapped", wrapped)
    assert made == _run_system(tmp_path / "plain", plain)
    assert made["test"] == b"bash\n"
    wait_until(lambda: len([x for x in read_pings() if x.kind == "success"]) == len(_SYSTEM_LINES))
