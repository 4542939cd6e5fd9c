"""Crontabs that hypothesis makes, with what stands in them."""

from dataclasses import dataclass

from hypothesis import strategies as st


@dataclass(frozen=True)
class Written:
    """A crontab, and the fields that were put into it."""

    text: bytes
    has_users: bool
    variables: list[tuple[bytes, bytes]]
    jobs: list[tuple[str, str, bytes]]


_BLANKS = st.text(" \t", min_size=1, max_size=3)
_INDENTS = st.text(" \t", max_size=2)
_WORDS = st.sampled_from(
    [
        *(
            "a",
            "-x",
            "--all",
            "b=c",
            "'a b'",
            '"c $HOME"',
            "$(date +\\%F)",
            "`id`",
            "\\;",
            "it\\'s",
        ),
        *("&&", "||", ";", "|", "&", ">/dev/null", "2>&1", "<x", "#", "a#b", "\\%", "\\\\", "é"),
        *("cd", "/opt/job.sh", "[", "]", "(", ")", "{", "}", "!", "A=b", "~/x"),
        *("*.gz", "%", "%in"),
    ]
)


def _times() -> st.SearchStrategy[str]:
    def field(low: int, high: int) -> st.SearchStrategy[str]:
        number = st.integers(low, high)
        ranges = st.tuples(number, number).map(sorted).map(lambda both: f"{both[0]}-{both[1]}")
        steps = st.tuples(st.one_of(st.just("*"), ranges), st.integers(1, high))
        item = st.one_of(
            number.map(str), ranges, steps.map(lambda step: f"{step[0]}/{step[1]}"), st.just("*")
        )
        return st.lists(item, min_size=1, max_size=2).map(",".join)

    fields = st.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7))
    aliases = st.sampled_from(["@daily", "@reboot", "@hourly", "@weekly", "@Monthly"])
    return st.one_of(aliases, fields.map(" ".join))


def commands() -> st.SearchStrategy[str]:
    """What stands behind the times: shell syntax, right or wrong."""
    words = st.lists(_WORDS, max_size=5)
    return st.tuples(st.sampled_from(["/opt/job", "job", "cd /x"]), words).map(
        lambda parts: " ".join([parts[0], *parts[1]])
    )


@st.composite
def crontabs(draw: st.DrawFn) -> Written:
    """Draw a crontab of comments, variables and jobs."""
    has_users = draw(st.booleans())
    lines: list[bytes] = []
    variables: list[tuple[bytes, bytes]] = []
    jobs: list[tuple[str, str, bytes]] = []
    for kind in draw(st.lists(st.sampled_from(["job", "variable", "comment"]), max_size=8)):
        indent = draw(_INDENTS)
        if kind == "comment":
            line = indent + draw(st.sampled_from(["", "# a comment", "#0 1 * * * /opt/job"]))
        elif kind == "variable":
            name = draw(st.sampled_from(["A", "MAILTO", "PATH", "CRON_TZ"]))
            value = draw(st.sampled_from(["x", "x y", "/usr/bin:/bin", "a=b"]))
            quote = draw(st.sampled_from(["", "'", '"']))
            line = f"{indent}{name}{draw(_INDENTS)}={draw(_INDENTS)}{quote}{value}{quote}"
            variables.append((name.encode(), value.encode()))
        else:
            times, command = draw(_times()), draw(commands())
            user = draw(st.sampled_from(["root", "alice"])) if has_users else ""
            words = [*times.split(), *([user] if user else [])]
            line = indent + "".join(word + draw(_BLANKS) for word in words) + command
            jobs.append((times, user, command.encode()))
        lines.append(line.encode())
    is_ended: bool = bool(lines) and draw(st.booleans())
    return Written(b"\n".join(lines) + b"\n" * is_ended, has_users, variables, jobs)
