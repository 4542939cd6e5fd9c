"""Radar gets in front of the lines of any crontab, and out again, byte for byte."""

import re
from pathlib import Path

import pytest
from hypothesis import given

from radar_cli.cli.crontab import VALUED
from radar_cli.crontab.calls import find_call
from radar_cli.crontab.keeping import Keeping
from radar_cli.crontab.lines import Job
from radar_cli.crontab.sources import Source
from radar_cli.crontab.wrapping import Edit, Wrapper, keep_lines, unwrap
from tests.crontab.corpus import ALL
from tests.crontab.crontabs import Written, crontabs

_LINK = "/opt/radar"


class Desk:
    """Wraps and unwraps crontabs as the commands do, without a file."""

    def __init__(self, folder: Path, *, zone: str = "") -> None:
        self.keeping = Keeping(str(folder))
        self._zone = zone

    def wrap(self, text: bytes, *, has_users: bool = False, taken: tuple[str, ...] = ()) -> Edit:
        wrapper = Wrapper(_LINK, VALUED, self.keeping, taken, lambda _: self._zone, lambda *_: True)
        return wrapper.wrap(_source(text, has_users=has_users))

    def wrap_and_keep(self, text: bytes, *, has_users: bool = False) -> bytes:
        edit = self.wrap(text, has_users=has_users)
        self.keeping.add(keep_lines(edit))
        return edit.text

    def unwrap(self, text: bytes, *, has_users: bool = False) -> bytes:
        return unwrap(_source(text, has_users=has_users), self.keeping, VALUED).text

    def wrap_line(self, line: str, variables: str = "") -> str:
        """The command of `0 1 * * * LINE`, wrapped, without what stands before the job's own."""
        text = self.wrap(f"{variables}0 1 * * * {line}\n".encode()).text.decode()
        return text.splitlines()[-1].removeprefix("0 1 * * * ")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "state")


def _source(text: bytes, *, has_users: bool) -> Source:
    return Source("/etc/x", text, "" if has_users else "alice")


def _jobs(text: bytes, *, has_users: bool) -> list[Job]:
    return [job for _, job in _source(text, has_users=has_users).crontab.jobs]


def _is_wrapped(job: Job) -> bool:
    return find_call(job.shell_line, VALUED) is not None


@pytest.mark.parametrize(("name", "text", "has_users"), ALL)
def test_each_crontab_comes_back(desk: Desk, name: str, text: bytes, has_users: bool) -> None:
    del name
    edit = desk.wrap(text, has_users=has_users)
    wrapped = desk.wrap_and_keep(text, has_users=has_users)
    left = {number for number, _ in edit.left}
    before = list(_source(text, has_users=has_users).crontab.jobs)
    after = list(_source(wrapped, has_users=has_users).crontab.jobs)
    assert [(number, job.times, job.user, job.flags, job.end) for number, job in before] == [
        (number, job.times, job.user, job.flags, job.end) for number, job in after
    ]
    for (number, old), (_, new) in zip(before, after, strict=True):
        assert new.variables == old.variables
        assert new.input == old.input
        assert _is_wrapped(new) is (number not in left)
    assert desk.unwrap(wrapped, has_users=has_users) == text
    # A second time there is nothing to do.
    assert desk.wrap_and_keep(wrapped, has_users=has_users) == wrapped


@pytest.mark.parametrize(("name", "text", "has_users"), ALL)
def test_what_radar_adds_can_be_taken_out_without_what_was_kept(
    desk: Desk, name: str, text: bytes, has_users: bool
) -> None:
    """A line that was edited is unwrapped like that; here its hour is changed."""
    del name
    wrapped = desk.wrap_and_keep(text, has_users=has_users)
    hour = re.compile(rb"^0 1 ", re.MULTILINE)
    edited, expected = hour.sub(b"0 9 ", wrapped), hour.sub(b"0 9 ", text)
    unwrapped = desk.unwrap(edited, has_users=has_users)
    assert unwrapped == expected


@given(written=crontabs())
def test_any_crontab_comes_back(tmp_path_factory: pytest.TempPathFactory, written: Written) -> None:
    desk = Desk(tmp_path_factory.mktemp("state"))
    wrapped = desk.wrap_and_keep(written.text, has_users=written.has_users)
    assert desk.unwrap(wrapped, has_users=written.has_users) == written.text
    assert desk.wrap_and_keep(wrapped, has_users=written.has_users) == wrapped


