"""A notice as it is sent at 3 AM, to be changed where a test needs another."""

from radar_cli.model.run import Run
from radar_cli.notify.notice import Notice

# 2026-07-18 00:05 UTC is 02:05 in Berlin.
SINCE_US = 1_784_333_100_000_000
MINUTE_US = 60_000_000

RUN = Run(
    "018f4e9a-7b1c-4c3d-8e2f-5a6b7c8d9e0f",
    started_us=SINCE_US - 1440 * MINUTE_US,
    ended_us=SINCE_US - 1437 * MINUTE_US,
    outcome="fail",
    duration_s=180.0,
    exit_code=9,
    host="db-1",
    output=b"copying\ndisk is full\n",
)
NOTICE = Notice(
    key="flip-42/chat",
    kind="down",
    monitor="backup",
    name="Nightly backup",
    status="down",
    previous="up",
    reason="missed",
    since_us=SINCE_US,
    noticed_us=SINCE_US + MINUTE_US,
    expected="a run at 02:05 every day, at most 5 min late",
    happened="no run since it was due",
    last_run=RUN,
    host="db-1",
    look=("radar status -v backup", "https://radar.example/m/backup?a=1&b=2"),
    tags=("nightly", "db"),
    tz="Europe/Berlin",
)
