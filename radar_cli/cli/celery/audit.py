"""`radar celery audit`: the production checklist, on the settings that are in effect."""

from collections.abc import Sequence
from typing import Any, TypedDict

import click

from radar_cli.celery.audit.checklist import RULES, compose_fix, judge_all
from radar_cli.celery.audit.facts import Facts
from radar_cli.celery.audit.gathering import ask_workers, read_app
from radar_cli.celery.audit.rule import AdviceFields, Judged, Rule
from radar_cli.celery.broker import Broker
from radar_cli.celery.project import project_of
from radar_cli.cli.answers import answers
from radar_cli.cli.celery.opening import with_broker
from radar_cli.cli.celery.options import broker_options, read_period, timeout_option
from radar_cli.cli.options import Session, list_options, pass_session
from radar_cli.cli.render import Cell, Result, Table
from radar_cli.core import exits
from radar_cli.core.errors import UsageError

_STYLES = {"risk": "bold red", "advice": "yellow"}
_COLUMNS = ("level", "setting", "value", "recommended", "why")


class RuleFields(TypedDict):
    """A rule of the checklist, with --explain."""

    setting: str
    recommended: str
    why: str
    caveat: str | None


class FixFields(TypedDict):
    """The lines to paste into the app, with --fix."""

    fix: str


@click.command(name="audit")
@broker_options
@click.option("--explain", metavar="SETTING", default="", help="Say why, without looking.")
@click.option("--fix", is_flag=True, help="Print the lines to paste into the app.")
@click.option("--strict", is_flag=True, help="Exit with 1 for advice, too.")
@timeout_option("5s")
@list_options
@answers(list[AdviceFields] | list[RuleFields] | FixFields)
@pass_session
def command(session: Session, /, explain: str, fix: bool, strict: bool, **options: str) -> Result:
    """Judge the effective settings of running workers (-b), or those of an app (-A).

    Exits with 0 if no setting is a risk, 1 if one is, and 3 if no worker answers. With -v, or by
    --explain, each comes with its caveat.
    """
    if explain:
        return _explain(explain)
    facts = _gather(options)
    if not facts:
        note = "no worker answers: their settings can't be read"
        return Result([], notes=(note,), exit_code=exits.UNREACHABLE)
    judged = judge_all(facts)
    is_bad = any(strict or each.advice.level == "risk" for each in judged)
    code = exits.BAD if is_bad else exits.OK
    if fix:
        text = compose_fix(judged)
        return Result(FixFields(fix=text), text=text, exit_code=code)
    data = [each.describe() for each in judged]
    if session.verbose and session.format == "table":
        return Result(data, text="\n\n".join(_in_full(each) for each in judged), exit_code=code)
    rows = [_row(each) for each in judged]
    empty = "nothing to say: all is as it should be"
    return Result(data, Table(_COLUMNS, rows, empty), exit_code=code)


def _gather(options: dict[str, str]) -> list[Facts]:
    if options["app"]:
        timeout_s = read_period("--timeout", options["timeout"])
        project = project_of(
            options["broker"], options["app"], key_prefix=options["key_prefix"], timeout_s=timeout_s
        )
        return [read_app(project)]

    def ask(broker: Broker, _: object, timeout_s: float) -> list[Facts]:
        return ask_workers(broker, timeout_s=timeout_s)

    return with_broker(options, ask)


def _row(each: Judged) -> tuple[Any, ...]:
    why = each.advice.because or each.rule.why
    if each.where:
        why += f" (on {each.where})"
    level = Cell(each.advice.level, _STYLES[each.advice.level])
    return (level, each.rule.setting, each.shown, each.advice.value or each.rule.recommended, why)


def _in_full(each: Judged) -> str:
    level, setting, value, recommended, why = _row(each)
    lines = [f"{setting} is {value}: {level.value}", f"  better: {recommended}", f"  why: {why}"]
    return "\n".join(lines + ([f"  but: {each.rule.caveat}"] if each.rule.caveat else []))


def _explain(setting: str) -> Result:
    """Explain what the checklist says of a setting; of an option, with or without its dict."""
    wanted = setting.strip().lower()
    rules = [rule for rule in RULES if wanted in (rule.setting, rule.setting.rpartition(".")[2])]
    if not rules:
        from radar_cli.settings.profiles import closest

        near = closest(wanted, [rule.setting.rpartition(".")[2] for rule in RULES])
        hint = f"did you mean {near!r}?" if near else "see 'radar celery audit --help'"
        raise UsageError(f"the checklist has nothing on {setting[:60]!r}", hint)
    data: list[RuleFields] = [
        {
            "setting": rule.setting,
            "recommended": rule.recommended,
            "why": rule.why,
            "caveat": rule.caveat or None,
        }
        for rule in rules
    ]
    return Result(data, text=_explained(rules), shape=RuleFields)


def _explained(rules: Sequence[Rule]) -> str:
    lines = []
    for rule in rules:
        lines += [rule.setting, f"  better: {rule.recommended}", f"  why: {rule.why}"]
        lines += [f"  but: {rule.caveat}"] if rule.caveat else []
    return "\n".join(lines)
