"""Results of ended tasks, as a backend in Redis keeps them (celery/backends/base.py)."""

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from radar_cli.celery.failures import Ended
from radar_cli.core.credentials import is_secret_name
from radar_cli.core.redaction import Redactor

PREFIX = "celery-task-meta-"
# As many are looked at, in whatever order Redis has them.
MOST = 5000
_AT_ONCE = 500
_MOST_KEYS = 500_000
_FILE = re.compile(r'^  File "(?P<path>.+)", line (?P<line>\d+), in (?P<name>.+)$', re.MULTILINE)
_PACKAGES = ("/site-packages/", "/dist-packages/", "<", "/lib/python")
_ARGUMENTS_CHARACTERS = 500
_MASKED = "[redacted]"


def read_results(client: Any, prefix: str, since_us: int) -> tuple[list[Ended], list[str]]:
    """Return the runs that ended since then, and remarks on what couldn't be known.

    `client` is redis-py's, whose values are bytes; `prefix` stands before a task's id.
    """
    if client.dbsize() > _MOST_KEYS:
        return [], [f"the result backend has more than {_MOST_KEYS} keys: it wasn't searched"]
    redactor = Redactor([], [], "redact", [])
    found: list[Ended] = []
    keys: list[bytes] = []
    notes: list[str] = []
    for key in client.scan_iter(match=f"{prefix}*", count=2000):
        keys.append(key)
        if len(keys) >= MOST:
            notes.append(f"more than {MOST} results are kept: the rest wasn't looked at")
            break
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        values = [value for value in client.mget(some) if value is not None]
        found += [each for value in values if (each := _read(value, redactor)) is not None]
    return [each for each in found if each.ended_us >= since_us], notes


def _read(value: bytes, redactor: Redactor) -> Ended | None:
    """A run that ended, as Celery's JSON serializer keeps it."""
    try:
        kept = json.loads(value)
        status = kept["status"]
        ended_us = _moment_us(kept.get("date_done"))
        run_id = as_run_id(str(kept["task_id"]))
    except (ValueError, TypeError, KeyError):
        return None
    task = str(kept.get("name") or "")
    if status == "SUCCESS":
        return Ended(task, run_id, ended_us, is_failure=False, source="result backend")
    if status not in ("FAILURE", "REVOKED"):
        return None
    result = kept.get("result")
    result = result if isinstance(result, dict) else {}
    kind = str(result.get("exc_type") or "failed")
    module = str(result.get("exc_module") or "")
    if module and module not in ("builtins", "__main__"):
        kind = f"{module}.{kind}"
    message = result.get("exc_message")
    words = message if isinstance(message, str) else " ".join(map(str, message or ()))
    printed = str(kept.get("traceback") or "")
    called = f"{task or '?'}({_arguments(kept.get('args'), kept.get('kwargs'))})"
    return Ended(
        task,
        run_id,
        ended_us,
        is_failure=True,
        kind=kind,
        place=own_line(printed),
        text=_clean(redactor, words)[:500],
        called=_clean(redactor, called) if task else "",
        traceback=_clean(redactor, printed),
        source="result backend",
    )


def own_line(printed: str) -> str:
    """Return the innermost line of a printed traceback that is no library's."""
    places = list(_own_places(printed))
    return places[-1] if places else ""


def _own_places(printed: str) -> Iterator[str]:
    for found in _FILE.finditer(printed):
        path = found["path"]
        if not any(mark in path for mark in _PACKAGES):
            yield f"{'/'.join(path.split('/')[-2:])}:{found['line']} ({found['name']})"


def _arguments(args: Any, kwargs: Any) -> str:
    words = [_show("", each) for each in args] if isinstance(args, list) else []
    if isinstance(args, str) and args:
        words = [args.strip("()[],")]
    if isinstance(kwargs, dict):
        words += [f"{name}={_show(name, each)}" for name, each in kwargs.items()]
    elif isinstance(kwargs, str) and kwargs not in ("", "{}"):
        words.append(kwargs)
    return ", ".join(words)[:_ARGUMENTS_CHARACTERS]


def _show(name: str, value: Any) -> str:
    if name and is_secret_name(name):
        return _MASKED
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {_show(str(k), v)}" for k, v in value.items()) + "}"
    return repr(value)


def _clean(redactor: Redactor, text: str) -> str:
    clean, _ = redactor.clean(text.encode("utf-8", "replace"), margin_bytes=0)
    return clean.decode("utf-8", "replace")


def as_run_id(task_id: str) -> str:
    """Return a run's id as the integration makes it of a task's."""
    try:
        return str(uuid.UUID(task_id))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"celery:{task_id}"))


def _moment_us(text: Any) -> int:
    moment = datetime.fromisoformat(str(text))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1e6)
