"""A memory from check to check: since when the same message is the next of its queue.

Redis's messages don't carry when they were sent. Between checks that see the same message at the
end of a queue, it has waited at least that long.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from radar_cli.celery.check.seen import SeenQueue


def remember_waits(
    folder: Path, broker: str, queues: Mapping[str, SeenQueue], now: float
) -> dict[str, float]:
    """Return how long each queue's next message has been seen to wait (seconds), and remember it.

    `now` is Unix time: it has to outlive this process. What can't be read or kept is forgotten.
    """
    place = folder / f"{hashlib.sha256(broker.encode()).hexdigest()[:16]}.json"
    before = _read(place)
    notes: dict[str, tuple[str, float]] = {}
    waits = {}
    for name, queue in queues.items():
        if not queue.oldest:
            continue
        oldest, since = before.get(name, ("", now))
        # Of several priorities, each has its next message: one that stayed has waited.
        is_same = bool(set(oldest.split()) & set(queue.oldest.split()))
        since = min(since, now) if is_same else now
        notes[name] = (queue.oldest, since)
        waits[name] = now - since
    _write(place, notes)
    return waits


def _read(place: Path) -> dict[str, tuple[str, float]]:
    try:
        content = json.loads(place.read_bytes())
        return {str(n): (str(oldest), float(since)) for n, (oldest, since) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write(place: Path, notes: Mapping[str, tuple[str, float]]) -> None:
    with contextlib.suppress(OSError):
        if not notes:
            place.unlink(missing_ok=True)
            return
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=place.parent)
        with os.fdopen(descriptor, "w") as file:
            json.dump(notes, file)
        os.replace(name, place)
