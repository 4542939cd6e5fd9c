"""The words of a notice: radar's own, or those of a channel's templates.

A template is jinja2's, in its sandbox. Where it fails, takes too long or jinja2 isn't installed,
radar's own words go out, with a remark on why: what a person is told never hangs on a template.
"""

import re
import sys
import time
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, Callable

from radar_cli.core.bounded import call_within
from radar_cli.core.extras import install_command
from radar_cli.notify.excerpt import one_line
from radar_cli.notify.notice import Notice
from radar_cli.notify.words import data, subject, text
from radar_cli.settings.channels import ChannelTable
from radar_cli.settings.profiles import Config
from radar_cli.settings.secrets import SecretError

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

TEMPLATES = ("subject", "body")
_TIMEOUT_S = 2.0
_SUBJECT_MAX = 250
_BODY_MAX = 100_000
# `{{ "x" * 10**10 }}` would take all memory in one instruction.
_LONGEST_PRODUCT = 1_000_000


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a notice on one channel. `is_own`: they come from a person's template."""

    subject: str
    text: str
    is_own: bool = False
    remark: str = ""  # why a template was not used


class _TooLateError(Exception):
    pass


def compose_text(notice: Notice, table: ChannelTable, config: Config) -> Wording:
    """Return a notice's words for a channel."""
    given = [name for name in TEMPLATES if name in table.values]
    built_in = Wording(subject(notice), text(notice))
    if not given:
        return built_in
    try:
        made = {name: _render(name, table.secret(name, config), notice) for name in given}
    except SecretError as error:
        remark = error.line()
    except TimeoutError:
        remark = f"takes longer than {_TIMEOUT_S:g} s"
    except ImportError:
        remark = f"jinja2 is not installed: {install_command('notify')}"
    except Exception as wrong:  # noqa: BLE001 (a template may raise anything)
        remark = one_line(f"{type(wrong).__name__}: {wrong}", 200)
    else:
        return Wording(
            made.get("subject", built_in.subject), made.get("body", built_in.text), "body" in made
        )
    return Wording(
        built_in.subject, built_in.text, remark=f"template: {remark}; radar's own words went out"
    )


def _render(name: str, template: str, notice: Notice) -> str:
    """Render one template. Raises whatever is wrong with it, and TimeoutError."""
    environment = _make_environment()
    made: list[str] = []

    def work() -> None:
        # A thread can't be ended from outside: it looks at the clock at each of its lines.
        sys.settrace(_make_watch(time.monotonic() + _TIMEOUT_S))
        try:
            made.append(environment.from_string(template).render(data(notice)))
        except _TooLateError:
            raise TimeoutError from None
        finally:
            sys.settrace(None)

    call_within(_TIMEOUT_S + 1, work)
    if name == "subject":
        return one_line(made[0], _SUBJECT_MAX)
    lines = (re.sub(r"[^\S ]", " ", line).rstrip() for line in made[0][:_BODY_MAX].splitlines())
    return "\n".join(_harmless(line) for line in lines).strip("\n") + "\n"


def _harmless(line: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in line)


def _make_watch(deadline: float) -> Callable[[FrameType, str, Any], Any]:
    def watch(_frame: FrameType, _event: str, _argument: Any) -> Any:
        if time.monotonic() > deadline:
            raise _TooLateError
        return watch

    return watch


def _make_environment() -> "SandboxedEnvironment":
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset(("*", "**"))

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            sizes = [len(side) if hasattr(side, "__len__") else side for side in (left, right)]
            size = sizes[0] * sizes[1] if operator == "*" else _LONGEST_PRODUCT + 1
            if not isinstance(size, int | float) or size > _LONGEST_PRODUCT:
                raise OverflowError(f"a product with {operator} that is too large")
            return super().call_binop(context, operator, left, right)

    # The name of a field that isn't there is a slip, and not nothing.
    return Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
