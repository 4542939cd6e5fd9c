"""The plan that makes monitors as a file declares them: file, last applied, and as they are.

What was last applied stands with each monitor, as a field of its declaration that only `radar sync`
sets. So it is in the store or at the server, where each machine and each CI job finds it; it is
written in the same change as what it tells of, and can't disagree with it; it goes with the
monitor. Beside the values it has the name of the source, so that several files share a server:
each prunes what was its own.

A field that the file doesn't name is never touched, also if the file named it before. What was
last applied only tells whether the file or somebody else has changed what the file names.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from radar_cli.core.errors import UsageError
from radar_cli.model.declaring import read_changes
from radar_cli.sync.file import NAMES, name_of

APPLIED = "applied"
CREATE, UPDATE, DELETE, MARK = "create", "update", "delete", "mark"


class OthersMonitorError(UsageError):
    """A monitor that another source declares."""

    slug = "others-monitor"


@dataclass(frozen=True, slots=True)
class Present:
    """A monitor as it is; the fingerprint is another one once it isn't any more."""

    declared: Mapping[str, str]
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that becomes another one; `is_changed_there`: somebody else has set it since."""

    field: str
    before: str | None
    after: str | None
    is_changed_there: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan. To `mark` changes nothing but what is noted as applied."""

    kind: str
    key: str
    differences: tuple[Difference, ...] = ()
    changes: Mapping[str, str | None] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def is_drift(self) -> bool:
        """Whether the monitor isn't as the file declares it."""
        return self.kind != MARK


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps; `dropped` are monitors that the file had and has no more."""

    steps: tuple[Step, ...]
    dropped: tuple[str, ...] = ()

    @property
    def has_drift(self) -> bool:
        """Whether anything isn't as the file declares it."""
        return any(step.is_drift for step in self.steps)


def make_plan(
    wanted: Mapping[str, Mapping[str, str]],
    present: Mapping[str, Present],
    source: str,
    default_tz: str = "",
    *,
    prunes: bool = False,
) -> Plan:
    """Return what has to be done. OthersMonitorError: another source declares one of them."""
    steps = []
    for key, fields in wanted.items():
        step = _plan_one(key, fields, present.get(key), source, default_tz)
        if step is not None:
            steps.append(step)
    own = (key for key, each in present.items() if _read_applied(each.declared)[0] == source)
    dropped = [key for key in own if key not in wanted]
    if prunes:
        steps += [Step(DELETE, key, fingerprint=present[key].fingerprint) for key in dropped]
    return Plan(tuple(steps), tuple(dropped))


def _plan_one(
    key: str, fields: Mapping[str, str], present: Present | None, source: str, default_tz: str
) -> Step | None:
    declared = {} if present is None else present.declared
    owner, applied = _read_applied(declared)
    if owner not in ("", source):
        raise OthersMonitorError(
            f"monitor {key!r} belongs to the source {owner!r}",
            f"take it out of that file first, or use --source {owner}",
        )
    changes = read_changes(
        {**fields}, declared, {name: name_of(name) for name in fields}, default_tz
    )
    if "tz" not in fields and changes.get("schedule", declared.get("schedule")) == declared.get(
        "schedule"
    ):
        changes.pop("tz", None)  # the same schedule goes by the clock that it went by
    mark = _write_applied(source, fields)
    if present is None:
        made = {name: text for name, text in changes.items() if text is not None}
        differences = tuple(Difference(name, None, text) for name, text in made.items())
        return Step(CREATE, key, differences, {**made, APPLIED: mark})
    differences = tuple(
        Difference(
            name,
            declared.get(name),
            after,
            is_changed_there=name in applied and applied[name] != declared.get(name, ""),
        )
        for name, after in changes.items()
    )
    if differences:
        kind = UPDATE
    elif declared.get(APPLIED) != mark:
        kind = MARK
    else:
        return None
    return Step(kind, key, differences, {**changes, APPLIED: mark}, present.fingerprint)


def _write_applied(source: str, fields: Mapping[str, str]) -> str:
    content = {"source": source, "fields": {name: fields[name] for name in sorted(fields)}}
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def _read_applied(declared: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """Return by which source a monitor was declared, "" for none, and what it was declared as."""
    try:
        content = json.loads(declared.get(APPLIED) or "{}")
        source, fields = content.get("source", ""), content.get("fields", {})
        known: Iterable[tuple[str, str]] = fields.items()
        return str(source), {name: text for name, text in known if name in NAMES.values()}
    except (ValueError, AttributeError):
        return "", {}
