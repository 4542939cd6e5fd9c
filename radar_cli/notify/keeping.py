"""Notices as JSON: what an alert holds until it is delivered."""

import json
from dataclasses import fields

from radar_cli.monitors.runs import Run
from radar_cli.notify.notice import Notice

_RUN_FIELDS = tuple(field.name for field in fields(Run))
# More of an output than any notice shows.
_OUTPUT_MAX_BYTES = 8_000


def encode_notice(notice: Notice) -> str:
    """The notice without its key, which is that of its alert."""
    values = {field.name: getattr(notice, field.name) for field in fields(Notice)}
    del values["key"], values["others"]  # an alert is of one monitor
    run = notice.last_run
    if run is not None:
        kept = {name: getattr(run, name) for name in _RUN_FIELDS}
        kept["output"] = run.output[-_OUTPUT_MAX_BYTES:].decode("utf-8", "replace")
        kept["omitted_bytes"] += max(0, len(run.output) - _OUTPUT_MAX_BYTES)
        values["last_run"] = kept
    return json.dumps(values)


def decode_notice(text: str, key: str) -> Notice:
    """The notice that `encode_notice` encoded. ValueError, TypeError or KeyError: it didn't."""
    values = json.loads(text)
    run = values["last_run"]
    if run is not None:
        values["last_run"] = Run(**{**run, "output": run["output"].encode()})
    for name in ("look", "tags", "mute"):
        values[name] = tuple(values.get(name, ()))
    if values.get("outage_us") is not None:
        begin_us, end_us = values["outage_us"]
        values["outage_us"] = (begin_us, end_us)
    return Notice(key=key, **values)
