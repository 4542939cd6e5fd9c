"""A rule of the checklist, and what it says of some settings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypedDict

from radar_cli.celery.audit.facts import Facts

Level = Literal["risk", "advice"]


@dataclass(frozen=True)
class Advice:
    """Advice on a setting: level, reason, and the value to paste (Python; "" if none)."""

    level: Level
    value: str = ""
    because: str = ""


@dataclass(frozen=True)
class Rule:
    """One setting's recommendation. `judge` returns None where all is well or it doesn't apply."""

    setting: str  # `broker_transport_options.NAME` for one option in it
    recommended: str
    why: str
    caveat: str
    judge: Callable[[Facts], Advice | None]
    is_conditional: bool = False  # the caveat says when it would do harm: not to be pasted blindly


class AdviceFields(TypedDict):
    """A setting that is to be changed; `value` and `recommended` are as Python writes them."""

    setting: str
    level: Level
    value: str
    recommended: str
    why: str
    caveat: str | None
    where: str | None


@dataclass(frozen=True)
class Judged:
    """A rule that some settings break."""

    rule: Rule
    advice: Advice
    shown: str  # the value as Python writes it
    where: str

    def describe(self) -> AdviceFields:
        """The same for programs."""
        return {
            "setting": self.rule.setting,
            "level": self.advice.level,
            "value": self.shown,
            "recommended": self.advice.value or self.rule.recommended,
            "why": self.advice.because or self.rule.why,
            "caveat": self.rule.caveat or None,
            "where": self.where or None,
        }


def risk(value: str = "", because: str = "") -> Advice:
    """It loses tasks, runs them twice, or hangs."""
    return Advice("risk", value, because)


def advice(value: str = "", because: str = "") -> Advice:
    """It is worth a change."""
    return Advice("advice", value, because)


def wanted(
    setting: str, value: bool, *, level: Level = "advice"
) -> Callable[[Facts], Advice | None]:
    """Judge a switch that should have that value everywhere."""

    def judge(facts: Facts) -> Advice | None:
        wrong = facts.lacks(setting) if value else facts.has(setting)
        return Advice(level, str(value)) if wrong else None

    return judge
