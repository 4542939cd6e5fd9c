"""The production checklist: each rule, what goes wrong together, and the fix that settles it."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.app.defaults import NAMESPACES, flatten

from radar_cli.celery.audit.checklist import RULES, compose_fix, judge, judge_all
from radar_cli.celery.audit.facts import Facts, seconds_of
from radar_cli.celery.audit.gathering import read_app
from radar_cli.celery.project import Project
from tests.celery.apps import Project as Running
from tests.support.celery_app import Worker
from tests.support.radar import environment, run_radar
from tests.support.waiting import wait_until

_AT_STARTUP = "broker_connection_retry_on_startup"
_POOL = "broker_pool_limit"
_QUEUES = "task_default_queue_type"
_REDIS, _DATABASE = {"result_backend": "redis://"}, {"result_backend": "db+sqlite:///x"}
_EXPIRES = {"options": {"expires": 9}}
_LATE = {"task_acks_late": True, "worker_prefetch_multiplier": 1}


def found(conf: Mapping[str, Any], broker: str = "redis", **facts: Any) -> dict[str, str]:
    """The level of each setting that is judged; the settings not given are unknown."""
    return {each.rule.setting: each.advice.level for each in judge(Facts(conf, broker, **facts))}


def because(setting: str, conf: Mapping[str, Any], broker: str = "redis", **facts: Any) -> str:
    judged = judge(Facts(conf, broker, **facts))
    return next((each.advice.because for each in judged if each.rule.setting == setting), "-")


VISIBILITY = "broker_transport_options.visibility_timeout"


@pytest.mark.parametrize(
    ("conf", "facts", "words"),
    [
        ({}, {}, "-"),  # acknowledged before it runs: nothing to deliver again
        (_LATE, {}, "no time limit"),
        (
            {**_LATE, "task_time_limit": 7200},
            {},
            "tasks may run 2 h, and after 1 h run a second time",
        ),
        ({**_LATE, "task_time_limit": 3600}, {}, "tasks may run 1 h"),
        ({**_LATE, "task_time_limit": 600}, {}, "-"),
        (
            {
                **_LATE,
                "task_time_limit": 7200,
                "broker_transport_options": {"visibility_timeout": 9000},
            },
            {},
            "-",
        ),
        ({**_LATE, "task_time_limit": 7200}, {"broker": "amqp"}, "-"),
        ({}, {"longest_eta_s": 7200.0}, "an ETA 2 h ahead"),
        ({**_LATE, "task_time_limit": 60}, {"longest_eta_s": 7200.0}, "an ETA 2 h ahead"),
        (_LATE, {"longest_eta_s": 60.0, "broker": "amqp"}, "-"),
    ],
)
def test_the_visibility_timeout_is_longer_than_tasks_and_etas(
    conf: dict[str, Any], facts: dict[str, Any], words: str
) -> None:
    assert words in because(VISIBILITY, conf, **facts)


@pytest.mark.parametrize(
    ("late", "reject", "broker", "level"),
    [
        (True, True, "redis", "risk"),
        (True, True, "amqp", None),
        (True, None, "amqp", "advice"),
        (True, None, "redis", None),
        (False, True, "amqp", "advice"),
        (False, None, "amqp", None),
    ],
)
def test_rejecting_and_acknowledging_late_belong_together(
    late: bool, reject: bool | None, broker: str, level: str | None
) -> None:
    conf = {"task_acks_late": late, "task_reject_on_worker_lost": reject}
    assert found(conf, broker).get("task_reject_on_worker_lost") == level


@pytest.mark.parametrize(
    ("conf", "facts", "setting", "level"),
    [
        ({"task_time_limit": 60, "task_soft_time_limit": 60}, {}, "task_soft_time_limit", "risk"),
        ({"task_time_limit": 60, "task_soft_time_limit": 50}, {}, "task_soft_time_limit", None),
        ({"task_time_limit": None}, {}, "task_time_limit", "risk"),
        ({"task_time_limit": 60}, {"pool": "threads"}, "task_time_limit", "advice"),
        ({"worker_max_memory_per_child": 200}, {}, "worker_max_memory_per_child", "risk"),
        ({"worker_max_memory_per_child": 200_000}, {}, "worker_max_memory_per_child", None),
        ({"worker_max_memory_per_child": 200_000}, {}, "worker_max_tasks_per_child", None),
        ({"worker_prefetch_multiplier": 0}, {}, "worker_prefetch_multiplier", "risk"),
        (
            {"broker_pool_limit": 10},
            {"pool": "threads", "slots": 20},
            "broker_pool_limit",
            "advice",
        ),
        ({"broker_pool_limit": 10}, {"slots": 20}, "broker_pool_limit", None),
        ({"broker_pool_limit": None}, {}, "broker_pool_limit", "advice"),
        ({"broker_heartbeat": 0}, {"broker": "amqp"}, "broker_heartbeat", "risk"),
        ({"accept_content": ["json", "pickle"]}, {}, "accept_content", "risk"),
        ({"task_always_eager": True}, {}, "task_always_eager", "risk"),
        (
            {"broker_connection_retry_on_startup": False},
            {},
            "broker_connection_retry_on_startup",
            "risk",
        ),
        ({**_REDIS, "result_expires": None}, {}, "result_expires", "risk"),
        (
            {"result_backend": "redis://", "result_expires": "1 day, 0:00:00"},
            {},
            "result_expires",
            None,
        ),
        (
            {**_DATABASE, "result_expires": 60},
            {},
            "result_expires",
            "advice",
        ),
        ({**_REDIS, "result_extended": False}, {}, "result_extended", "advice"),
        ({"result_extended": False}, {}, "result_extended", None),
        ({"beat_schedule": {"a": {"schedule": 30}}}, {}, "beat_schedule", "advice"),
        (
            {"beat_schedule": {"a": {"schedule": 30, "options": {"expires": 9}}}},
            {},
            "beat_schedule",
            None,
        ),
        ({}, {"server": {"maxmemory-policy": "allkeys-lru"}}, "maxmemory-policy", "risk"),
        (
            {"task_default_queue_type": "classic"},
            {"broker": "amqp"},
            "task_default_queue_type",
            "advice",
        ),
    ],
)
def test_each_rule_knows_what_it_is_about(
    conf: dict[str, Any], facts: dict[str, Any], setting: str, level: str | None
) -> None:
    assert found(conf, **facts).get(setting) == level


def test_settings_that_this_celery_does_not_have_are_left_alone() -> None:
    expected = {"task_time_limit", "task_soft_time_limit", "worker_max_tasks_per_child"}
    expected |= {"broker_transport_options.socket_keepalive"}
    assert set(found({})) == expected


@pytest.mark.parametrize("broker", ["redis://", "amqp://"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"task_acks_late": True, "task_time_limit": 7200, "result_backend": "redis://"},
        {"task_acks_late": True, "task_reject_on_worker_lost": True, "broker_pool_limit": 0},
        {"accept_content": ["pickle"], "task_always_eager": True, "worker_prefetch_multiplier": 0},
        {"worker_max_memory_per_child": 500, "task_time_limit": 10, "task_soft_time_limit": 20},
    ],
)
def test_what_it_says_to_paste_settles_what_it_found(settings: dict[str, Any], broker: str) -> None:
    app = Celery("shop", broker=broker, set_as_current=False)
    app.conf.update(settings)
    app.conf.broker_transport_options = {"global_keyprefix": "shop."}
    project = Project(broker, app=app)
    judged = judge(read_app(project))
    exec(compose_fix(judged), {"app": app})
    assert app.conf.broker_transport_options["global_keyprefix"] == "shop."
    left = judge(read_app(project))
    assert [each.rule.setting for each in left if each.advice.level == "risk"] == []
    assert all(not each.advice.value or each.rule.is_conditional for each in left)


def test_what_workers_have_in_common_is_said_once() -> None:
    one = Facts({"task_always_eager": True, "broker_heartbeat": 0}, "amqp", where="a@x")
    two = Facts({"task_always_eager": True}, "amqp", where="b@x")
    where = {each.rule.setting: each.where for each in judge_all([one, two])}
    assert where["task_always_eager"] == ""
    assert where["broker_heartbeat"] == "a@x"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (5, 5.0), (timedelta(days=1), 86400.0), ("1 day, 0:00:00", 86400.0), ("2:03:04.5", 7384.5),
        (True, 0.0), (None, 0.0), ("soon", 0.0), ("10 days, 1:00:00", 867600.0),
    ],
)  # fmt: skip
def test_it_reads_durations_as_remote_control_writes_them(value: Any, seconds: float) -> None:
    assert seconds_of(value) == seconds


def test_every_rule_is_about_a_setting_of_celery_and_says_why() -> None:
    known = {name for name, _ in flatten(NAMESPACES)} | {"maxmemory-policy"}
    known.add("broker_pool_acquire_timeout")  # of Celery 5.7
    for rule in RULES:
        assert rule.setting.partition(".")[0] in known
        assert rule.why
        assert rule.recommended
    assert len({rule.setting for rule in RULES}) == len(RULES)


def test_explain_says_it_of_an_option_by_its_own_name() -> None:
    rule = next(rule for rule in RULES if rule.setting == VISIBILITY)
    for name in (VISIBILITY, "visibility_timeout"):
        done = run_radar("celery", "audit", "--explain", name)
        assert done.returncode == 0
        assert all(each.encode() in done.stdout for each in (rule.why, rule.caveat))


def test_explain_guesses_at_a_setting_that_it_does_not_know() -> None:
    done = run_radar("celery", "audit", "--explain", "visibilty_timeot")
    assert done.returncode == 2
    assert b"did you mean 'visibility_timeout'?" in done.stderr


def test_it_judges_an_app_without_any_broker(tmp_path: Path) -> None:
    text = "from celery import Celery\napp = Celery(broker='redis://127.0.0.1:1')\n"
    (tmp_path / "shop.py").write_text(text + "app.conf.task_acks_late = True\n")
    done = run_radar("celery", "audit", "-A", "shop", "--json", cwd=tmp_path)
    assert done.returncode == 1
    levels = {each["setting"]: each["level"] for each in json.loads(done.stdout)["data"]}
    assert levels[VISIBILITY] == "risk"
    fixed = run_radar("celery", "audit", "-A", "shop", "--fix", cwd=tmp_path)
    (tmp_path / "shop.py").write_bytes((tmp_path / "shop.py").read_bytes() + fixed.stdout)
    done = run_radar("celery", "audit", "-A", "shop", "--strict", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")


def test_without_a_worker_it_knows_nothing(redis_url: str) -> None:
    done = run_radar("celery", "audit", "-b", redis_url, "--timeout", "20s")
    assert done.returncode == 3
    assert b"no worker answers" in done.stderr


@pytest.mark.slow
def test_it_judges_what_running_workers_go_by(project: Running, redis_url: str) -> None:
    project.worker("solo")
    code = "import shop; shop.add.apply_async((1, 2), countdown=7200)"
    subprocess.run([sys.executable, "-c", code], cwd=project.folder, env=project.env, check=True)

    def judged() -> dict[str, Any]:
        done = run_radar("celery", "audit", "-b", redis_url, "--json", env=environment())
        return {each["setting"]: each for each in json.loads(done.stdout)["data"]}

    wait_until(lambda: VISIBILITY in judged(), 15, "the ETA that the worker holds", every_s=0.3)
    assert re.search(r"an ETA (2 h|1 h 59 min) ahead", judged()[VISIBILITY]["why"])
    assert "task_time_limit" not in judged()  # no pool that keeps them


@pytest.mark.slow
def test_it_judges_workers_on_rabbitmq_by_other_rules(rabbitmq_url: str, tmp_path: Path) -> None:
    worker = Worker(rabbitmq_url, tmp_path, pool="prefork", slots=1).wait()
    ready = ("celery", "ready", worker.node, "-b", rabbitmq_url)
    wait_until(lambda: run_radar(*ready).returncode == 0, 30, "it is ready")
    done = run_radar("celery", "audit", "-b", rabbitmq_url, "--json")
    judged = {each["setting"]: each for each in json.loads(done.stdout)["data"]}
    assert done.returncode in (0, 1)
    assert {"task_time_limit", "worker_max_tasks_per_child"} <= judged.keys()
    # What is Redis's alone.
    assert not [name for name in judged if name.startswith("broker_transport_options")]
    assert "maxmemory-policy" not in judged
    fixed = run_radar("celery", "audit", "-b", rabbitmq_url, "--fix", text=True)
    assert "app.conf.update(" in fixed.stdout
