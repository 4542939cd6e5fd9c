"""The screen of a `top`: lists and pages, kept current by feeds, and keys to work with them."""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from textual import events
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from radar_cli.cli.layout import Segment as Part
from radar_cli.cli.layout import break_text, cut, width_of
from radar_cli.cli.render import clean
from radar_cli.cli.top.feed import Feed, Job
from radar_cli.cli.top.pane import Action, Order, Page, Pane, Row, T, make_table
from radar_cli.cli.top.question import Question, Typing
from radar_cli.cli.top.rowlist import RowList

_TICK_S = 0.2
_NOTES_MAX = 4  # lines
_LINE_S = 15.0  # how long what came of an action stands there
_GENERAL = (
    ("up down pgup pgdn home end", "move"),
    ("enter", "open the row"),
    ("1 2 3 ..., tab", "another list"),
    ("/", "show only rows with these words; Esc ends it"),
    ("s, S", "sort by the next column; in the other direction"),
    ("space", "look now"),
    ("esc", "back"),
    ("?", "these keys"),
    ("q", "end"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a board shows: its panes, the feeds behind them, and lines about the whole."""

    title: str
    panes: Sequence[Pane]
    feeds: Sequence[Feed[Any]]
    headline: Callable[[], str] = lambda: ""
    notes: Callable[[], Sequence[str]] = list


@dataclass(slots=True)
class _Shown:
    """A list that is shown, as a person has arranged it."""

    pane: Pane
    order: Order = field(default_factory=Order)
    feed: "Feed[Sequence[Row]] | None" = None

    def rows(self) -> Sequence[Row]:
        """The rows, those of its own feed if it has one."""
        if self.feed is not None:
            return self.feed.value or ()
        return self.pane.rows()


def name_key(event: events.Key) -> str:
    """Return what a key is called here: the character that it writes, if it writes one."""
    character = event.character
    return character if character and character.isprintable() else event.key


class _View(Screen[None]):
    """What lists and pages have in common: a head, a body, a line for remarks, and the keys."""

    CSS = """
    _View { layout: vertical; overflow: hidden; }
    .bar { height: 1; width: 1fr; }
    #head { text-style: bold; }
    #keys { text-style: dim; }
    #notes { height: auto; }
    #line.question { height: auto; text-style: bold reverse; }
    """

    def __init__(self, board: "Board") -> None:
        super().__init__()
        self.board = board
        self._drawn: tuple[Any, ...] = ()

    def compose(self) -> ComposeResult:
        """Make the parts, from above to below."""
        yield Static(id="head", classes="bar", markup=False)
        yield Static(id="tabs", classes="bar", markup=False)
        yield Static(id="notes", markup=False)
        yield RowList()
        yield Static(id="line", classes="bar", markup=False)
        yield Static(id="keys", classes="bar", markup=False)

    def on_mount(self) -> None:
        """Begin to show."""
        self.list.focus()
        self.draw()
        self.set_interval(_TICK_S, self.tick)

    def on_resize(self, _: events.Resize) -> None:
        """Draw for the new size."""
        self.draw()

    @property
    def list(self) -> RowList:
        """The rows or lines."""
        return self.query_one(RowList)

    def tick(self) -> None:
        """Draw what is new; ages change with each second."""
        state = (int(time.monotonic()), self.board.line(), *(f.number for f in self.feeds()))
        if self.is_current and state != self._drawn:
            self._drawn = state
            self.draw()

    def feeds(self) -> Sequence[Feed[Any]]:
        """What is shown comes of these."""
        return self.board.plan.feeds

    def draw(self) -> None:
        """Draw all parts."""
        raise NotImplementedError

    def actions(self) -> Sequence[Action]:
        """What can be done here."""
        raise NotImplementedError

    def row(self) -> Row | None:
        """The row at the cursor."""
        return None

    def typed(self) -> str:
        """The line that a person is typing."""
        return ""

    def more_keys(self) -> str:
        """The footer's words on keys that are the same everywhere."""
        return "? help  q end"

    def set_text(self, name: str, text: str) -> None:
        """Put a line into one of the bars, if it isn't there already."""
        bar = self.query_one(f"#{name}", Static)
        if getattr(bar, "radar_text", None) != text:
            bar.radar_text = text  # type: ignore[attr-defined]  # it isn't drawn again for nothing
            bar.update(text)

    def draw_frame(self, tabs: str, notes: Sequence[str]) -> None:
        """Draw the bars around the body."""
        width = self.size.width
        clock, head = time.strftime("%H:%M:%S"), self.board.head()
        room = max(0, width - len(clock) - 1)
        self.set_text("head", f"{_cut(head, room):<{room}} {clock}")
        self.set_text("tabs", _cut(tabs, width))
        said = [line for note in notes if note for line in break_text(clean(note), width)]
        most = max(1, min(_NOTES_MAX, self.size.height // 5))
        said = [_cut(line, width) for line in said[:most]]
        self.set_text("notes", "\n".join(said))
        self.query_one("#notes").display = bool(said)
        question = self.board.question
        line = "" if question is not None else _cut(self.typed() or self.board.line(), width)
        self.set_text("line", line if question is None else question.shown())
        self.query_one("#line").set_class(question is not None, "question")
        labels = [f"{each.key} {each.label}" for each in self.actions() if each.label]
        self.set_text("keys", _cut("  ".join([*labels, self.more_keys()]), width))

    def on_key(self, event: events.Key) -> None:
        """Do what a key says."""
        if self.take_key(event):
            event.stop()
            event.prevent_default()

    def take_key(self, event: events.Key) -> bool:
        """Do what a key says; one that came just before another screen is that screen's."""
        current = self.board.screen
        if current is not self and isinstance(current, _View):
            return current.take_key(event)
        if self.board.question is not None:
            self.board.press(name_key(event))
            self.draw()
            return True
        return self.press(name_key(event))

    def on_paste(self, event: events.Paste) -> None:
        """Take what is pasted as typed, if something is; never as keys."""
        event.stop()
        question = self.board.question
        typing = self.typing if question is None else question.typing
        if typing is not None:
            typing.paste(event.text)
            self.draw()

    @property
    def typing(self) -> Typing | None:
        """What is being typed, besides an answer."""
        return None

    def press(self, key: str) -> bool:
        """Carry out a key; whether it means something here."""
        rows = self.list
        moves: dict[str, Callable[[], None]] = {
            "up": lambda: rows.move(-1),
            "down": lambda: rows.move(1),
            "pageup": lambda: rows.move_page(-1),
            "pagedown": lambda: rows.move_page(1),
            "home": lambda: rows.move_to(0),
            "end": lambda: rows.move_to(-1),
            "escape": self.go_back,
            "q": self.board.exit,
            "ctrl+c": self.board.exit,
            "ctrl+z": self.board.action_suspend_process,
            "?": lambda: self.board.show(make_help(self.actions())),
            " ": self.board.look_now,
        }
        if (move := moves.get(key)) is not None:
            move()
            return True
        for action in self.actions():
            if action.key == key:
                row = self.row()
                if action.needs_row and row is None:
                    self.board.remark("no row is chosen")
                else:
                    action.run(self.board, row)
                return True
        return False

    def go_back(self) -> None:
        """Go back to what was shown before; the first screen stays."""
        if len(self.board.screen_stack) > 2:
            self.dismiss()


class ListView(_View):
    """One list or several, of which one is shown."""

    def __init__(self, board: "Board", panes: Sequence[Pane]) -> None:
        super().__init__(board)
        self._all = [
            _Shown(pane, feed=None if pane.look is None else Feed(pane.name, pane.look))
            for pane in panes
        ]
        self._at = 0
        self._rows: dict[str, Row] = {}
        self._typing: Typing | None = None

    def on_mount(self) -> None:
        """Begin to look for what no other feed has."""
        for each in self._all:
            if each.feed is not None:
                each.feed.start()
        super().on_mount()

    def on_unmount(self) -> None:
        """Look no more."""
        for each in self._all:
            if each.feed is not None:
                each.feed.stop()

    def feeds(self) -> Sequence[Feed[Any]]:
        """See `_View`."""
        own = self._all[self._at].feed
        return [*self.board.plan.feeds, *([] if own is None else [own])]

    def actions(self) -> Sequence[Action]:
        """Those of the pane that is shown."""
        return self._all[self._at].pane.actions

    def row(self) -> Row | None:
        """The row at the cursor."""
        return self._rows.get(self.list.key)

    def more_keys(self) -> str:
        """See `_View`."""
        is_root = len(self._all) > 1 or len(self.board.screen_stack) <= 2
        opens = "enter open  " if self._all[self._at].pane.open else ""
        return f"{opens}/ filter  s sort  {'' if is_root else 'esc back  '}? help  q end"

    def draw(self) -> None:
        """See `_View`."""
        shown = self._all[self._at]
        if self._typing is not None:
            shown.order.words = self._typing.text
        found = shown.rows()
        rows = shown.order.arrange(found)
        self._rows = {row.key: row for row in rows}
        notes = [*self.board.plan.notes()]
        if shown.feed is not None and (remark := shown.feed.remark()):
            notes = [remark, *notes]
        if not rows:
            is_new = shown.feed is not None and not shown.feed.number
            empty = "looking ..." if is_new else shown.pane.empty()
            notes.append(f"no row has {shown.order.words!r}" if found else empty)
        self.draw_frame(self._tabs(len(rows), len(found)), notes)
        self.list.set_rows(make_table(shown.pane, shown.order, rows), [row.key for row in rows])

    def _tabs(self, kept: int, found: int) -> str:
        parts = []
        for number, each in enumerate(self._all):
            count = found if number == self._at else len(each.rows())
            name = (
                f"{number + 1} {each.pane.name} {count}" if len(self._all) > 1 else each.pane.name
            )
            parts.append(f"[{name}]" if number == self._at else f" {name} ")
        words = self._all[self._at].order.words
        return "".join(parts) + (f"  {kept} have {words!r}" if words else "")

    def press(self, key: str) -> bool:
        """See `_View`."""
        shown = self._all[self._at]
        if self._typing is not None:
            self._type(self._typing, key)
        elif key.isdigit() and 1 <= int(key) <= len(self._all):
            self._turn_to(int(key) - 1)
        elif key in ("tab", "right"):
            self._turn_to((self._at + 1) % len(self._all))
        elif key in ("shift+tab", "left"):
            self._turn_to((self._at - 1) % len(self._all))
        elif key == "/":
            self._typing = Typing(shown.order.words)
        elif key == "s":
            shown.order.next_column(len(shown.pane.columns))
        elif key == "S":
            shown.order.is_reversed = not shown.order.is_reversed
        elif key == "enter":
            self._open()
        elif key == "escape" and shown.order.words:
            shown.order.words = ""
        elif key == " " and shown.feed is not None:
            shown.feed.look_now()
        else:
            return super().press(key)
        self.draw()
        return True

    def _turn_to(self, at: int) -> None:
        if at != self._at:
            self._at = at
            self.list.to_top()

    def _open(self) -> None:
        row, opens = self.row(), self._all[self._at].pane.open
        if row is not None and opens is not None and (what := opens(row)) is not None:
            self.board.show(what)

    def typed(self) -> str:
        """See `_View`."""
        typing = self._typing
        return "" if typing is None else f"rows with: {typing.text}_  (Enter keeps it, Esc doesn't)"

    def _type(self, typing: Typing, key: str) -> None:
        """Filter while somebody types."""
        order = self._all[self._at].order
        typing.press(key)
        order.words = typing.before if typing.is_left else typing.text
        if typing.is_over:
            self._typing = None

    @property
    def typing(self) -> Typing | None:
        """See `_View`."""
        return self._typing


class PageView(_View):
    """Lines about one thing."""

    def __init__(self, board: "Board", page: Page) -> None:
        super().__init__(board)
        self._page = page
        self._feed = Feed(page.title, page.look)
        self._shown = 0

    def on_mount(self) -> None:
        """Begin to look."""
        self._feed.start()
        super().on_mount()

    def on_unmount(self) -> None:
        """Look no more."""
        self._feed.stop()

    def feeds(self) -> Sequence[Feed[Any]]:
        """See `_View`."""
        return [self._feed]

    def actions(self) -> Sequence[Action]:
        """Those of the page."""
        return self._page.actions

    def row(self) -> Row | None:
        """A page is about its one thing, which its actions know."""
        return Row("", (), ())

    def more_keys(self) -> str:
        """See `_View`."""
        return "esc back  ? help  q end"

    def draw(self) -> None:
        """See `_View`."""
        remark = self._feed.remark() or ("" if self._feed.number else "looking ...")
        self.draw_frame(f"[{clean(self._page.title)}]", [remark])
        if self._feed.number != self._shown and self._feed.value is not None:
            self._shown = self._feed.number
            self.list.set_lines(self._feed.value)


class Board(App[int]):
    """The app. It is the `Desk` of the panes' actions."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { background: ansi_default; color: ansi_default; }"

    def __init__(self, plan: Plan) -> None:
        super().__init__(ansi_color=True)
        self.plan = plan
        self.ended_by: int | None = None  # a signal
        self.bug: Exception | None = None
        self.question: Question | None = None
        self._jobs: list[Job[Any]] = []
        self._line, self._line_until = "", 0.0

    def on_mount(self) -> None:
        """Begin to look, and show the lists."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._end, number)
        for feed in self.plan.feeds:
            feed.start()
        self.push_screen(ListView(self, self.plan.panes))
        self.set_interval(_TICK_S, self._finish_jobs)

    def on_unmount(self) -> None:
        """Look no more."""
        for feed in self.plan.feeds:
            feed.stop()

    def _handle_exception(self, error: Exception) -> None:
        """Leave what is wrong to the command's own boundary; Textual would print all variables."""
        self.bug = self.bug or error
        self.exit()

    def _end(self, number: int) -> None:
        self.ended_by = number
        self.exit()

    def head(self) -> str:
        """The first line."""
        return clean("  ".join(filter(None, (self.plan.headline(), self.plan.title))))

    def line(self) -> str:
        """What is being done, or what came of it."""
        if self._jobs:
            return f"{clean(self._jobs[-1].what)} ..."
        return self._line if time.monotonic() < self._line_until else ""

    def look_now(self) -> None:
        """Have all feeds look."""
        for feed in self.plan.feeds:
            feed.look_now()

    def _finish_jobs(self) -> None:
        if self.question is not None:
            return  # one after another
        for job in [job for job in self._jobs if job.is_over]:
            self._jobs.remove(job)
            if job.fault:
                self.remark(job.fault)
            job.finish()
            self.look_now()

    def confirm(self, question: str, then: Callable[[], None]) -> None:
        """See `Desk`."""
        self.question = Question(clean(question), lambda _: then())

    def ask(self, question: str, then: Callable[[str], None], text: str = "") -> None:
        """See `Desk`."""
        self.question = Question(clean(question), then, Typing(text))

    def press(self, key: str) -> None:
        """Take a key for the answer to the question, or a part of it."""
        question = self.question
        answer = None if question is None else question.press(key)
        if question is None or answer is None:
            return
        self.question = None
        if answer:
            question.then(answer)
        else:
            self.remark("nothing was done")

    def work(self, what: str, function: Callable[[], str]) -> None:
        """See `Desk`."""
        self.fetch(what, function, self.remark)

    def fetch(self, what: str, function: Callable[[], T], then: Callable[[T], None]) -> None:
        """See `Desk`."""
        self._jobs.append(Job(what, function, then))

    def show(self, what: Page | Pane) -> None:
        """Open a page or another list."""
        screen = PageView(self, what) if isinstance(what, Page) else ListView(self, [what])
        self.push_screen(screen)

    def remark(self, line: str) -> None:
        """See `Desk`."""
        self._line, self._line_until = clean(line), time.monotonic() + _LINE_S


def make_help(actions: Sequence[Action]) -> Page:
    """Return the page of all keys."""
    rows: list[Any] = [(each.key, each.help) for each in actions]
    rows += [("", "")] if rows else []
    return Page("keys", lambda: [*rows, *_GENERAL])


def _cut(text: str, width: int) -> str:
    """Cut a line; what is wide is counted as wide."""
    parts: list[Part] = cut([(text, "")], width) if width_of(text) > width else [(text, "")]
    return "".join(each for each, _ in parts)