@pytest.mark.parametrize(
    ("line", "wrapped"),
    [
        ("/opt/job --x 'a b' $HOME", "-- /opt/job --x 'a b' $HOME"),
        ("/opt/job >/dev/null 2>&1", "-- /opt/job >/dev/null 2>&1"),
        ("/opt/job >>/var/log/x 2>&1 # c", "-- /opt/job >>/var/log/x 2>&1 # c"),
        ("/opt/job a%in%put", "-- /opt/job a%in%put"),
        ("/opt/job +\\%F", "-- /opt/job +\\%F"),
        ("job; /opt/b", "-c 'job; /opt/b'"),
        ("echo hi", "-c 'echo hi'"),
        ("echo hi >/dev/null 2>&1", "-c 'echo hi' >/dev/null 2>&1"),
        ("A=b job  2>&1 >/dev/null", "-c 'A=b job'  2>&1 >/dev/null"),
        ("A=b job >x 2>&1", "-c 'A=b job >x 2>&1'"),
        ("(job; b) > /dev/null 2>&1", "-c '(job; b)' > /dev/null 2>&1"),
        ("(job; b); c >/dev/null", "-c '(job; b); c >/dev/null'"),
        ("job | b >/dev/null 2>&1", "-c 'job | b >/dev/null 2>&1'"),
        ("job $(date +\\%F) >/dev/null", "-c 'job $(date +\\%F) >/dev/null'"),
        ("job && echo 'it'%in", "-c 'job && echo '\\''it'\\'''%in"),
        ("job &>/dev/null", "-c 'job &>/dev/null'"),
        ("job &", "-c 'job &'"),
    ],
)
def test_it_wraps_a_line_so_that_it_does_the_same(desk: Desk, line: str, wrapped: str) -> None:
    assert desk.wrap_line(line) == f"{_LINK} run job --schedule '0 1 * * *' {wrapped}".replace(
        "run job", "run echo" if line.startswith("echo") else "run job"
    )


def test_what_cd_complains_of_is_still_mailed(desk: Desk) -> None:
    wrapped = desk.wrap_line("cd /srv && ./job >/dev/null 2>&1")
    assert wrapped == f"cd /srv && {_LINK} run job --schedule '0 1 * * *' -- ./job >/dev/null 2>&1"


def test_a_line_of_bash_stays_one(desk: Desk) -> None:
    assert desk.wrap_line("[[ -e x ]] && job", "SHELL=/bin/bash\n").endswith(
        " -- /bin/bash -c '[[ -e x ]] && job'"
    )


def test_a_line_of_a_shell_that_quotes_otherwise_stays(desk: Desk) -> None:
    edit = desk.wrap(b"SHELL=/usr/bin/fish\n0 1 * * * /opt/job\n")
    assert edit.changes == []
    assert edit.left == [(2, "its SHELL is /usr/bin/fish, which quotes otherwise")]


def test_a_line_that_would_get_too_long_for_cron_stays(desk: Desk) -> None:
    edit = desk.wrap(b"0 1 * * * /opt/job " + b"x" * 970 + b"\n")
    assert edit.left == [(1, "it would have more than 998 bytes")]


def test_at_boot_there_is_no_schedule(desk: Desk) -> None:
    edit = desk.wrap(b"@reboot cd /x && ./job >/dev/null\n")
    assert edit.text == b"@reboot /opt/radar run job -c 'cd /x && ./job >/dev/null'\n"


def test_a_job_by_another_clock_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path, zone="Asia/Tokyo")
    assert "--schedule '0 1 * * *' --tz Asia/Tokyo -- " in desk.wrap_line("/opt/job")


def test_a_job_that_cronie_starts_late_has_a_longer_grace(desk: Desk) -> None:
    wrapped = desk.wrap_line("/opt/job", "RANDOM_DELAY=45\n")
    assert wrapped.endswith("run job --schedule '0 1 * * *' --grace 50m -- /opt/job")
    assert "--grace" not in desk.wrap_line("/opt/job", "RANDOM_DELAY=none\n")


