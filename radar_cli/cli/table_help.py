"""The help of commands that have an option table of their own."""

import click

from radar_cli.wrap.options import Row


def render_help(usage: str, about: tuple[str, ...], table: tuple[Row, ...], example: str) -> str:
    """The help text of a command, as click would lay it out."""
    formatter = click.HelpFormatter(width=min(click.formatting.FORCED_WIDTH or 96, 96))
    formatter.write_usage("radar", usage.removeprefix("usage: radar "))
    for paragraph in about:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(paragraph)
    with formatter.section("Options"):
        formatter.write_dl(
            [(f"{flag} {metavar}".strip(), text) for flag, _, metavar, text in table]
        )
    with formatter.section("Example"):
        formatter.write_text(example)
    return formatter.getvalue()
