"""Requests and answers of the management API, for `/openapi.json` and for checking requests.

Times are ISO 8601 in UTC, durations seconds, memory bytes.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from radar_cli.core.grammar import LONGEST_S
from radar_cli.core.ids import KEY_MAX
from radar_cli.model.declaring import (
    HIGHEST_TOLERANCE,
    LONGEST_APPLIED,
    LONGEST_NOTES,
    LONGEST_TAGS,
    LONGEST_TEXT,
)

STATUSES = Literal["new", "up", "late", "down", "paused"]
_KEYS_MAX = 1000


class ErrorAnswer(BaseModel):
    """The error of a failed request: a stable word for programs, and a sentence for people."""

    error: str = Field(examples=["NOT_FOUND"])
    message: str


class OriginAnswer(BaseModel):
    """From where a ping came, as the server saw it; null for one that came by no server."""

    address: str
    method: str
    agent: str = Field(description="The User-Agent.")


class RunAnswer(BaseModel):
    """One execution. A run that is `hung` has no end and isn't expected to have one."""

    run_id: str | None
    outcome: Literal["success", "fail", "running", "hung"]
    started_at: str | None
    ended_at: str | None
    duration_s: float | None
    exit_code: int | None
    signal: int | None
    reason: str | None
    cpu_s: float | None
    max_rss_bytes: int | None
    tries: int
    host: str | None
    message: str | None
    url: str | None
    task: str | None = Field(description="The task of Celery's whose run it is.")
    output: str = Field(description="The end of its output; empty unless it is asked for.")
    output_bytes: int | None
    omitted_bytes: int
    output_unread: bool = Field(description="Whether its output went to a terminal.")
    origin: OriginAnswer | None


class FaultAnswer(BaseModel):
    """A fault of a declaration.

    It is `bad` where it leaves the monitor unwatched or with a value that nobody asked for, and
    `beware` where what a person has set holds, or where it is doubtful.
    """

    kind: Literal["bad", "beware"]
    field: str
    text: str = Field(description="What it was declared as.")
    message: str
    since: str


class AckAnswer(BaseModel):
    """Somebody sees to a monitor that is down: nobody is reminded of it until it is up."""

    at: str
    by: str


class SilenceAnswer(BaseModel):
    """No notices of a monitor are sent for a while; it is judged as ever."""

    window: str = Field(description="The id of the maintenance window, or of the snooze.")
    why: str
    until: str | None = Field(description="Null: until somebody ends it.")


class Record(BaseModel):
    """All that is kept of a monitor, as `radar` itself reads it; it may change with versions."""

    declared: dict[str, str]
    settled: list[str] = Field(description="Which of these a person has set: no ping changes them.")
    created_us: int
    pauses: list[list[int | None]]
    faults: list[dict[str, Any]]
    outages: list[list[int]] = Field(description="Those that may have moved a deadline.")
    judged: dict[str, Any]


class MonitorAnswer(BaseModel):
    """A monitor as it is declared, and what it says now."""

    key: str
    name: str
    schedule: str | None
    every_s: float | None
    tz: str | None
    grace_s: float
    max_runtime_s: float | None
    failure_tolerance: int
    tags: list[str]
    notes: str | None = Field(description="What to do when it is down, in a few lines.")
    status: STATUSES
    reason: Literal["missed", "failed", "hung"] | None
    since: str
    running: bool
    expected_at: str | None
    paused: bool
    paused_until: str | None
    created_at: str
    hosts: str | None = Field(description="How many serve its slots: any, each or a number.")
    faults: list[FaultAnswer] = Field(description="What is wrong with its declaration.")
    acknowledged: AckAnswer | None
    silenced: SilenceAnswer | None
    watched: bool = Field(description="Whether its silence would be noticed.")
    version: int = Field(description="Counts its changes, pings included.")
    fingerprint: str = Field(
        description="Of what is declared and paused; as an ETag it is for If-Match."
    )
    pings: int | None = Field(None, description="How many are kept, if it is asked for.")
    runs: list[RunAnswer] | None = Field(None, description="Its last runs, if they are asked for.")
    record: Record


class MonitorPage(BaseModel):
    """Some monitors, by key. A page may be short: the last one is the one without `next`."""

    monitors: list[MonitorAnswer]
    next: str | None = Field(description="Ask on with `after` set to this.")


class KeyPage(BaseModel):
    """Some keys of monitors, in order."""

    keys: list[str]
    next: str | None


