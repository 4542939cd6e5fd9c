"""Crontabs are read as cron reads them, and written back byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar_cli.crontab.lines import Job, Variable, parse
from tests.crontab.corpus import ALL
from tests.crontab.crontabs import Written, crontabs


def _jobs(text: bytes, *, has_users: bool = False) -> list[Job]:
    return [job for _, job in parse(text, has_users=has_users).jobs]


def _job(text: bytes, *, has_users: bool = False) -> Job:
    (job,) = _jobs(text, has_users=has_users)
    return job


@given(st.binary(), st.booleans())
def test_it_writes_any_bytes_back(text: bytes, has_users: bool) -> None:
    crontab = parse(text, has_users=has_users)
    assert crontab.text == text
    for _, job in crontab.jobs:
        assert job.with_command(job.command) == job.raw


@given(st.text("0123456789*/-,@ \t\n\r=\"'%\\#~abcdefg").map(str.encode), st.booleans())
def test_it_writes_what_looks_like_a_crontab_back(text: bytes, has_users: bool) -> None:
    crontab = parse(text, has_users=has_users)
    assert crontab.text == text
    for _, job in crontab.jobs:
        assert job.with_command(job.command) == job.raw
        assert job.shell_line + job.input == job.command


@pytest.mark.parametrize(("name", "text", "has_users"), ALL)
def test_it_writes_each_crontab_back(name: str, text: bytes, has_users: bool) -> None:
    del name
    assert parse(text, has_users=has_users).text == text


@given(crontabs())
def test_it_finds_the_fields_that_were_written(written: Written) -> None:
    crontab = parse(written.text, has_users=written.has_users)
    variables = [(line.name, line.value) for line in crontab.lines if isinstance(line, Variable)]
    jobs = [(job.times, job.user, job.command) for _, job in crontab.jobs]
    assert variables == written.variables
    assert jobs == written.jobs
    assert not any(line.fault for line in crontab.lines)


def test_it_knows_which_variables_hold_for_a_job() -> None:
    first, second = _jobs(b"A=1\n0 1 * * * a\nA='2 '\nB = x y \n0 2 * * * b\n")
    assert first.variables == {b"A": b"1"}
    assert second.variables == {b"A": b"2 ", b"B": b"x y"}


@pytest.mark.parametrize(
    ("line", "shell_line", "given_input"),
    [
        (b"job a", b"job a", b""),
        (b"job%in%put", b"job", b"%in%put"),
        (b"job \\%F", b"job \\%F", b""),
        (b"job \\%F%in\\%", b"job \\%F", b"%in\\%"),
        (b"job \\\\%in", b"job \\\\", b"%in"),
        (b"job a\\", b"job a\\", b""),
    ],
)
def test_it_splits_a_command_from_its_input(
    line: bytes, shell_line: bytes, given_input: bytes
) -> None:
    job = _job(b"0 1 * * * " + line + b"\n")
    assert (job.shell_line, job.input) == (shell_line, given_input)


def test_a_carriage_return_belongs_to_the_command() -> None:
    assert _job(b"0 1 * * * job\r\n").command == b"job\r"


def test_it_reads_cronies_dash_and_flags() -> None:
    job = _job(b"-*/5 * * * * root -n -s job\n", has_users=True)
    assert (job.times, job.user, job.flags, job.command) == (
        *("*/5 * * * *", "root"),
        *(b"-n -s ", b"job"),
    )
    assert job.head == b"-*/5 * * * * root -n -s "


@pytest.mark.parametrize(
    ("times", "schedule"),
    [("@daily", "@daily"), ("5  2\t* * 7", "5 2 * * 7"), ("0~30 2 * * *", ""), ("@reboot", "")],
)
def test_it_tells_a_schedule_where_it_can_be_known(times: str, schedule: str) -> None:
    assert _job(f"{times} job\n".encode()).schedule == schedule


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"75 1 * * * job", "bad minute '75'"),
        (b"@fortnightly job", "no such @ form: '@fortnightly'"),
        (b"1 1 * * * * job", "it has a field too many"),
        (b"1 1 * * *", "it is no comment, no variable and no job"),
        (b"1 1 * * * ", "it has no command"),
        (b"mon 1 * * * job", "'mon 1 * * *' are no times"),
    ],
)
def test_it_says_why_cron_ignores_a_line(line: bytes, fault: str) -> None:
    (found,) = parse(line + b"\n", has_users=False).lines
    assert found.fault == fault
    assert not isinstance(found, Job)


def test_a_system_line_without_a_command_is_none() -> None:
    (found,) = parse(b"0 1 * * * root\n", has_users=True).lines
    assert found.fault == "it has no command behind its user"
