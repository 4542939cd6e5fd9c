"""A monitor as the store keeps it: how it is declared anew, judged, kept and read again."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from radar_cli.model.fault import BAD, BEWARE, Fault, refuse
from radar_cli.model.monitor import Outage, Pause
from radar_cli.model.ping import Ping
from radar_cli.model.record import (
    MonitorRecord,
    read_faults,
    read_outages,
    read_pauses,
    write_faults,
    write_outages,
    write_pauses,
)
from radar_cli.model.state import Reason, Status

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_BEGIN = 1_795_000_000 * _SECOND // (3600 * _SECOND) * 3600 * _SECOND
_HOURLY = {"schedule": "0 * * * *", "tz": "UTC", "gracePeriod": "60"}


def _at(minute: float) -> int:
    return _BEGIN + round(minute * _MINUTE)


def _row(
    declared: dict[str, str] | None = None, *settled: str, faults: tuple[Fault, ...] = ()
) -> MonitorRecord:
    known = dict(_HOURLY if declared is None else declared)
    return MonitorRecord("m", known, _at(0), "", settled=frozenset(settled), faults=faults)


def _ping(kind: str, minute: float, **more: str) -> Ping:
    return Ping(kind, "m", time_us=_at(minute), **more)  # type: ignore[arg-type]  # ids and run ids


def _kept(known: MonitorRecord) -> MonitorRecord:
    """The same, as the store has it of what it wrote."""
    return MonitorRecord(
        *(known.key, known.declared, known.created_us, known.encode(), known.pauses),
        *(known.settled, known.version, known.outages, known.faults),
    )


def _statuses(known: MonitorRecord) -> list[str]:
    return [flip.status for flip in known.flips]


class TestKeeping:
    def test_a_row_that_was_never_judged_is_new(self) -> None:
        known = _row({})
        assert (known.view.status, known.newest, known.passed_us) == (Status.NEW, (0, ""), 0)
        assert not known.is_watched
        assert not known.has_no_beginning

    def test_what_is_kept_is_what_is_read(self) -> None:
        known = _row().apply_pings([_ping("start", 1, run_id="r"), _ping("fail", 2, run_id="r")])
        known.has_no_beginning = True
        again = _kept(known.advance_to(_at(500)))
        assert again.state == known.state
        assert again.view == known.view
        assert (again.newest, again.passed_us) == (known.newest, known.passed_us)
        assert again.has_no_beginning
        assert again.view.reason == Reason.FAILED
        assert again.flips == []

    def test_what_it_said_last_is_kept_with_it(self) -> None:
        known = _row().apply_pings([_ping("success", 1)]).advance_to(_at(60.5))
        assert _kept(known).view == known.view
        assert _kept(known).view.status == Status.LATE

    def test_hosts_are_kept_too(self) -> None:
        known = _row({**_HOURLY, "hosts": "each"})
        known.apply_pings(
            [Ping("success", "m", time_us=_at(at), fields={"host": "web1"}) for at in (0, 60)]
        )
        again = _kept(known)
        assert again.state == known.state
        assert again.state.by_host["web1"].status == Status.UP

    def test_once_kept_nothing_has_changed(self) -> None:
        known = _row().apply_pings([_ping("success", 1)])
        assert _statuses(known) == ["up"]
        known.mark_saved()
        assert (known.flips, known.version) == ([], 1)
        known.apply_pings([_ping("fail", 2)])
        assert _statuses(known) == ["down"]
        known.replay([_ping("success", 1)], _at(3), from_us=None)
        assert known.flips == [], "it is up, as the store has it"
        known.mark_saved()
        known.apply_pings([_ping("fail", 4), _ping("success", 5)])
        assert _statuses(known) == ["down", "up"]
        assert known.version == 2

    @pytest.mark.parametrize("faults", [(), (refuse("every", "soon", "bad"),)])
    def test_faults_are_kept(self, faults: tuple[Fault, ...]) -> None:
        assert read_faults(write_faults(faults)) == faults

    @pytest.mark.parametrize("outages", [(), (Outage(1, 2), Outage(3, 4))])
    def test_outages_are_kept(self, outages: tuple[Outage, ...]) -> None:
        assert read_outages(write_outages(outages)) == outages

    @pytest.mark.parametrize("pauses", [(), (Pause(1, 2), Pause(3))])
    def test_pauses_are_kept(self, pauses: tuple[Pause, ...]) -> None:
        assert read_pauses(write_pauses(pauses)) == pauses

    def test_nothing_is_kept_in_few_letters(self) -> None:
        assert write_faults(()) == write_outages(()) == write_pauses(()) == "[]"

    def test_what_a_person_can_set_makes_the_fingerprint(self) -> None:
        known = _row()
        paused = known.with_pauses([Pause(1, 2)])
        settled = known.with_declared(known.declared, frozenset({"tz"}))
        other = known.with_declared({**known.declared, "name": "x"}, frozenset())
        found = {each.fingerprint for each in (known, paused, settled, other)}
        assert len(found) == 4
        assert {len(each) for each in found} == {32}
        assert known.apply_pings([_ping("fail", 1)]).fingerprint == _row().fingerprint
        turned = _row(dict(reversed(_HOURLY.items())))
        assert turned.fingerprint == known.fingerprint, "whatever was said first"
        assert known.declared_json == '{"schedule": "0 * * * *", "tz": "UTC", "gracePeriod": "60"}'


class TestJudging:
    def test_time_that_passes_makes_flips(self) -> None:
        known = _row().apply_pings([_ping("success", 1)])
        assert known.advance_to(_at(60.5)).view.status == Status.LATE
        assert known.passed_us == 0, "late is no change"
        assert known.advance_to(_at(61) + 1).view.status == Status.DOWN
        assert known.passed_us == _at(61) + 1
        assert _statuses(known) == ["up", "down"]
        assert known.apply_pings([_ping("success", 62)]).view.status == Status.UP
        assert _statuses(known) == ["up", "down", "up"]

    def test_pings_that_come_late_are_judged_as_time_passed(self) -> None:
        known = _row().apply_pings([_ping("success", 1), _ping("success", 200)])
        assert _statuses(known) == ["up", "down", "up"]
        assert known.newest[0] == _at(200)

    def test_a_view_holds_until_it_has_to_be_looked_at(self) -> None:
        known = _row().apply_pings([_ping("success", 1)])
        look_us = known.view.next_look_us
        assert look_us is not None
        assert known.view_at(look_us) is known.view
        assert known.view_at(look_us + 1).status == Status.LATE
        assert known.view.status == Status.UP
        free = _row({}).apply_pings([_ping("success", 1)])
        assert free.view_at(_at(99_999)) is free.view

    def test_news_is_newer_than_all_that_is_known(self) -> None:
        known = _row().apply_pings([_ping("success", 1, ping_id="b")])
        assert known.is_before(_ping("log", 2))
        assert known.is_before(_ping("log", 1, ping_id="c"))
        assert not known.is_before(_ping("log", 1, ping_id="a"))
        assert not known.is_before(_ping("success", 1, ping_id="b")), "it is known"
        assert not known.is_before(_ping("log", 0))
        known.advance_to(_at(70))
        assert known.is_before(_ping("log", 70))
        assert not known.is_before(_ping("log", 69))

    def test_a_story_told_anew_changes_what_is_otherwise_in_the_end(self) -> None:
        known = _row().apply_pings([_ping("success", 1)]).advance_to(_at(70))
        known.mark_saved()
        assert str(known.view.status) == "down"
        known.replay([_ping("success", 1), _ping("success", 60)], _at(70), from_us=None)
        assert _statuses(known) == ["up"]
        assert (known.view.status, known.passed_us) == (Status.UP, 0)
        known.replay([_ping("success", 1)], _at(70), from_us=None)
        assert str(known.view.status) == "down"
        assert known.flips == []
        known.replay([_ping("success", 90)], _at(70), from_us=_at(80))
        assert known.view.status == Status.UP, "it goes on to its newest ping at least"

    def test_it_is_as_old_as_its_first_event(self) -> None:
        known = _row()
        assert known.monitor.created_us == _at(0)
        before = known.monitor
        for at_us in (_at(0), _at(1)):
            known.extend_back_to(at_us)
            assert known.monitor is before
        assert (known.created_us, known.monitor.created_us) == (_at(0), _at(0))
        known.extend_back_to(_at(-5))
        assert (known.created_us, known.monitor.created_us) == (_at(-5), _at(-5))

    def test_whether_silence_would_be_noticed(self) -> None:
        watched, free = (_row(each).apply_pings([_ping("success", 1)]) for each in (_HOURLY, {}))
        assert (watched.is_watched, free.is_watched) == (True, False)
        paused = [each.with_pauses([Pause(_at(2))]).advance_to(_at(3)) for each in (watched, free)]
        assert [each.view.status for each in paused] == [Status.PAUSED] * 2
        assert [each.is_watched for each in paused] == [True, False]

    def test_other_pauses_change_what_is_expected_and_not_what_is_known(self) -> None:
        known = _row().apply_pings([_ping("fail", 1)])
        other = known.with_pauses([Pause(_at(2), _at(3))])
        assert (other.state, other.newest, other.flips) == (known.state, known.newest, known.flips)
        assert other.pauses == (Pause(_at(2), _at(3)),)
        other.mark_saved()
        assert other.version == known.version + 1


class TestOutages:
    def test_a_deadline_in_an_outage_moves(self) -> None:
        known = _row().apply_pings([_ping("success", 1)])
        other = known.apply_outage(Outage(_at(50), _at(90)))
        assert other.outages == (Outage(_at(50), _at(90)),)
        assert other.view.status == Status.UP, "it is as it was before the outage"
        assert other.advance_to(_at(90.5)).view.status != Status.DOWN
        assert other.advance_to(_at(91) + 1).view.status == Status.DOWN
        assert other.newest == known.newest

    def test_what_was_judged_before_an_outage_stays_judged(self) -> None:
        known = _row().apply_pings([_ping("success", 1)]).advance_to(_at(70))
        other = known.apply_outage(Outage(_at(50), _at(90)))
        assert other.outages == (Outage(_at(70), _at(90)),)
        assert other.view.status == Status.DOWN
        assert (other.passed_us, _statuses(other)) == (_at(70), ["up", "down"])

    def test_what_was_late_when_it_began_is_late(self) -> None:
        known = _row().apply_pings([_ping("success", 1)])
        other = known.apply_outage(Outage(_at(60.5), _at(90)))
        assert other.view.status == Status.LATE

    def test_a_ping_after_its_begin_is_judged_by_then(self) -> None:
        known = _row().apply_pings([_ping("success", 61)])
        other = known.apply_outage(Outage(_at(50), _at(90)))
        assert other.view.next_look_us is not None
        assert other.state == known.state

    def test_outages_that_are_noted_later_are_in_order_and_each_once(self) -> None:
        known = _row().apply_pings([_ping("success", 1)])
        before = known.monitor
        known.note_outages([])
        assert known.monitor is before
        known.note_outages([Outage(_at(50), _at(90)), Outage(_at(10), _at(20))])
        assert known.outages == (Outage(_at(10), _at(20)), Outage(_at(50), _at(90)))
        assert known.monitor.outages == known.outages
        after = known.monitor
        known.note_outages([Outage(_at(55), _at(90))])
        assert known.outages == (Outage(_at(10), _at(20)), Outage(_at(50), _at(90)))
        assert known.monitor is after

    def test_some_fifty_outages_are_remembered(self) -> None:
        known = _row({})
        known.note_outages([Outage(_at(at), _at(at + 1)) for at in range(0, 120, 2)])
        assert [outage.begin_us for outage in known.outages] == [
            _at(at) for at in range(20, 120, 2)
        ]
        other = known.apply_outage(Outage(_at(200), _at(201)))
        assert len(other.outages) == 50
        assert other.outages[-1] == Outage(_at(200), _at(201))
        assert other.outages[0].begin_us == _at(22)


class TestDeclaring:
    def test_what_is_said_again_is_no_news(self) -> None:
        known = _row({})
        said = {"schedule": "0 * * * *", "tz": "UTC"}
        other = known.redeclare(said, _at(1))
        assert other is not known
        assert other.declared == said
        assert other.redeclare(dict(said), _at(2)) is other

    def test_a_schedule_and_an_interval_exclude_each_other(self) -> None:
        known = _row({**_HOURLY, "name": "n"})
        other = known.redeclare({"every": "3600"}, _at(1))
        assert other.declared == {"every": "3600", "gracePeriod": "60", "name": "n"}
        back = other.redeclare({"schedule": "5 * * * *", "tz": "UTC"}, _at(2))
        assert back.declared == {
            "schedule": "5 * * * *",
            "tz": "UTC",
            "gracePeriod": "60",
            "name": "n",
        }
        assert back.redeclare({"gracePeriod": "90"}, _at(3)).declared["schedule"] == "5 * * * *"

    @pytest.mark.parametrize(
        ("said", "zone", "tz"),
        [
            ({"schedule": "0 * * * *"}, "Asia/Kolkata", "UTC"),
            ({"schedule": "5 * * * *"}, "Asia/Kolkata", "Asia/Kolkata"),
            ({"schedule": "5 * * * *"}, "", None),
            ({"schedule": "5 * * * *", "tz": "Europe/London"}, "Asia/Kolkata", "Europe/London"),
            ({"name": "x"}, "Asia/Kolkata", "UTC"),
        ],
    )
    def test_a_schedule_without_a_zone_goes_by_the_clock_here(
        self, said: dict[str, str], zone: str, tz: str | None
    ) -> None:
        """The same schedule goes by the same clock as before."""
        assert _row().redeclare(said, _at(1), zone).declared.get("tz") == tz

    @pytest.mark.parametrize("settled", ["schedule", "every", "tz"])
    def test_when_a_person_has_said_when_no_ping_says_otherwise(self, settled: str) -> None:
        known = _row(None, settled)
        said = {"schedule": "5 * * * *", "tz": "Europe/London", "name": "new"}
        other = known.redeclare(said, _at(1), "Asia/Kolkata")
        assert other.declared == {**_HOURLY, "name": "new"}
        assert other.settled == {settled}
        named = _row({**_HOURLY, "name": "ours"}, "name").redeclare(said, _at(1))
        assert (named.declared["name"], named.declared["schedule"]) == ("ours", "5 * * * *")

    def test_a_story_is_told_anew_once_another_is_expected(self) -> None:
        known = _row().apply_pings([_ping("success", 1)])
        known.mark_saved()
        known.has_no_beginning = True
        other = known.redeclare({"schedule": "5 * * * *", "tz": "UTC"}, _at(2))
        assert other.newest == (0, "")
        assert (other.version, other.has_no_beginning) == (1, True)
        other.replay([_ping("success", 1)], _at(2), from_us=None)
        assert other.flips == [], "it is up as before"

    def test_what_cant_be_read_is_a_fault_and_changes_nothing(self) -> None:
        known = _row().apply_pings([_ping("success", 1)])
        other = known.redeclare({"schedule": "garbage", "every": "soon"}, _at(2))
        assert other.declared == _HOURLY
        assert [(each.field, each.text, each.since_us) for each in other.active_faults] == [
            ("schedule", "garbage", _at(2)),
            ("every", "soon", _at(2)),
        ]
        # For another text of the same field the one before has ended.
        again = other.redeclare({"schedule": "nonsense"}, _at(3))
        assert [each.text for each in again.active_faults] == ["soon", "nonsense"]
        assert [each.text for each in again.faults if each.ended_us == _at(3)] == ["garbage"]

    @pytest.mark.parametrize("said", [{"schedule": "5 * * * *", "tz": "UTC"}, {"every": "60"}])
    def test_a_fault_ends_once_the_job_says_when_it_runs(self, said: dict[str, str]) -> None:
        fault = replace(refuse("schedule", "garbage", "bad"), since_us=_at(1))
        odd = replace(refuse("gracePeriod", "soon", "bad"), since_us=_at(1))
        ended = replace(refuse("every", "x", "bad"), since_us=_at(0), ended_us=_at(1))
        other = _row(faults=(fault, odd, ended)).redeclare(said, _at(2))
        assert [each.ended_us for each in other.faults] == [_at(2), None, _at(1)]
        same = _row(faults=(fault,)).redeclare({"name": "x"}, _at(2))
        assert same.faults == (fault,)

    def test_a_fault_of_a_name_ends_with_it_alone(self) -> None:
        fault = replace(refuse("gracePeriod", "soon", "bad"), since_us=_at(1))
        known = _row(faults=(fault,))
        other = known.redeclare({"gracePeriod": "60"}, _at(2))
        assert other is not known
        assert other.declared == known.declared
        assert other.active_faults == []
        assert known.active_faults == [fault]

    @pytest.mark.parametrize(
        ("fields", "left"),
        [
            (["schedule"], ["gracePeriod"]),
            (["tz"], ["gracePeriod"]),
            (["gracePeriod"], ["schedule", "every"]),
            (["name"], ["schedule", "every", "gracePeriod"]),
        ],
    )
    def test_a_person_ends_the_faults_of_what_is_set(
        self, fields: Sequence[str], left: list[str]
    ) -> None:
        faults = tuple(refuse(field, "x", "bad") for field in ("schedule", "every", "gracePeriod"))
        known = _row(faults=faults).mend(fields, _at(2))
        assert [fault.field for fault in known.active_faults] == left
        assert {fault.ended_us for fault in known.faults} == {None, _at(2)} or fields == ["name"]

    def test_a_job_that_still_says_so_has_a_fault_again(self) -> None:
        said = {"schedule": "garbage"}
        known = _row().redeclare(said, _at(1)).mend(["schedule"], _at(2))
        assert known.active_faults == []
        assert [fault.text for fault in known.redeclare(said, _at(3)).active_faults] == ["garbage"]


class TestReviewing:
    def test_what_is_doubtful_is_found_and_ends_with_it(self) -> None:
        known = _row({**_HOURLY, "gracePeriod": "7200"}).review(_at(1))
        (fault,) = known.active_faults
        assert (fault.kind, fault.is_refused, fault.since_us) == (BEWARE, False, _at(1))
        assert known.review(_at(2)).faults == (fault,)
        other = known.with_declared(dict(_HOURLY), frozenset()).review(_at(3))
        assert [each.ended_us for each in other.faults] == [_at(3)]

    def test_what_has_not_changed_is_reviewed_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reviews = []

        def note(*what: object) -> list[Fault]:
            reviews.append(what)
            return []

        monkeypatch.setattr("radar_cli.model.record.find_faults", note)
        known = _row().review(_at(1)).review(_at(2))
        assert len(reviews) == 1
        known.note_outages([Outage(_at(3), _at(4))])
        known.review(_at(5))
        assert len(reviews) == 2, "another monitor is another story"

    @pytest.mark.parametrize(
        ("settled", "kind"), [("schedule", BEWARE), ("tz", BEWARE), ("name", BAD)]
    )
    def test_where_a_persons_setting_holds_it_is_no_more_than_doubtful(
        self, settled: str, kind: str
    ) -> None:
        faults = (refuse("schedule", "garbage", "bad"),)
        (fault,) = _row(None, settled, faults=faults).review(_at(1)).active_faults
        assert fault.kind == kind

    def test_bad_ones_come_first(self) -> None:
        faults = (
            replace(refuse("tz", "x", "odd"), kind=BEWARE),
            refuse("every", "x", "bad"),
            replace(refuse("grace", "x", "bad"), ended_us=1),
        )
        assert [each.field for each in _row(faults=faults).active_faults] == ["every", "tz"]

    def test_it_is_reviewed_again_once_others_run_it(self) -> None:
        known = _row().review(_at(1))
        assert known.active_faults == []
        hosts = ("web1", "web2")
        known.apply_pings(
            [
                Ping(
                    kind, "m", run_id=f"{host}{hour}", time_us=_at(60 * hour), fields={"host": host}
                )
                for hour in (1, 2, 3)
                for host in hosts
                for kind in ("start", "success")
            ]
        )
        assert known.state.rivals
        assert [each.kind for each in known.review(_at(200)).active_faults] == [BEWARE]