# `monitors.declaring` reads what these say, and says what is wrong with it; here are its bounds
# for those who read the schema.
Seconds = Annotated[
    float, Field(allow_inf_nan=False, json_schema_extra={"minimum": 0, "maximum": LONGEST_S})
]
Period = Annotated[
    float, Field(allow_inf_nan=False, json_schema_extra={"minimum": 1, "maximum": LONGEST_S})
]
# As people type them, `1h30m`.
Typed = Annotated[str, Field(max_length=40, examples=["1h30m"])]
Text = Annotated[str, Field(json_schema_extra={"maxLength": LONGEST_TEXT})]
Notes = Annotated[str, Field(json_schema_extra={"maxLength": LONGEST_NOTES})]
Tolerance = Annotated[int, Field(json_schema_extra={"minimum": 0, "maximum": HIGHEST_TOLERANCE})]
Tag = Annotated[str, Field(pattern=r"^[^\s,]+$")]


class MonitorFields(BaseModel):
    """The declaration of a monitor. A field that isn't given stays, null clears."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = None
    schedule: Text | None = Field(None, examples=["5 2 * * *"])
    every_s: Period | Typed | None = None
    tz: Text | None = Field(None, examples=["Europe/London"])
    grace_s: Seconds | Typed | None = None
    max_runtime_s: Period | Typed | None = None
    failure_tolerance: Tolerance | None = None
    hosts: Annotated[str, Field(max_length=10, examples=["each"])] | int | None = None
    tags: list[Tag] | None = Field(
        None,
        description=f"All of them, apart by spaces, have at most {LONGEST_TAGS} characters.",
    )
    notes: Notes | None = Field(
        None, description="What to do when it is down: some lines, links among them."
    )
    applied: Annotated[str, Field(json_schema_extra={"maxLength": LONGEST_APPLIED})] | None = Field(
        None, description="What `radar sync` has declared it as; only that reads it."
    )


class NewMonitor(MonitorFields):
    """A monitor to create: its silence counts from now on."""

    key: str = Field(max_length=KEY_MAX, examples=["backup"])


class PauseRequest(BaseModel):
    """For how long nothing is expected; without `for_s` until it is resumed."""

    model_config = ConfigDict(extra="forbid")

    for_s: Annotated[float, Field(gt=0, le=LONGEST_S, allow_inf_nan=False)] | None = None


class BatchRequest(BaseModel):
    """Monitors to change together: all of them or none."""

    model_config = ConfigDict(extra="forbid")

    keys: list[str] = Field(min_length=1, max_length=_KEYS_MAX)


class BatchPauseRequest(BatchRequest, PauseRequest):
    """Monitors to pause together."""


class BatchAckRequest(BatchRequest):
    """Monitors that somebody sees to; `by` is who, if not the name of the API key."""

    by: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class BatchSnoozeRequest(BatchAckRequest):
    """Monitors of which nothing is to be told for so long."""

    for_s: Annotated[float, Field(gt=0, le=LONGEST_S, allow_inf_nan=False)]


class AcknowledgedAnswer(BaseModel):
    """Those of the monitors that are down, and that somebody sees to now."""

    acknowledged: list[str]


class RenameRequest(BaseModel):
    """Another key for a monitor, and whether the old one goes on counting for it."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(max_length=KEY_MAX)
    keep_alias: bool = True


class AliasAnswer(BaseModel):
    """A key that a monitor had: what is sent under it is the monitor's."""

    alias: str
    monitor: str
    made_at: str
    used_at: str | None = Field(description="When something last came under it.")


class AliasPage(BaseModel):
    """The old keys of a monitor, the newest first."""

    aliases: list[AliasAnswer]


class SnoozedAnswer(BaseModel):
    """The monitors of which nothing is told for a while."""

    snoozed: list[str]


class PausedAnswer(BaseModel):
    """The monitors that are paused now."""

    paused: list[str]


class ResumedAnswer(BaseModel):
    """Those of the monitors that were paused."""

    resumed: list[str]


class DeletedAnswer(BaseModel):
    """The monitors that are gone, and how many pings went with them."""

    deleted: list[str]
    pings: int


class PingAnswer(BaseModel):
    """One fact about a run; `fields` has the rest under its names on the wire."""

    id: str
    kind: Literal["start", "success", "fail", "log"]
    run_id: str | None
    time: str
    fields: dict[str, str]
    output: str = Field(description="The body of the ping; empty unless it is asked for.")
    origin: OriginAnswer | None


