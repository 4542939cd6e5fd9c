"""The `radar` command: its options and the one error boundary."""

import errno
import os
import select
import sys

import click

from radar_cli import __version__
from radar_cli.cli.groups import LazyGroup
from radar_cli.cli.options import Session, common_options
from radar_cli.cli.render import Result, complain, emit, envelope, print_result, wants_color
from radar_cli.core import exits
from radar_cli.core.errors import RadarError, UsageError

# Everything behind these names belongs to parsers of their own, and so does a --json there.
_RAW_COMMANDS = ("run", "ping")
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BROKEN_PIPE = 128 + 13  # SIGPIPE, as shells report it


class OutputError(RadarError):
    """Stdout can't take what is printed."""

    slug = "output"


class BugError(RadarError):
    """Something in radar that is wrong, and not in what it was given."""

    slug = "bug"
    exit_code = exits.BUG


class InterruptedByPersonError(RadarError):
    """A person has ended the command, or said no to its question."""

    slug = "interrupted"
    exit_code = exits.INTERRUPTED


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        emit(f"radar {__version__}\n")
        context.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Print the version and exit.",
)
@common_options
def root() -> None:
    """Watch over cron jobs, CI scripts and Celery: a job that stays silent is reported."""


def main(words: list[str]) -> int:
    """Run the command line `words` (without `radar`) and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A locale that lacks a character must cost that character, not the command.
            stream.reconfigure(errors="backslashreplace")
    session = Session()
    try:
        outcome = _call(words, session)
        if isinstance(outcome, Result):
            outcome = _print(outcome, session)
        code = outcome if isinstance(outcome, int) else _fail(outcome, session, words)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where it can still be reported that it failed
        elif code == exits.OK and session.format != "table":
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    except BrokenPipeError:
        _discard_stdout()
        return _BROKEN_PIPE
    except OSError as error:
        _discard_stdout()
        complain(f"can't write to stdout: {error.strerror}")
        return OutputError.exit_code
    return code


def _call(words: list[str], session: Session) -> "Result | RadarError | int":
    """Call the command; a bug in it is reported here. Raises BrokenPipeError of stdout."""
    try:
        # Not root.main(): it takes any EPIPE, a server's too, for stdout's and exits with 1.
        with root.make_context("radar", list(words), obj=session) as context:
            outcome = root.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    except RadarError as error:
        _print_traceback_if_wanted()
        return error
    except click.ClickException as error:
        return _from_click(error)
    except (click.Abort, KeyboardInterrupt) as ending:
        return _from_ending(ending)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _has_stdout_gone():
            raise
        if error.errno in _DISK_FULL:
            if error.filename is None:
                _discard_stdout()
            place = f" to {error.filename}" if error.filename else ""
            return OutputError(f"can't write{place}: {error.strerror}")
        return _report_bug(error)
    except Exception as error:  # noqa: BLE001  (the boundary: nothing is above it)
        return _report_bug(error)
    return outcome if isinstance(outcome, (Result, int)) else exits.OK


def _print(result: Result, session: Session) -> int | RadarError:
    try:
        return print_result(
            result,
            session.command,
            session.format,
            is_color_wanted=wants_color(session.color, sys.stdout),
            is_wide=session.is_wide,
            answer=session.answer,
            fields=session.fields,
        )
    except RadarError as error:
        return error
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  (the boundary: nothing is above it)
        return _report_bug(error)


def _fail(error: RadarError, session: Session, words: list[str]) -> int:
    if not isinstance(error, InterruptedByPersonError):
        complain(error.line())
    elif sys.stderr is not None:
        sys.stderr.write("\n")  # behind the question, or the ^C that the terminal echoed
        if error.hint:
            complain(error.line())
    # Options behind one that could not be parsed never reached the session.
    if session.format == "json" or _asks_for_json(_find_own_arguments(words)):
        emit(envelope(session.command, error.exit_code, error=error))
    return error.exit_code


def _from_ending(ending: BaseException) -> RadarError:
    """Return why a command was ended: a person did it, or a question found nobody."""
    if isinstance(ending.__context__, EOFError) and (sys.stdin is None or not sys.stdin.isatty()):
        return InterruptedByPersonError("nobody is here to answer", "'--yes' asks nothing")
    return InterruptedByPersonError("interrupted")


def _from_click(error: click.ClickException) -> RadarError:
    """Return one of click's complaints as one of ours."""
    message = error.format_message().rstrip(".")
    param = getattr(error, "param", None)
    if isinstance(param, click.Argument) and isinstance(param.type, click.Choice):
        # Without its name, which is the list of all choices once more.
        message = message.partition(": ")[2] or message
    context = getattr(error, "ctx", None)
    hint = f"see '{context.command_path} --help'" if context is not None else ""
    return UsageError(message[:1].lower() + message[1:], hint)


def _report_bug(error: BaseException) -> BugError:
    _print_traceback_if_wanted()
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    hint = "this is a bug in radar: please report it, with what RADAR_DEBUG=1 prints"
    return BugError(f"internal error: {reason}", hint)


def _print_traceback_if_wanted() -> None:
    if os.environ.get("RADAR_DEBUG", "") not in ("", "0"):
        import traceback

        traceback.print_exc()


def _asks_for_json(words: list[str]) -> bool:
    asked = [*zip(words, [*words[1:], ""], strict=True)]
    is_format = ("--format", "json") in asked or ("-o", "json") in asked
    return "--json" in words or "--format=json" in words or is_format


def _find_own_arguments(words: list[str]) -> list[str]:
    """Return the words that are radar's to read: none behind `run`, `ping` or `--`."""
    for index, word in enumerate(words):
        if word == "--" or word in _RAW_COMMANDS:
            return words[:index]
    return words


def _has_stdout_gone() -> bool:
    """Whether nobody reads stdout any more, as behind `| head`."""
    poll = select.poll()
    poll.register(1, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _discard_stdout() -> None:
    """Keep the interpreter from failing once more, when it flushes stdout at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
