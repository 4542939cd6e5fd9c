"""All rules, and judging settings by them."""

from collections.abc import Iterable, Mapping

from radar_cli.celery.audit import beat, connections, delivery, limits, visibility
from radar_cli.celery.audit.facts import MISSING, Facts
from radar_cli.celery.audit.rule import Judged, Rule

# What matters most comes first.
RULES: tuple[Rule, ...] = (
    *delivery.RULES,
    *limits.RULES,
    *connections.RULES,
    *visibility.RULES,
    *beat.RULES,
)
_OPTION = "broker_transport_options."


def judge(facts: Facts) -> list[Judged]:
    """Return the rules that some settings break, the risks first."""
    found = []
    for rule in RULES:
        advice = rule.judge(facts)
        if advice is not None:
            found.append(Judged(rule, advice, _shown(rule, facts), facts.where))
    return sorted(found, key=lambda each: each.advice.level != "risk")


def judge_all(several: Iterable[Facts]) -> list[Judged]:
    """The same of several workers; what all that are asked have in common is said once."""
    by_rule: dict[tuple[str, str, str, str], list[Judged]] = {}
    count = 0
    for facts in several:
        count += 1
        for each in judge(facts):
            key = (each.rule.setting, each.shown, each.advice.value, each.advice.because)
            by_rule.setdefault(key, []).append(each)
    found = []
    for same in by_rule.values():
        where = "" if len(same) == count else ", ".join(each.where for each in same)
        found.append(Judged(same[0].rule, same[0].advice, same[0].shown, where))
    return sorted(found, key=lambda each: each.advice.level != "risk")


def compose_fix(judged: Iterable[Judged]) -> str:
    """The lines to paste into the app; what has no one value stands in comments."""
    lines, options, by_hand = [], [], []
    for each in judged:
        setting, value = each.rule.setting, each.advice.value
        why = each.advice.because or each.rule.why
        if not value:
            by_hand.append(f"# {setting}: {each.rule.recommended}\n#   {why}")
        elif each.rule.is_conditional and value != "None":
            by_hand.append(f"# {setting}={value}\n#   {why} ({each.rule.caveat})")
        elif setting.startswith(_OPTION):
            options.append(f'        "{setting.removeprefix(_OPTION)}": {value},  # {why}')
        else:
            caveat = f" ({each.rule.caveat})" if each.rule.caveat else ""
            lines.append(f"    # {why}{caveat}\n    {setting}={value},")
    if options:
        inner = "\n".join(["        **app.conf.broker_transport_options,", *options])
        lines.append(f"    broker_transport_options={{\n{inner}\n    }},")
    text = "app.conf.update(\n" + "\n".join(lines) + "\n)" if lines else ""
    return "\n".join(part for part in (text, *by_hand) if part)


def _shown(rule: Rule, facts: Facts) -> str:
    if rule.setting in facts.server:
        return facts.server[rule.setting]
    value = facts.get(rule.setting)
    if rule.setting.startswith(_OPTION):
        value = facts.transport(rule.setting.removeprefix(_OPTION))
    if isinstance(value, Mapping):
        return f"{len(value)} entries"
    return "unset" if value is None or value is MISSING else repr(value)
