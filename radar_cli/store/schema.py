"""The tables of the store, and how an older database becomes a new one."""

from dataclasses import dataclass
from typing import Any, Callable

from radar_cli.core.errors import StateError


@dataclass(frozen=True, slots=True)
class Dialect:
    """A database's names of types; `text` is text in the order of its bytes."""

    integer: str
    blob: str
    text: str
    options: str = ""


# Times are Unix time in microseconds. What is in JSON is read as a whole, never searched.
MIGRATIONS = (
    """
    CREATE TABLE monitor (
        key {text} PRIMARY KEY,
        declared {text} NOT NULL,      -- JSON: name, schedule, every, tz, gracePeriod, tags, ...
        settled {text} NOT NULL DEFAULT '[]', -- JSON: which of these a person has set
        created_us {integer} NOT NULL,
        judged {text} NOT NULL,        -- JSON: its state after the pings so far (see judged.py)
        pauses {text} NOT NULL DEFAULT '[]', -- JSON: beginnings and ends
        status {text} NOT NULL DEFAULT 'new', -- what it says until next_look_us
        watched {integer} NOT NULL DEFAULT 0, -- 1: its silence would be noticed
        source {text} NOT NULL DEFAULT '', -- who declares it by /api/sync
        next_look_us {integer},        -- it can't say anything else before, but for a ping
        version {integer} NOT NULL DEFAULT 0 -- counts its changes
    ) {options};

    CREATE INDEX monitor_by_next_look ON monitor (next_look_us) WHERE next_look_us IS NOT NULL;

    CREATE INDEX monitor_by_status ON monitor (status, watched);

    CREATE INDEX monitor_by_source ON monitor (source) WHERE source != '';

    CREATE TABLE ping (
        id {text} PRIMARY KEY,
        monitor {text} NOT NULL,
        kind {text} NOT NULL,
        run_id {text} NOT NULL,
        time_us {integer} NOT NULL,    -- of the event
        fields {text} NOT NULL,        -- JSON: duration, exit, signal, ...
        body {blob} NOT NULL           -- the tail of the output, UTF-8
    ) {ping_options};

    CREATE INDEX ping_by_time ON ping (monitor, time_us DESC, id DESC);

    CREATE TABLE flip (
        id {text} PRIMARY KEY,
        monitor {text} NOT NULL,
        number {integer} NOT NULL,     -- the order of this monitor's flips, whatever clocks do
        previous {text} NOT NULL,
        status {text} NOT NULL,
        reason {text} NOT NULL,
        time_us {integer} NOT NULL,    -- since when
        noticed_us {integer} NOT NULL,
        fate {text} NOT NULL DEFAULT ''-- '' untold, told or silent
    ) {options};

    CREATE INDEX flip_by_monitor ON flip (monitor, number);

    CREATE INDEX flip_untold ON flip (monitor) WHERE fate = '';

    CREATE TABLE alert (
        id {text} PRIMARY KEY,         -- the idempotency key: the same however often it is sent
        flip {text} NOT NULL,
        monitor {text} NOT NULL,
        channel {text} NOT NULL,
        notice {text} NOT NULL,        -- JSON: all that it says
        created_us {integer} NOT NULL,
        next_try_us {integer},         -- nobody tries before; NULL: delivered, or given up
        tries {integer} NOT NULL DEFAULT 0,
        fate {text} NOT NULL DEFAULT '', -- '' waiting, delivered or given up
        error {text} NOT NULL DEFAULT ''
    ) {options};

    CREATE INDEX alert_by_next_try ON alert (channel, next_try_us) WHERE next_try_us IS NOT NULL;

    CREATE INDEX alert_by_monitor ON alert (monitor, channel, created_us)
        WHERE next_try_us IS NOT NULL;

    CREATE TABLE api_key (
        id {text} PRIMARY KEY,
        hash {text} NOT NULL,          -- SHA-256 of the key, in hexadecimal digits
        name {text} NOT NULL,
        scope {text} NOT NULL,
        monitors {text} NOT NULL,      -- a pattern of monitors' keys
        created_us {integer} NOT NULL,
        revoked_us {integer}
    ) {options};

    CREATE TABLE token (
        token {text} PRIMARY KEY,      -- a UUID: whoever has it needs no key
        purpose {text} NOT NULL,       -- ping or badge
        monitor {text} NOT NULL
    ) {options};

    CREATE UNIQUE INDEX token_by_monitor ON token (monitor, purpose);

    CREATE TABLE mark (
        name {text} PRIMARY KEY,
        value {text} NOT NULL
    ) {options};
    """,
    """
    CREATE TABLE session (
        hash {text} PRIMARY KEY,       -- SHA-256 of what the browser's cookie holds
        api_key {text} NOT NULL,       -- the id of the key that it logged in with
        expires_us {integer} NOT NULL
    ) {options};
    """,
    """
    ALTER TABLE flip ADD COLUMN remind_us {integer}; -- when to tell again that it is still so

    CREATE INDEX flip_to_remind ON flip (remind_us) WHERE remind_us IS NOT NULL;
    """,
    """
    ALTER TABLE monitor ADD COLUMN source_key {text} NOT NULL DEFAULT ''; -- the API key of source

    ALTER TABLE monitor ADD COLUMN made_by {text} NOT NULL DEFAULT ''; -- the API key that made it

    CREATE INDEX monitor_by_maker ON monitor (made_by) WHERE made_by != '';

    ALTER TABLE ping ADD COLUMN origin {text} NOT NULL DEFAULT ''; -- JSON: who sent it to a server
    """,
    """
    ALTER TABLE monitor ADD COLUMN outages {text} NOT NULL DEFAULT '[]'; -- JSON: begins and ends

    ALTER TABLE monitor ADD COLUMN faults {text} NOT NULL DEFAULT '[]'; -- JSON: see model/fault.py

    ALTER TABLE monitor ADD COLUMN fault {integer} NOT NULL DEFAULT 0; -- 1: beware, 2: bad

    ALTER TABLE monitor ADD COLUMN news {integer} NOT NULL DEFAULT 0; -- 1: of a fault, untold

    CREATE INDEX monitor_by_fault ON monitor (fault) WHERE fault > 0;

    CREATE INDEX monitor_by_news ON monitor (key) WHERE news > 0;

    UPDATE monitor SET next_look_us = 0; -- what is declared is read otherwise since
    """,
    """
    CREATE TABLE notice (
        id {text} PRIMARY KEY,         -- the idempotency key: the same however often it is sent
        channel {text} NOT NULL,
        kind {text} NOT NULL,
        monitors {integer} NOT NULL,   -- how many it tells of
        created_us {integer} NOT NULL,
        next_try_us {integer},         -- nobody tries before; NULL: delivered, or given up
        tries {integer} NOT NULL DEFAULT 0,
        fate {text} NOT NULL DEFAULT '', -- '' on its way, delivered or given up
        answer {text} NOT NULL DEFAULT '', -- to the last try, or why it failed
        settled_us {integer}
    ) {options};

    INSERT INTO notice (id, channel, kind, monitors, created_us, next_try_us, tries, answer)
        SELECT id, channel, '', 1, created_us, next_try_us, tries, error FROM alert
        WHERE next_try_us IS NOT NULL AND tries > 0; -- they go on under the key that was tried

    CREATE INDEX notice_by_next_try ON notice (channel, next_try_us) WHERE next_try_us IS NOT NULL;

    CREATE INDEX notice_by_time ON notice (created_us, id);

    ALTER TABLE alert ADD COLUMN told_in {text} NOT NULL DEFAULT ''; -- the notice that tells it

    UPDATE alert SET told_in = id WHERE next_try_us IS NOT NULL AND tries > 0;

    ALTER TABLE alert ADD COLUMN held {text} NOT NULL DEFAULT ''; -- why it waits: see alerting.py

    CREATE INDEX alert_by_notice ON alert (told_in) WHERE told_in != '';

    CREATE INDEX alert_of_monitor ON alert (monitor, created_us);

    CREATE TABLE channel (
        name {text} PRIMARY KEY,
        sent_us {integer} NOT NULL DEFAULT 0, -- when its last notice was made
        burst {integer} NOT NULL DEFAULT 0, -- how many followed each other closely
        delivered_us {integer},
        failing_us {integer},          -- since when it delivers nothing; NULL: it does
        failures {integer} NOT NULL DEFAULT 0,
        error {text} NOT NULL DEFAULT '',
        told {integer} NOT NULL DEFAULT 0 -- 1: the others were told that it fails
    ) {options};

    ALTER TABLE flip ADD COLUMN reminders {integer} NOT NULL DEFAULT 0; -- how many there were

    ALTER TABLE flip ADD COLUMN acked_us {integer}; -- when somebody said that they see to it

    ALTER TABLE flip ADD COLUMN acked_by {text} NOT NULL DEFAULT '';

    CREATE TABLE quiet (
        id {text} PRIMARY KEY,
        name {text} NOT NULL,          -- why, for people
        monitors {text} NOT NULL,      -- a pattern of keys
        tag {text} NOT NULL,           -- only those with this tag; '' all
        begin_us {integer} NOT NULL,
        end_us {integer},              -- NULL: until somebody ends it
        schedule {text} NOT NULL,      -- of a recurring one: when it begins, as cron has it; ''
        tz {text} NOT NULL,
        length_us {integer} NOT NULL   -- of each of a recurring one
    ) {options};
    """,
    """
    CREATE TABLE alias (
        key {text} PRIMARY KEY,        -- which a monitor had: what comes under it is the monitor's
        monitor {text} NOT NULL,
        made_us {integer} NOT NULL,
        used_us {integer}              -- when something last came under it
    ) {options};

    CREATE INDEX alias_by_monitor ON alias (monitor);
    """,
    """
    CREATE TABLE celery_task (
        id {text} PRIMARY KEY,
        name {text} NOT NULL,
        state {text} NOT NULL,         -- see model/ledger.py
        stage {text} NOT NULL,         -- at which it broke, or ''
        worker {text} NOT NULL,
        queue {text} NOT NULL,
        entry {text} NOT NULL,         -- of Beat's schedule that sent it, or ''
        sent_us {integer},
        received_us {integer},
        started_us {integer},
        ended_us {integer},
        eta_us {integer},
        runtime_us {integer},
        retries {integer} NOT NULL,
        exception {text} NOT NULL,
        place {text} NOT NULL,         -- the innermost line of the app's own code
        message {text} NOT NULL,
        traceback {text} NOT NULL,
        called {text} NOT NULL,        -- its arguments
        root {text} NOT NULL,
        parent {text} NOT NULL,
        changed_us {integer} NOT NULL
    ) {ping_options};

    CREATE INDEX celery_task_by_time ON celery_task (changed_us, id);

    CREATE INDEX celery_task_by_name ON celery_task (name, changed_us);

    CREATE INDEX celery_task_by_state ON celery_task (state, changed_us);

    CREATE TABLE celery_firing (
        entry {text} NOT NULL,
        due_us {integer} NOT NULL,
        task {text} NOT NULL,
        task_id {text} NOT NULL,
        attempted_us {integer},
        published_us {integer},
        received_us {integer},
        started_us {integer},
        ended_us {integer},
        state {text} NOT NULL,
        stage {text} NOT NULL,
        PRIMARY KEY (entry, due_us)
    ) {options};

    CREATE INDEX celery_firing_by_time ON celery_firing (due_us);

    CREATE INDEX celery_firing_by_task ON celery_firing (task_id) WHERE task_id != '';

    CREATE TABLE celery_worker (
        node {text} PRIMARY KEY,
        seen_us {integer} NOT NULL,
        since_us {integer} NOT NULL,
        pool {text} NOT NULL,
        slots {integer},
        active {integer} NOT NULL,
        processed {integer} NOT NULL,
        queues {text} NOT NULL,        -- JSON: names
        gone_us {integer},
        goodbye {integer} NOT NULL     -- 1: it said that it goes
    ) {options};

    CREATE TABLE celery_queue (
        name {text} NOT NULL,
        time_us {integer} NOT NULL,
        depth {integer},
        unacked {integer},
        consumers {integer},
        PRIMARY KEY (name, time_us)
    ) {options};

    CREATE INDEX celery_queue_by_time ON celery_queue (time_us);

    CREATE TABLE celery_blind (
        begin_us {integer} PRIMARY KEY,
        end_us {integer} NOT NULL,
        why {text} NOT NULL
    ) {options};
    """,
)


def is_current(version: int, place: str) -> bool:
    """Whether a database has seen all migrations. StateError: a newer radar made it."""
    if version > len(MIGRATIONS):
        raise StateError(
            f"{place} was made by a newer radar (version {version} of its tables)",
            "upgrade radar, or name another RADAR_STATE_DIR",
        )
    return version == len(MIGRATIONS)


def migrate(
    dialect: Dialect,
    version: int,
    place: str,
    execute: Callable[[str], Any],
    note: Callable[[int], None],
) -> None:
    """Bring a database up to date that has seen `version` migrations, in its transaction."""
    if is_current(version, place):
        return
    names = {
        "integer": dialect.integer,
        "blob": dialect.blob,
        "text": dialect.text,
        "options": dialect.options,
        # Rows with a large blob are found quicker by a number of their own.
        "ping_options": dialect.options.partition(",")[0],
    }
    for number in range(version, len(MIGRATIONS)):
        for statement in MIGRATIONS[number].split("\n\n"):
            execute(statement.format(**names))
        note(number + 1)
