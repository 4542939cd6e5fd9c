"""Forms that say what a monitor is declared as: a new one, or another declaration."""

from dataclasses import dataclass, field
from typing import Mapping

from fastapi import APIRouter, Response

from radar_cli.core.grammar import format_duration
from radar_cli.core.ids import check_key
from radar_cli.core.zone import local_zone
from radar_cli.model.declaring import OPTIONS, read
from radar_cli.model.monitor import GRACE_S
from radar_cli.model.port import ChangedError, KeyTakenError
from radar_cli.model.record import MonitorRecord
from radar_cli.server.api.depends import Served
from radar_cli.server.pages.forecast import foresee
from radar_cli.server.pages.overview import frame
from radar_cli.server.pages.rendering import Pages
from radar_cli.server.pages.sessions import Session
from radar_cli.server.pages.visits import (
    ChangeForm,
    MonitorSeen,
    PageError,
    PageRoute,
    PagesServed,
    Visitor,
    now_us,
)
from radar_cli.server.runtime.service import Service

_WHEN = {"schedule", "every"}
_DURATIONS = ("every", "grace", "max_runtime")
_LINES = ("notes",)
_FORM_KEY_MAX = 400
_PREVIEW = "preview"

routes = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass
class Filled:
    """A form as it was filled in: its texts, what is wrong with them, and what they change."""

    texts: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    changes: dict[str, str | None] = field(default_factory=dict)
    # What others have set meanwhile, if anything was changed.
    news: dict[str, str] | None = None


@routes.get("/new")
def show_new(session: Visitor, service: Served, pages: PagesServed, key: str = "") -> Response:
    """An empty form."""
    _expect_admin(session.may_change)
    filled = Filled({"key": key[:_FORM_KEY_MAX], **dict.fromkeys(OPTIONS, "")})
    values = {**frame(session, service, now_us()), **_describe(filled, {}), "known": None}
    return pages.page("edit", values)


@routes.post("/new")
def create(session: Visitor, service: Served, pages: PagesServed, form: ChangeForm) -> Response:
    """Create a monitor: its silence counts from now on."""
    filled = read_form(form, {})
    key = form.get("key", "").strip()
    filled.texts["key"] = key
    if form.get("do") == _PREVIEW:
        return _preview(session, service, pages, filled, {}, "")
    try:
        check_key(key)
        if not session.key.covers(key):
            filled.errors["key"] = f"your key is for monitors like {session.key.monitors!r}"
    except ValueError as error:
        filled.errors["key"] = str(error)
    declared = {name: value for name, value in filled.changes.items() if value is not None}
    try:
        if not filled.errors and not service.store.monitors.create(key, declared, now_us()):
            filled.errors["key"] = "there is a monitor with this key already"
    except KeyTakenError as error:
        filled.errors["key"] = error.message
    if not filled.errors:
        return pages.redirect(f"/monitors/{key}")
    values = {**frame(session, service, now_us()), **_describe(filled, {}), "known": None}
    return pages.page("edit", values, 422)


@routes.get("/monitors/{key}/edit")
def show_edit(
    session: Visitor, known: MonitorSeen, service: Served, pages: PagesServed
) -> Response:
    """The form as the monitor is declared."""
    _expect_admin(session.may_change)
    was = texts_of(known.declared)
    values = _describe(Filled(was), was, known.fingerprint)
    return pages.page("edit", {**frame(session, service, now_us()), **values, "known": known})


@routes.post("/monitors/{key}/edit")
def edit(
    session: Visitor, known: MonitorSeen, service: Served, pages: PagesServed, form: ChangeForm
) -> Response:
    """Change what was changed in the form, unless somebody else has changed the monitor."""
    filled = read_form(form, known.declared)
    fingerprint = form.get("fingerprint", "")
    was = {name: form.get(f"was_{name}", "").replace("\r\n", "\n") for name in OPTIONS}
    if form.get("do") == _PREVIEW:
        return _preview(session, service, pages, filled, was, fingerprint, known)
    status = 422
    if not filled.errors:
        try:
            if filled.changes:
                service.store.monitors.update(
                    known.key, filled.changes, now_us(), fingerprints=(fingerprint,)
                )
            return pages.redirect(f"/monitors/{known.key}")
        except ChangedError:
            known = service.store.monitors.find(known.key) or known
            filled, was = _join(filled, was, texts_of(known.declared))
            fingerprint, status = known.fingerprint, 412
    values = _describe(filled, was, fingerprint)
    page = {**frame(session, service, now_us()), **values, "known": known}
    return pages.page("edit", page, status)


def _preview(
    session: Session,
    service: Service,
    pages: Pages,
    filled: Filled,
    was: Mapping[str, str],
    fingerprint: str,
    known: MonitorRecord | None = None,
) -> Response:
    """The form again as it was filled in, with what would be expected; nothing is changed."""
    values = _describe(Filled(filled.texts), was, fingerprint)
    page = {**frame(session, service, now_us()), **values, "known": known}
    return pages.page("edit", page)


def _join(
    filled: Filled, was: Mapping[str, str], now: dict[str, str]
) -> tuple[Filled, dict[str, str]]:
    """The form again, as the monitor is now but for what was typed; and what it was filled from."""
    typed = {name: text for name, text in filled.texts.items() if text != was[name]}
    news = {name: text for name, text in now.items() if text != was[name]}
    return Filled({**now, **typed}, news=news), now


def texts_of(declared: Mapping[str, str]) -> dict[str, str]:
    """Return the texts in a form's fields for a monitor that is declared so."""
    texts = {name: declared.get(stored, "") for name, stored in OPTIONS.items()}
    return {
        name: _short(text)
        if name in _DURATIONS
        else (text if name in _LINES else text.replace("\n", " "))
        for name, text in texts.items()
    }


def read_form(form: Mapping[str, str], declared: Mapping[str, str]) -> Filled:
    """Read what a form changes, and what is wrong with each field that can't be used."""
    # A form sends the ends of lines as CR LF (HTML, "Constructing the entry list").
    texts, before = (
        {name: form.get(prefix + name, "").replace("\r\n", "\n") for name in OPTIONS}
        for prefix in ("", "was_")
    )
    changed = {name for name in OPTIONS if texts[name].strip() != before[name].strip()}
    if changed & _WHEN and all(texts[name].strip() for name in _WHEN):
        # Both can be seen: neither takes the other's place.
        changed |= _WHEN
    found = read({OPTIONS[name]: texts[name] for name in changed}, declared)
    errors = {n: found.errors[OPTIONS[n]].line() for n in OPTIONS if OPTIONS[n] in found.errors}
    return Filled(texts, errors, found.changes)


def _describe(filled: Filled, was: Mapping[str, str], fingerprint: str = "") -> dict[str, object]:
    return {
        "texts": filled.texts,
        "errors": filled.errors,
        "news": filled.news or {},
        "is_stale": filled.news is not None,
        "was": was,
        "fingerprint": fingerprint,
        "default_zone": local_zone() or "UTC",
        "forecast": foresee(filled.texts, now_us()),
        "default_grace": format_duration(GRACE_S),
    }


def _expect_admin(may_change: bool) -> None:
    if not may_change:
        raise PageError(403, "Your key is for looking only.", "Log in with an admin key.")


def _short(text: str) -> str:
    """Seconds as a person would type them: `90s`, `15m`, `6h`, `2d`; else as they are."""
    if not (text.isascii() and text.isdigit()):
        return text
    seconds = int(text)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
