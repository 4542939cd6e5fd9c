"""Rules on what can be seen of tasks: events, states, results."""

from collections.abc import Callable

from radar_cli.celery.audit.facts import Facts
from radar_cli.celery.audit.rule import Advice, Rule, advice, risk, wanted

_DATABASES = ("db+", "sqlalchemy", "database", "django-db")


def _with_backend(setting: str) -> Callable[[Facts], Advice | None]:
    def judge(facts: Facts) -> Advice | None:
        is_kept = facts.has_backend and not facts.has("task_ignore_result")
        return advice("True") if is_kept and facts.lacks(setting) else None

    return judge


def _expires(facts: Facts) -> Advice | None:
    if not facts.has_backend:
        return None
    if not facts.seconds("result_expires"):
        return risk("86400")
    if str(facts.get("result_backend")).startswith(_DATABASES) and not facts.has("beat_schedule"):
        return advice("", "a database forgets results only by Beat's celery.backend_cleanup")
    return None


def _errors(facts: Facts) -> Advice | None:
    is_wrong = facts.has("task_ignore_result") and facts.has_backend
    is_wrong = is_wrong and facts.lacks("task_store_errors_even_if_ignored")
    return advice("True") if is_wrong else None


def _pickle(facts: Facts) -> Advice | None:
    accepted = facts.get("accept_content")
    names = accepted if isinstance(accepted, (list, tuple, set)) else ()
    is_open = any(name in ("pickle", "application/x-python-serialize") for name in names)
    return risk('["json"]') if is_open else None


RULES = (
    Rule(
        "worker_send_task_events",
        "True",
        "without events no monitor sees a task start, end or fail",
        "each task costs a few messages",
        wanted("worker_send_task_events", True),
    ),
    Rule(
        "task_send_sent_event",
        "True",
        "without it nobody knows how long a task waited, or that it got lost on the way",
        "the clients that publish need it as well",
        wanted("task_send_sent_event", True),
    ),
    Rule(
        "task_track_started",
        "True",
        "a running task looks like one that waits",
        "one more write to the result backend a task",
        _with_backend("task_track_started"),
    ),
    Rule(
        "result_extended",
        "True",
        "a result doesn't tell the task's name and arguments",
        "arguments may hold personal data",
        _with_backend("result_extended"),
    ),
    Rule(
        "result_expires",
        "86400",
        "results are kept for good, until their store is full",
        "",
        _expires,
    ),
    Rule(
        "task_store_errors_even_if_ignored",
        "True",
        "the failures of tasks whose result is ignored are seen nowhere",
        "",
        _errors,
    ),
    Rule(
        "accept_content",
        '["json"]',
        "whoever can write to the broker can run code in the workers: a pickle is a program",
        "tasks whose arguments are no JSON have to change",
        _pickle,
    ),
    Rule(
        "task_always_eager",
        "False",
        "tasks run in whoever calls them, and never in a worker",
        "",
        wanted("task_always_eager", False, level="risk"),
    ),
)