class PingPage(BaseModel):
    """Pings of a monitor, the newest first."""

    pings: list[PingAnswer]
    next: str | None = Field(description="Ask on with `before` set to this.")


class RunPage(BaseModel):
    """Runs of a monitor, the newest first."""

    runs: list[RunAnswer]
    next: str | None = Field(description="Ask on with `before` set to this.")


class FlipAnswer(BaseModel):
    """A change of a monitor's status, and when it was noticed."""

    id: str
    since: str
    status: str
    reason: str | None
    previous: str
    noticed_at: str


class FlipPage(BaseModel):
    """Flips of a monitor, the newest first."""

    flips: list[FlipAnswer]
    next: str | None = Field(description="Ask on with `before` set to this.")


class TokenAnswer(BaseModel):
    """A secret token: whoever has it may do this without a key."""

    token: str
    url: str


class RevokedAnswer(BaseModel):
    """Whether there was a token to take out of use."""

    revoked: bool


class OutageAnswer(BaseModel):
    """A time in which no server looked; a deadline that fell into it was moved once, a little."""

    begin: str
    end: str
    monitors: int | None = Field(
        description="How many were due in it; null for a key that doesn't see all of them."
    )


class NoticeAnswer(BaseModel):
    """A notice: of one monitor or several, through one channel."""

    id: str
    channel: str
    kind: str | None
    monitors: list[str]
    count: int = Field(description="How many monitors it is about.")
    made_at: str
    settled_at: str | None
    next_try_at: str | None
    tries: int
    fate: str | None = Field(description="delivered, given up, or null: on its way.")
    answer: str | None = Field(description="To the last try, or why it failed.")


class NoticePage(BaseModel):
    """Notices, the newest first."""

    notices: list[NoticeAnswer]
    next: str | None = Field(description="Ask on with `before` set to this.")


class ChannelAnswer(BaseModel):
    """A channel that delivers nothing."""

    channel: str
    delivered_at: str | None = Field(description="When it last delivered something.")
    failing_since: str | None
    failures: int
    error: str | None


class NewWindow(BaseModel):
    """A maintenance window to add: for monitors with such keys, or with a tag, or both.

    Once it needs an `end`, or `for_s`. With a `schedule`, a cron expression, it begins each time
    that this says and lasts `for_s`, until `end` or until somebody ends it.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    monitors: Annotated[str, Field(max_length=200, pattern=r"^[a-z0-9._*?!\[\]-]+$")] = "*"
    tag: Annotated[str, Field(max_length=200, pattern=r"^[^\s,\x00-\x1f\x7f]*$")] = ""
    begin: Annotated[str, Field(max_length=40)] | None = None
    end: Annotated[str, Field(max_length=40)] | None = None
    for_s: Annotated[float, Field(gt=0, le=LONGEST_S, allow_inf_nan=False)] | None = None
    schedule: Annotated[str, Field(max_length=400)] = ""
    tz: Annotated[str, Field(max_length=60)] = ""


class WindowAnswer(BaseModel):
    """A maintenance window, or a snooze."""

    id: str
    name: str
    monitors: str
    tag: str | None
    begin: str
    end: str | None
    schedule: str | None
    tz: str | None
    length_s: float | None
    on: bool
    on_until: str | None
    next: str | None = Field(description="When it next begins.")


class WindowPage(BaseModel):
    """All maintenance windows that aren't over."""

    windows: list[WindowAnswer]


class EndedAnswer(BaseModel):
    """The id of the window that is over now."""

    ended: str


class StatusAnswer(BaseModel):
    """The server at a glance, as far as the key sees it."""

    version: str
    time: str
    scope: Literal["read", "admin"]
    key_monitors: str = Field(description="The pattern of monitors that the key is for.")
    monitors: dict[STATUSES, int]
    unwatched: dict[STATUSES, int] = Field(description="Those of them whose silence is no news.")
    faults: dict[Literal["bad", "beware"], int] = Field(
        description="How many monitors have a fault, by the worst of each."
    )
    looked_at: str | None = Field(description="When somebody last looked for what is missing.")
    unlooked_since: str | None = Field(
        description="The same, if that is longer ago than it should be: nobody looks."
    )
    loss: str | None = Field(description="That the store isn't the one that was known there.")
    channels: int = Field(description="How many channels there are.")
    failing_channels: list[ChannelAnswer] = Field(description="Those that deliver nothing.")
    unheard: list[str] = Field(
        description="Monitors, at most 20, of which no channel sends a notice when they go down."
    )
    outage: OutageAnswer | None
