"""What is mutated, and by which tests its mutants have to be noticed."""

_JUDGING = (
    "tests/model/test_model.py",
    "tests/model/test_moments.py",
    "tests/model/test_outages.py",
    "tests/model/test_pauses.py",
    "tests/model/test_runs.py",
    "tests/model/test_state.py",
    "tests/store/test_alerting.py",
    "tests/store/test_faults.py",
    "tests/store/test_flips.py",
    "tests/store/test_intake.py",
    "tests/store/test_judged.py",
    "tests/store/test_looking.py",
    "tests/store/test_managing.py",
    "tests/store/test_news.py",
    "tests/store/test_outages.py",
    "tests/store/test_reminding.py",
    "tests/store/test_store.py",
)
# From a flip to what is sent.
_TELLING = (
    "tests/notify/test_composing.py",
    "tests/notify/test_delivering.py",
    "tests/store/test_alerting.py",
    "tests/store/test_faults.py",
    "tests/store/test_holding.py",
    "tests/store/test_news.py",
    "tests/store/test_reminding.py",
    "tests/store/test_renaming.py",
    "tests/store/test_retention.py",
    "tests/store/test_sending.py",
    "tests/store/test_storm.py",
)
_SENDING = (
    "tests/pings/test_sender.py",
    "tests/pings/test_dispatcher.py",
    "tests/pings/test_replay.py",
    "tests/pings/test_courier.py",
    "tests/pings/test_answers.py",
    "tests/pings/test_cronradar.py",
    "tests/pings/test_outages.py",
)
# Module: test files. Those whose tests are in its own process come first, being the fast ones.
TARGETS: dict[str, tuple[str, ...]] = {
    "model/state": _JUDGING,
    "model/schedule": ("tests/model/test_schedule.py", "tests/model/test_faults.py"),
    "model/run": _JUDGING,
    "store/flips": _JUDGING,
    "store/alerts": _TELLING,
    "store/channels": _TELLING,
    "store/holding": _TELLING,
    "store/incidents": (*_TELLING, "tests/server/test_acting.py"),
    "store/notices": _TELLING,
    "store/reminders": _TELLING,
    "store/windows": _TELLING,
    "store/outages": (*_JUDGING, "tests/server/test_evaluator.py"),
    "service/intake": ("tests/store/test_intake.py",),
    "model/fault": ("tests/model/test_faults.py",),
    "model/declaration": ("tests/model/test_declaration.py",),
    "service/composing": (*_TELLING, "tests/server/test_evaluator.py"),
    "service/delivering": _TELLING,
    "notify/notice": _TELLING,
    "server/runtime/evaluator": ("tests/server/test_evaluator.py",),
    "outbox/spool": ("tests/pings/test_keeping.py",),
    "outbox/claiming": ("tests/pings/test_keeping.py",),
    "outbox/trim": ("tests/pings/test_keeping.py",),
    "delivery/dispatcher": ("tests/pings/test_dispatcher.py", "tests/pings/test_deadlines.py"),
    "delivery/sender": _SENDING,
    "delivery/courier": ("tests/pings/test_courier.py",),
    "server/runtime/access": ("tests/server/test_access.py",),
    "server/runtime/keys": ("tests/server/test_access.py",),
    "server/runtime/limits": ("tests/server/test_limits.py",),
    "server/runtime/guards": ("tests/server/test_guards.py",),
    "cli/apart": ("tests/cli/test_apart.py",),
    "cli/everybody": ("tests/cli/test_apart.py",),
    "store/declaring": ("tests/store/test_declaring.py",),
    "model/record": ("tests/store/test_rows.py", "tests/store/test_flips.py"),
    "delivery/replay": ("tests/pings/test_replay.py",),
    "delivery/destinations": ("tests/pings/test_addresses.py",),
    "wrap/signals": ("tests/wrap/test_signals.py", "tests/wrap/test_timeout.py"),
    "launch/command": ("tests/launch/test_shared_python.py",),
}
# These tests run their children's radar, of which nothing is recorded: they are run for each mutant
# that the others leave alive.
BY_CHILDREN = ("tests/pings/", "tests/launch/", "tests/faults/", "tests/wrap/", "tests/cli/")
# The modules of which no mutant survives but those that equivalent.txt proves equivalent.
HELD = (
    "cli/apart",
    "cli/everybody",
    "delivery/destinations",
    "delivery/replay",
    "model/declaration",
    "model/fault",
    "model/run",
    "model/schedule",
    "model/state",
    "outbox/claiming",
    "outbox/spool",
    "outbox/trim",
    "server/runtime/access",
    "server/runtime/evaluator",
    "server/runtime/guards",
    "server/runtime/keys",
    "server/runtime/limits",
    "store/declaring",
    "store/flips",
    "service/intake",
    "model/record",
    "store/outages",
    "store/alerts",
    "store/channels",
    "store/holding",
    "store/incidents",
    "store/notices",
    "store/reminders",
    "store/windows",
    "notify/notice",
    "service/composing",
    "service/delivering",
)
# Some of them, whose tests take a second or two in all.
QUICK = (
    "model/declaration",
    "model/fault",
    "server/runtime/access",
    "server/runtime/guards",
    "server/runtime/keys",
    "server/runtime/limits",
    "store/declaring",
)
# Module, what names the mutant, and the test that has to notice it.
CHOSEN = (
    (
        "store/outages",
        "Outages.keep_watch::change.execute(_SET, (_SERVER, str(now_us))) -> pass",
        "tests/store/test_outages.py::test_it_is_noted_often_that_a_server_looks",
    ),
    (
        "store/alerts",
        " -> not _is_news(flip, known, how",
        "tests/store/test_alerting.py::test_what_is_old_and_over_is_no_news",
    ),
    (
        "model/state",
        "start_us >= state.succeeded_start_us: [GtE] -> Gt",
        "tests/model/test_moments.py"
        "::test_a_run_that_began_with_one_that_went_well_hangs_all_the_same",
    ),
)
# The same, noticed after 20 s: a signal just after the job's end is lost, and so is the next one.
CHOSEN_NIGHTLY = (
    "wrap/signals",
    "Signals.wait_until::self._aftermath = number -> pass",
    "tests/wrap/test_signals.py::test_asked_twice_right_after_the_job_it_ends",
)
