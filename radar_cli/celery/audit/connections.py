"""Rules on connections to the broker, and on the broker itself."""

from radar_cli.celery.audit.facts import MISSING, Facts
from radar_cli.celery.audit.rule import Advice, Rule, advice, risk, wanted


def _at_startup(facts: Facts) -> Advice | None:
    name = "broker_connection_retry_on_startup"
    if facts.get(name) is MISSING or facts.has(name):
        return None
    is_unset = facts.get(name) is None
    return advice("True") if is_unset else risk("True")


def _retries(facts: Facts) -> Advice | None:
    most = facts.get("broker_connection_max_retries")
    return None if most is MISSING or not most else advice("None")


def _pool(facts: Facts) -> Advice | None:
    limit = facts.get("broker_pool_limit")
    if limit is MISSING:
        return None
    if not limit:
        return advice("10", "without a pool each message opens a connection of its own")
    is_shared = facts.pool in ("threads", "gevent", "eventlet")
    if is_shared and facts.slots > int(limit):
        because = f"{facts.slots} tasks at once share {limit} connections, and wait for one"
        return advice(str(facts.slots), because)
    return None


def _acquire(facts: Facts) -> Advice | None:
    name = "broker_pool_acquire_timeout"
    return advice("30") if facts.get(name) is not MISSING and not facts.has(name) else None


def _heartbeat(facts: Facts) -> Advice | None:
    is_off = facts.get("broker_heartbeat") is not MISSING and not facts.has("broker_heartbeat")
    return risk("120") if facts.broker == "amqp" and is_off else None


def _keepalive(facts: Facts) -> Advice | None:
    is_off = not facts.transport("socket_keepalive")
    return advice("True") if facts.broker == "redis" and is_off else None


def _health_check(facts: Facts) -> Advice | None:
    value = facts.transport("health_check_interval")
    return risk("25") if facts.broker == "redis" and value == 0 else None


def _eviction(facts: Facts) -> Advice | None:
    policy = facts.server.get("maxmemory-policy", "noeviction")
    if facts.broker != "redis" or policy == "noeviction":
        return None
    return risk("", f"when its memory is full, Redis drops whole queues ({policy})")


RULES = (
    Rule(
        "broker_connection_retry",
        "True",
        "a worker that loses its broker ends",
        "",
        wanted("broker_connection_retry", True, level="risk"),
    ),
    Rule(
        "broker_connection_retry_on_startup",
        "True",
        "a worker that starts before its broker ends; unset, it follows broker_connection_retry "
        "until Celery 6",
        "",
        _at_startup,
    ),
    Rule(
        "broker_connection_max_retries",
        "None",
        "after so many tries a worker gives up on a broker that is away",
        "where a supervisor restarts it, either will do",
        _retries,
    ),
    Rule(
        "broker_pool_limit",
        "at least as many as tasks that publish at once",
        "connections for publishing are shared",
        "",
        _pool,
    ),
    Rule(
        "broker_pool_acquire_timeout",
        "30",
        "who publishes waits for ever for a connection of the pool",
        "it raises then, and the caller has to bear it",
        _acquire,
    ),
    Rule(
        "broker_heartbeat",
        "120",
        "a connection that died half-way is never noticed: the worker waits on it for good",
        "",
        _heartbeat,
    ),
    Rule(
        "broker_transport_options.socket_keepalive",
        "True",
        "a firewall that forgets idle connections leaves the worker waiting on a dead one",
        "",
        _keepalive,
    ),
    Rule(
        "broker_transport_options.health_check_interval",
        "25",
        "a dead connection to Redis isn't noticed",
        "",
        _health_check,
    ),
    Rule(
        "maxmemory-policy",
        "noeviction, in Redis's own configuration",
        "queues are keys like others, and are evicted like others",
        "with noeviction, publishing fails when the memory is full: watch it",
        _eviction,
    ),
)
