"""Text of others, made fit for a notice: short, and harmless wherever it is shown."""

import re

from radar_cli.core.text import cut, lines
from radar_cli.model.run import Run

LINE_MAX = 500  # characters
TAIL_LINES = 20
TAIL_BYTES = 4096
# Colours and cursor movements (ECMA-48, 5.4), and titles: noise in a mail.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


def one_line(text: str, limit: int = LINE_MAX) -> str:
    """`text` on one line, without what a terminal, a mail's header or a browser would obey."""
    line = " ".join(_clean(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def last_lines(run: Run) -> tuple[list[str], bool]:
    """The last lines that a run wrote, and whether there were more before them."""
    body, cut_bytes = cut(run.output, TAIL_BYTES)
    text = _ESCAPES.sub("", body.decode("utf-8", "replace"))
    # What a progress bar has overwritten isn't worth a line.
    output = [_clean(line.expandtabs()).rstrip() for line in lines(text, overwritten=False)]
    while output and not output[-1]:
        output.pop()
    while output and not output[0]:
        output.pop(0)
    is_cut = bool(cut_bytes or run.omitted_bytes) or len(output) > TAIL_LINES
    return output[-TAIL_LINES:], is_cut and bool(output)


def _clean(text: str) -> str:
    """`text` with white space as spaces, and U+FFFD for what else isn't printable."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)