def test_a_percent_in_the_links_path_is_one(tmp_path: Path) -> None:
    wrapper = Wrapper(
        "/opt/100%/r", VALUED, Keeping(str(tmp_path)), (), lambda _: "", lambda *_: True
    )
    edit = wrapper.wrap(_source(b"0 1 * * * /opt/job\n", has_users=False))
    assert b"* * * /opt/100\\%/r run job" in edit.text


def test_an_edited_line_keeps_the_edit(desk: Desk) -> None:
    text = b"0 1 * * * /opt/job a\n0 2 * * * cd /x; /opt/other\n0 3 * * * /opt/third\n"
    wrapped = desk.wrap_and_keep(text)
    edited = (
        wrapped.replace(b"0 1 * * * ", b"5 1 * * * ", 1)
        .replace(b"/opt/job a", b"/opt/job b")
        .replace(b"cd /x; /opt/other'", b"cd /y; /opt/other' | mail me")
    )
    assert desk.unwrap(edited) == (
        b"5 1 * * * /opt/job b\n0 2 * * * cd /y; /opt/other | mail me\n0 3 * * * /opt/third\n"
    )


def test_an_edited_line_of_bash_keeps_the_edit(desk: Desk) -> None:
    wrapped = desk.wrap_and_keep(b"SHELL=/bin/bash\n0 1 * * * cd /x; /opt/job\n")
    edited = wrapped.replace(b"cd /x", b"cd /y")
    assert desk.unwrap(edited) == b"SHELL=/bin/bash\n0 1 * * * cd /y; /opt/job\n"


def test_what_somebody_else_wrapped_stays(desk: Desk) -> None:
    text = b"0 1 * * * radar run mine -- /opt/job\n"
    source = _source(text, has_users=False)
    edit = unwrap(source, desk.keeping, VALUED)
    assert (edit.text, edit.left) == (
        *(text, [(1, "mine was not put there by 'radar crontab wrap'")]),
    )


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("radar run job -- x", "job"),
        ("'/opt/my radar/radar' run --grace 5m job x", "job"),
        ("radar --profile work -v run job --tag=a -- x", "job"),
        ("A=b nice -n 5 /usr/bin/radar run job -- x", "job"),
        ("cd /x && flock -n l radar run job -- x", "job"),
        ("/opt/v/bin/python -m radar_cli run job -- x", "job"),
        ("bash -c 'cd /x; radar run job -- x'", ""),
        ("x $(radar run job -- x)", ""),
    ],
)
def test_it_knows_a_call_of_radar(desk: Desk, line: str, key: str) -> None:
    call = find_call(line.encode(), VALUED)
    assert call is not None
    assert (call.verb, call.key) == ("run", key)
    edit = desk.wrap(f"0 1 * * * {line}\n".encode())
    assert edit.changes == []
    assert len(edit.left) == (key == "")


@pytest.mark.parametrize("line", ["echo radar", "myradar run x", "/opt/radar/job run x"])
def test_it_takes_nothing_else_for_one(line: str) -> None:
    assert find_call(line.encode(), VALUED) is None


def test_keys_are_kept_at_the_next_wrap(desk: Desk) -> None:
    text = b"0 1 * * * /opt/job\n0 2 * * * /opt/job\n"
    first = desk.wrap_and_keep(text)
    # Without what was kept, the line that is wrapped alone would get the other's key.
    unwrapped_second = first.splitlines(keepends=True)[0] + text.splitlines(keepends=True)[1]
    again = desk.wrap(unwrapped_second, taken=("job",))
    assert again.text == first


def test_the_line_that_checks_stands_before_a_last_one_without_an_end(desk: Desk) -> None:
    wrapper = Wrapper(_LINK, VALUED, desk.keeping, (), lambda _: "", lambda *_: True)
    source = _source(b"A=1\n0 1 * * * /opt/job", has_users=False)
    edit = wrapper.add_check(wrapper.wrap(source))
    assert edit.text == (
        b"A=1\n*/5 * * * * /opt/radar check --notify\n"
        b"0 1 * * * /opt/radar run job --schedule '0 1 * * *' -- /opt/job"
    )
    desk.keeping.add(keep_lines(edit))
    assert desk.unwrap(edit.text) == source.text
