r"""Reading queues from outside: depth with Redis's priorities, unacknowledged, who consumes.

Redis: kombu keeps a queue in one list per priority step, `queue`, `queue\x06\x163` and so on, and
what is fetched in the hash `unacked` and the sorted set `unacked_index`, whose scores are the times
of fetching (kombu/transport/redis.py). RabbitMQ: a passive declaration.
"""

import hashlib
import time
from typing import Any, Iterable

from radar_cli.celery.broker import Broker
from radar_cli.celery.check.seen import SeenQueue, Unacked

# All that a task's priority can be; kombu rounds down to one of its steps, by default 0 3 6 9.
_PRIORITIES = range(10)
# Of more messages than that, it isn't read which queue they came from.
_MOST_UNACKED = 500
# In a database of more keys than that, nobody looks for queues that weren't named.
_MOST_KEYS = 200_000
_SCAN = 2000
# How many may have been sent after a task that is to be removed.
_NEWEST = 1000
_BINDING = "_kombu.binding."


def read_queues(broker: Broker, names: Iterable[str]) -> dict[str, SeenQueue]:
    """The queues of these names, those that aren't there included."""
    wanted = list(dict.fromkeys(names))
    if broker.kind == "redis":
        return _read_redis(broker, wanted)
    return {name: _declare_passively(broker, name) for name in wanted}


def split_priorities(
    lengths: dict[int, int], steps: Iterable[int]
) -> tuple[dict[int, int], dict[int, int]]:
    """Split waiting messages by priority, and tell those in no step that workers read."""
    waiting = {priority: length for priority, length in lengths.items() if length}
    read = {0, *steps}
    return waiting, {priority: n for priority, n in waiting.items() if priority not in read}


def _read_redis(broker: Broker, names: list[str]) -> dict[str, SeenQueue]:
    client, channel = redis_of(broker)
    pipeline = client.pipeline(transaction=False)
    keys = {
        (name, priority): broker.key_prefix
        + name
        + (f"{channel.sep}{priority}" if priority else "")
        for name in names
        for priority in _PRIORITIES
    }
    for key in keys.values():
        pipeline.llen(key)
    lengths = dict(zip(keys, pipeline.execute(raise_on_error=False), strict=True))
    # The next message is at the right end: LPUSH puts in, BRPOP takes out.
    filled = [which for which, length in lengths.items() if isinstance(length, int) and length]
    for which in filled:
        pipeline.lindex(keys[which], -1)
    tails = dict(zip(filled, pipeline.execute(raise_on_error=False), strict=True))
    return {name: _seen_in_redis(name, lengths, tails, channel.priority_steps) for name in names}


def _seen_in_redis(
    name: str,
    lengths: dict[tuple[str, int], Any],
    tails: dict[tuple[str, int], Any],
    steps: Iterable[int],
) -> SeenQueue:
    own = {priority: lengths[name, priority] for priority in _PRIORITIES}
    counted = {priority: n for priority, n in own.items() if isinstance(n, int)}
    fault = next((str(n) for n in own.values() if not isinstance(n, int)), "")
    waiting, unread = split_priorities(counted, steps)
    # Workers read the steps in order: what waits longest may be in any of them.
    oldest = " ".join(
        hashlib.sha256(tail).hexdigest()[:16]
        for (queue, priority), tail in tails.items()
        if queue == name and priority not in unread and isinstance(tail, bytes)
    )
    return SeenQueue(name, sum(waiting.values()), waiting, unread, None, oldest, fault)


def read_unacked(broker: Broker) -> Unacked | None:
    """Read what workers have fetched; None where the broker shows it only by its management."""
    if broker.kind != "redis":
        return None
    client, channel = redis_of(broker)
    pipeline = client.pipeline(transaction=False)
    unacked = broker.key_prefix + channel.unacked_key
    index = broker.key_prefix + channel.unacked_index_key
    pipeline.hlen(unacked)
    pipeline.zrange(index, 0, 0, withscores=True)
    count, oldest = pipeline.execute(raise_on_error=False)
    if not isinstance(count, int):
        return None
    age_s = max(0.0, time.time() - oldest[0][1]) if isinstance(oldest, list) and oldest else None
    by_queue: dict[str, int] = {}
    fetched_at: dict[str, float] = {}
    if 0 < count <= _MOST_UNACKED:
        import json

        times = dict(client.zrange(index, 0, -1, withscores=True))
        for tag, value in client.hgetall(unacked).items():
            try:
                message, _, key = json.loads(value)
                number = str(message["headers"]["id"])
            except (ValueError, TypeError, KeyError):
                continue
            by_queue[str(key)] = by_queue.get(str(key), 0) + 1
            if tag in times:
                fetched_at[number] = times[tag]
    return Unacked(count, age_s, by_queue, fetched_at)


def remove_newest(broker: Broker, queue: str, task_id: str) -> None:
    """Take a task that was just sent out of a queue of Redis.

    RabbitMQ drops what has expired by itself, once it is the next of its queue.
    """
    if broker.kind != "redis":
        return
    client, _ = redis_of(broker)
    key = broker.key_prefix + queue
    for message in client.lrange(key, 0, _NEWEST - 1):
        if task_id.encode() in message:
            client.lrem(key, 1, message)


def find_names(broker: Broker) -> tuple[set[str], set[str]]:
    """Queues and nodes that somebody has bound in Redis, even if nobody is there any more."""
    if broker.kind != "redis":
        return set(), set()
    client, channel = redis_of(broker)
    start = f"{broker.key_prefix}{_BINDING}"
    exchanges = {f"{broker.exchange}.pidbox"}
    if client.dbsize() <= _MOST_KEYS:
        pattern = _escape(start) + "*"
        for key in client.scan_iter(match=pattern, count=_SCAN):
            exchanges.add(key.decode("utf-8", "replace").removeprefix(start))
    queues, nodes = set(), set()
    for exchange in exchanges:
        if exchange.startswith("reply.") or exchange == "celeryev":
            continue
        members = client.smembers(start + exchange)
        bound = {m.decode("utf-8", "replace").rpartition(channel.sep)[2] for m in members}
        if exchange.endswith(".pidbox"):
            nodes |= {name.removesuffix(f".{exchange}") for name in bound}
        else:
            queues |= bound
    return queues, nodes


def _declare_passively(broker: Broker, name: str) -> SeenQueue:
    with broker.connection.channel() as channel:
        try:
            found = channel.queue_declare(name, passive=True)
        except broker.connection.channel_errors as error:
            is_missing = getattr(error, "code", None) == 404 or "NOT_FOUND" in str(error)
            fault = "missing" if is_missing else str(error)[:200]
            return SeenQueue(name, None, fault=fault)
    consumers = found.consumer_count if broker.kind == "amqp" else None
    return SeenQueue(name, found.message_count, consumers=consumers)


def is_bound(broker: Broker, node: str) -> bool | None:
    """Whether a node of that name is connected, where the broker knows it by name (RabbitMQ)."""
    if broker.kind != "amqp":
        return None
    seen = _declare_passively(broker, f"{node}.{broker.exchange}.pidbox")
    # Of another's exclusive queue RabbitMQ says RESOURCE_LOCKED: it is there.
    return seen.fault != "missing"


def redis_of(broker: Broker) -> tuple[Any, Any]:
    """Return a client that adds no prefix (kombu's own does for some commands), and a channel."""
    import redis

    channel = broker.connection.default_channel
    return redis.Redis(connection_pool=channel.pool), channel


def _escape(text: str) -> str:
    """Text that stands for itself in a pattern of Redis."""
    return "".join(f"\\{character}" if character in "*?[]\\^" else character for character in text)
