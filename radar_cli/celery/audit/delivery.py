"""Rules on messages: when they are acknowledged, delivered again, lost."""

from radar_cli.celery.audit.facts import Facts
from radar_cli.celery.audit.rule import Advice, Rule, advice, risk, wanted
from radar_cli.core.grammar import format_duration

# Of what kombu may be late with a redelivery, and tasks with their end.
_MARGIN_S = 300


def _reject(facts: Facts) -> Advice | None:
    late, reject = facts.has("task_acks_late"), facts.has("task_reject_on_worker_lost")
    if reject and not late:
        return advice("None", "without task_acks_late it does nothing")
    if reject and facts.broker == "redis":
        because = "Redis limits no redelivery: a task that kills its process does so for ever"
        return risk("None", because)
    if late and not reject and facts.broker == "amqp":
        return advice("True")
    return None


def _visibility(facts: Facts) -> Advice | None:
    if facts.broker != "redis":
        return None
    longest_s = facts.seconds("task_time_limit")
    has = format_duration(facts.visibility_s)
    if facts.longest_eta_s >= facts.visibility_s:
        eta = format_duration(facts.longest_eta_s)
        because = f"a task waits for an ETA {eta} ahead; after {has} it is delivered to others too"
        return risk(_seconds(max(longest_s, facts.longest_eta_s)), because)
    if not facts.has("task_acks_late"):
        return None
    if longest_s and longest_s >= facts.visibility_s:
        limit = format_duration(longest_s)
        because = f"tasks may run {limit}, and after {has} run a second time beside the first"
        return risk(_seconds(longest_s), because)
    if not longest_s and not facts.transport("visibility_timeout"):
        because = f"no time limit, and a task that runs longer than {has} runs twice at once"
        return risk("", because)
    return None


def _seconds(longest_s: float) -> str:
    return str(int(longest_s + _MARGIN_S))


def _prefetch(facts: Facts) -> Advice | None:
    multiplier = facts.seconds("worker_prefetch_multiplier")
    if facts.has("worker_disable_prefetch"):
        return None
    if multiplier == 0 and facts.get("worker_prefetch_multiplier") == 0:
        return risk("1", "0 means that one worker takes every message that there is")
    return advice("1") if facts.has("task_acks_late") and multiplier > 1 else None


def _deduplicate(facts: Facts) -> Advice | None:
    is_wrong = facts.has("task_acks_late") and facts.lacks("worker_deduplicate_successful_tasks")
    return advice("True") if is_wrong and facts.has_backend else None


def _quorum(facts: Facts) -> Advice | None:
    if facts.broker != "amqp" or facts.get("task_default_queue_type") != "classic":
        return None
    return advice('"quorum"')


def _cancel(facts: Facts) -> Advice | None:
    name = "worker_cancel_long_running_tasks_on_connection_loss"
    return advice("True") if facts.has("task_acks_late") and facts.lacks(name) else None


RULES = (
    Rule(
        "task_acks_late",
        "True",
        "a task whose worker dies is lost: it is acknowledged before it runs",
        "only if each task may run twice",
        wanted("task_acks_late", True),
        is_conditional=True,
    ),
    Rule(
        "task_reject_on_worker_lost",
        "True with acks_late on quorum queues, else None",
        "a task whose process is killed (OOM) is acknowledged all the same, and lost",
        "a task that always kills its process comes again: set a delivery limit on the queue",
        _reject,
        is_conditional=True,
    ),
    Rule(
        "task_acks_on_failure_or_timeout",
        "True",
        "a failed task's message is rejected: without a dead letter exchange it is gone",
        "Celery 5.7 splits it into task_acks_on_failure and task_acks_on_timeout",
        wanted("task_acks_on_failure_or_timeout", True),
    ),
    Rule(
        "broker_transport_options.visibility_timeout",
        "longer than the longest task with acks_late, and than any ETA or countdown",
        "Redis delivers again what isn't acknowledged in time: the task runs twice",
        "what a dead worker held comes again only after it; all workers and clients need the same",
        _visibility,
    ),
    Rule(
        "worker_prefetch_multiplier",
        "1",
        "a worker holds tasks that idle workers could run",
        "with many short tasks, more is quicker",
        _prefetch,
    ),
    Rule(
        "worker_cancel_long_running_tasks_on_connection_loss",
        "True with acks_late",
        "after a lost connection a task runs on that can't be acknowledged, and runs again",
        "tasks are ended in the middle",
        _cancel,
    ),
    Rule(
        "worker_deduplicate_successful_tasks",
        "True with acks_late",
        "what is delivered again after it succeeded runs again",
        "it asks the result backend before each redelivered task",
        _deduplicate,
    ),
    Rule(
        "task_default_queue_type",
        '"quorum" on RabbitMQ',
        "classic queues are lost with their node",
        "existing queues have to be deleted and made anew",
        _quorum,
        is_conditional=True,
    ),
)
