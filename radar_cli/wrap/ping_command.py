"""`radar ping`: one ping by hand, or by a script."""

import _thread
import os
import time

from radar_cli.core import exits
from radar_cli.core.errors import UsageError
from radar_cli.core.ids import check_key, expand_host
from radar_cli.delivery.dispatcher import Dispatcher
from radar_cli.model.ping import KINDS, Ping
from radar_cli.wrap.options import DECLARATION, DESTINATION, Options, Parser, Row
from radar_cli.wrap.run import ingest
from radar_cli.wrap.streams import log_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from radar_cli.wrap.output import Tail

TABLE: tuple[Row, ...] = (
    ("--message", "text", "TEXT", "A line to go with the ping."),
    ("--url", "text", "URL", "A link to go with the ping, as to a CI job."),
    ("--require-delivery", "switch", "", "Exit 3 if the ping has not arrived, though it is kept."),
    ("--exit-code", "codes", "N", "The job's exit code: 0 is a success, any other a failure."),
    ("--extend", "period", "DURATION", "With log: the run that goes on isn't hung for so long."),
    *DECLARATION,
    *DESTINATION,
)
_LAST_WORDS_S = 1.0
USAGE = "usage: radar ping MONITOR [start|success|fail|log] [OPTIONS] [-]"


class PingOptions(Options):
    """The options of one `radar ping`."""

    def __init__(self) -> None:
        super().__init__()
        self.require_delivery = False
        self.exit_code: tuple[int, ...] = ()
        self.extend: float | None = None
        self.kind = "success"
        self.reads_stdin = False


def ping(words: list[str], show_help: "Callable[[], int]") -> int:
    """Carry out `radar ping WORDS`. Ends the process, save for a usage error and for help."""
    try:
        options = parse(words)
    except UsageError as error:
        log_line(error.line())
        return exits.USAGE
    if options.help:
        return show_help()
    os._exit(send(options))


def send(options: PingOptions) -> int:
    """Send the ping and return the exit code.

    0: delivered, or safely in the outbox; 1: refused for good; 3: neither delivered nor kept, or
    not delivered where that is required; 130: interrupted.
    """
    waiting = _thread.allocate_lock()
    waiting.acquire()

    def nudge() -> None:
        if waiting.locked():
            try:
                waiting.release()
            except RuntimeError:
                return  # another thread was quicker

    dispatcher = Dispatcher(options.to, options.server, options.ping_timeout, nudge, ingest)
    made = _make(options)
    try:
        _add_text(made, options, dispatcher)
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    dispatcher.start()
    dispatcher.post(made)
    deadline = time.monotonic() + dispatcher.timeout_s
    dispatcher.close(deadline)
    if dispatcher.has_no_thread:
        dispatcher.resolve()
        dispatcher.work()
    # The last try ends at the deadline, and has to say what became of the ping.
    patience = deadline + _LAST_WORDS_S
    try:
        while not dispatcher.is_done() and (left_s := patience - time.monotonic()) > 0:
            waiting.acquire(timeout=left_s)
    except KeyboardInterrupt:
        dispatcher.abandon()
        return exits.INTERRUPTED
    if not dispatcher.is_done():
        dispatcher.abandon()
    return _report(options, dispatcher)


def parse(words: list[str]) -> PingOptions:
    """The options of `radar ping WORDS`. UsageError: they can't be understood."""
    options = PingOptions()
    parser = Parser(TABLE, options, USAGE)
    named: list[str] = []
    at = 0
    while at < len(words):
        at = parser.read_options(words, at)
        if at < len(words):
            if words[at] == "-":
                options.reads_stdin = True
            elif words[at] != "--":
                named.append(words[at])
            at += 1
    if parser.has("--help"):
        options.help = True
        return options
    if not named or len(named) > 2:
        raise UsageError("a ping needs one monitor and at most one kind", USAGE)
    try:
        options.monitor = check_key(expand_host(named[0]))
    except ValueError as error:
        raise UsageError(str(error), USAGE) from None
    if len(options.exit_code) > 1:
        raise UsageError("--exit-code takes one number", USAGE)
    parser.read_environment()
    if len(options.exit_code) > 1:
        options.warnings.append("RADAR_EXIT_CODE is ignored: it takes one number")
        options.exit_code = ()
    if any(options.exit_code):
        options.kind = "fail"
    if len(named) == 2:
        if named[1] not in KINDS:
            raise UsageError(f"no kind of ping {named[1][:60]!r}", f"use {', '.join(KINDS)}")
        options.kind = named[1]
    if options.kind != "log":
        if parser.has("--extend"):
            raise UsageError("--extend goes with log", "radar ping MONITOR log --extend 30m")
        options.extend = None
    if parser.has("--schedule") and parser.has("--every"):
        raise UsageError("both --schedule and --every", "give one of them")
    return options


def _make(options: PingOptions) -> Ping:
    fields = {}
    if options.exit_code:
        fields["exit"] = str(options.exit_code[0])
    if options.extend is not None:
        from radar_cli.core.grammar import format_seconds

        fields["extend"] = format_seconds(options.extend)
    if options.declares():
        from radar_cli.model.declaration import declare

        fields.update(declare(options))
    run_id = options.rid or ""
    # Inside a job that radar wraps, a ping of the same monitor belongs to that run.
    if not run_id and os.environ.get("RADAR_MONITOR") == options.monitor:
        run_id = os.environ.get("RADAR_RUN_ID", "")
    return Ping(
        options.kind,
        options.monitor,
        run_id=run_id,
        time_us=time.time_ns() // 1000,
        fields=fields,
    )


def _add_text(made: Ping, options: PingOptions, dispatcher: Dispatcher) -> None:
    """Add the message and the tail of stdin, without secrets."""
    if not (options.message or options.url or options.reads_stdin):
        return
    from radar_cli.delivery.destinations import resolve
    from radar_cli.wrap.verdict import make_redactor, prepare

    tail = _read_stdin(options) if options.reads_stdin else None
    resolved = dispatcher.resolved = resolve(options.to, options.server, os.environ)
    redactor = make_redactor(options, resolved)
    if options.message:
        made.fields["message"] = redactor.clean_line(os.fsencode(options.message))[:2000]
    if options.url:
        made.fields["url"] = redactor.clean_line(os.fsencode(options.url))[:2000]
    if tail is not None:
        made.body, omitted = prepare(tail, options, resolved, redactor)
        made.fields["output"] = str(tail.total_bytes)
        if omitted:
            made.fields["omitted"] = str(min(omitted, tail.total_bytes))
    redactor.close()


def _read_stdin(options: PingOptions) -> "Tail":
    """The tail of stdin."""
    from radar_cli.wrap.output import make_tail

    tail = make_tail(options)
    try:
        while data := os.read(0, 65_536):
            tail.add(data)
    except OSError as error:  # it is closed, or a directory
        options.warnings.append(f"stdin can't be read: {error.strerror}")
    return tail


def _report(options: PingOptions, dispatcher: Dispatcher) -> int:
    """Say what did not go well, and return the exit code that goes with it."""
    heard = dispatcher.warnings
    if options.warnings and heard:
        from radar_cli.delivery.dispatcher import without_known

        heard = without_known(heard, options.warnings)
    for words in dict.fromkeys(options.warnings + heard + dispatcher.details):
        log_line(f"{options.monitor}: {words}")
    if "lost" in dispatcher.fates or (options.require_delivery and dispatcher.fates):
        return exits.UNREACHABLE
    return exits.BAD if "refused" in dispatcher.fates else exits.OK
