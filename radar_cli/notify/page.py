"""A notice as an HTML mail: no pictures, no scripts, readable on light and on dark."""

from html import escape

from radar_cli.monitors.links import find_links
from radar_cli.notify.excerpt import last_lines, one_line
from radar_cli.notify.notice import Notice
from radar_cli.notify.words import facts, headline, notes, summaries

# Mail programs drop style sheets; these colours show up on white and on black alike.
_RED, _AMBER = "#d93025", "#b27300"
_COLORS = {"down": _RED, "channel": _RED, "late": _AMBER, "fault": _AMBER}
_COLORS |= {"up": "#1e8e3e", "test": "#1a73e8"}
_GRAY = "#808080"
_MONO = "font:13px/1.45 ui-monospace,Menlo,Consolas,monospace"
_PRE = (
    f"{_MONO};white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0 16px;padding:8px;"
    f"border:1px solid {_GRAY};border-radius:4px"
)
_NOTES = "margin:4px 0 16px;overflow-wrap:anywhere"
_LINE_MAX = 2000
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
"""


def html(notice: Notice, title: str) -> str:
    """The whole notice as one HTML document, ASCII but for what others wrote."""
    color = _COLORS.get(notice.kind, _GRAY)
    parts = [
        f"{_HEAD}<title>{escape(title)}</title>\n</head>\n",
        '<body style="margin:0;padding:16px;font:16px/1.5 system-ui,sans-serif">\n',
        f'<p style="margin:0 0 16px;padding-left:12px;border-left:6px solid {color};',
        f'font-size:20px;font-weight:bold">{escape(headline(notice))}</p>\n',
    ]
    if notice.others:
        parts += [f"<div>{_link(line)}</div>\n" for line in summaries(notice)]
        parts += _ways_on(notice)
        return "".join(parts) + "</body>\n</html>\n"
    parts.append('<table role="presentation" style="border-spacing:0;margin-bottom:16px">\n')
    label_style = f"color:{_GRAY};padding:2px 12px 2px 0;vertical-align:top;white-space:nowrap"
    for label, value in facts(notice):
        cell = f'<td style="padding:2px 0;overflow-wrap:anywhere">{escape(value)}</td>'
        parts.append(f'<tr><td style="{label_style}">{label}</td>{cell}</tr>\n')
    parts.append("</table>\n")
    if notice.notes:
        parts.append(f'<div style="color:{_GRAY}">Its notes</div>\n<div style="{_NOTES}">')
        parts.append("<br>\n".join(map(_link, notes(notice))) + "</div>\n")
    if notice.last_run is not None:
        said, is_cut = last_lines(notice.last_run)
        if said:
            output = escape("\n".join(["...", *said] if is_cut else said))
            parts.append(f'<div style="color:{_GRAY}">The end of its output</div>\n')
            parts.append(f'<pre style="{_PRE}">{output}</pre>\n')
    return "".join((*parts, *_ways_on(notice))) + "</body>\n</html>\n"


def _ways_on(notice: Notice) -> list[str]:
    parts = []
    for heading, said in (("To look further", notice.look), ("To mute it", notice.mute)):
        if said:
            parts.append(f'<div style="color:{_GRAY};margin-top:12px">{heading}</div>\n')
            parts += [f'<div style="{_MONO}">{_link(line)}</div>\n' for line in said]
    return parts


def _link(line: str) -> str:
    """A line with what is a link in it as one."""
    ((*parts,),) = find_links(one_line(line, _LINE_MAX)) or [[]]
    return "".join(
        f'<a href="{escape(part.text)}">{escape(part.text)}</a>'
        if part.is_link
        else escape(part.text)
        for part in parts
    )
