"""A question on a live screen, and what a person types."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Typing:
    """A text that is being typed; `before` is what it was."""

    text: str
    before: str = ""
    is_over: bool = False
    is_left: bool = False  # with Esc: what was typed isn't meant

    def __post_init__(self) -> None:
        self.before = self.text

    def press(self, key: str) -> None:
        """Take a key."""
        if len(key) == 1:
            self.text += key
        elif key in ("backspace", "ctrl+h"):
            self.text = self.text[:-1]
        elif key == "ctrl+u":
            self.text = ""
        elif key == "enter":
            self.is_over = True
        elif key in ("escape", "ctrl+c"):
            self.is_over = self.is_left = True

    def paste(self, text: str) -> None:
        """Take the first line of what is pasted."""
        self.text += "".join(filter(str.isprintable, "".join(text.splitlines()[:1])))


@dataclass(slots=True)
class Question:
    """A question that stands on the screen: for a yes, or for what `typing` takes."""

    words: str
    then: Callable[[str], None]
    typing: Typing | None = None

    def shown(self) -> str:
        """The lines of it."""
        if self.typing is None:
            return f"{self.words}  (y yes, n no)"
        return f"{self.words}  (Enter does it, Esc doesn't)\n> {self.typing.text}_"

    def press(self, key: str) -> str | None:
        """Take a key; the answer, "" for a no, None as long as there is none."""
        typing = self.typing
        if typing is None:
            return "y" if key == "y" else "" if key in ("n", "q", "escape", "ctrl+c") else None
        typing.press(key)
        if not typing.is_over:
            return None
        return "" if typing.is_left else typing.text.strip()
