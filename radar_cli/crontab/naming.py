"""Keys for the monitors of jobs, from their commands: short, readable, and always the same."""

import os
import re
from collections.abc import Container
from typing import NamedTuple

from radar_cli.core.ids import is_key
from radar_cli.crontab.shell import OPERATOR, REDIRECTION, WORD, Token, tokenize

_LONGEST = 60
# Programs that only prepare or allow the one that is meant.
_PREPARING = frozenset(
    b". [ [[ cd command export if set sleep source test then true ulimit umask { ( ! mkdir".split()
)
# Programs that start another: their options with a value, and how many words are their own.
_STARTING: dict[str, tuple[str, int]] = {
    "chronic": ("", 0),
    "chrt": ("", 1),
    "cronic": ("", 0),
    "doas": ("uC", 0),
    "env": ("uCS", 0),
    "exec": ("", 0),
    "flock": ("wE", 1),
    "ionice": ("cnp", 0),
    "nice": ("n", 0),
    "nohup": ("", 0),
    "run-one": ("", 0),
    "setsid": ("", 0),
    "stdbuf": ("ioe", 0),
    "sudo": ("ughpCT", 0),
    "systemd-cat": ("tp", 0),
    "taskset": ("", 1),
    "time": ("fo", 0),
    "timeout": ("ks", 1),
}
# Wrappers of other services, whose job stands behind `--`.
_WRAPPING = frozenset(("runitor", "sentry-cli"))
# A request that tells such a service of a job isn't the job.
_REQUESTING = frozenset(("curl", "wget"))
_PING_URL = re.compile(rb"/ping/|hc-ping\.com|cronitor\.(?:link|io)|cron\.life|cronradar")
_INTERPRETER = re.compile(r"(?:ba|da|k|z|a)?sh|(?:python|perl|ruby|php|node|java)[\d.]*")
# Programs that do what their next word says.
_MANY_IN_ONE = frozenset(
    (
        *("apt", "apt-get", "artisan", "aws", "borg", "bundle", "certbot", "console", "docker"),
        *("drush", "git", "kubectl", "manage", "npm", "occ", "podman", "rails", "rake", "restic"),
        *("rclone", "supervisorctl", "systemctl", "wp", "zfs", "zpool"),
    )
)
_ENDINGS = re.compile(r"\.(?:sh|bash|py|pl|rb|php|js|jar|cgi|exe)$")
_URL = re.compile(r"[a-z]+://(?:[^/@]*@)?([^/:?]+)")


class Named(NamedTuple):
    """A job's name, and the words of its command that tell it from its like."""

    key: str
    others: list[str]


def name_job(shell_line: bytes) -> Named:
    """Return a key for what a command does."""
    words = _find_words(tokenize(shell_line)[0])
    names: list[str] = []
    while words:
        name = _slug(_ENDINGS.sub("", os.path.basename(words[0].rstrip("/"))))
        if job := _find_wrapped(words):
            words = job
        elif words[0] in _STARTING or (os.path.basename(words[0]) in _STARTING):
            words = _behind(words, *_STARTING[os.path.basename(words[0])])
        elif not names and _INTERPRETER.fullmatch(name) and (script := _find_script(words)):
            words = script
        elif name == "run-parts" and (folder := _plain(words[1:])):
            return Named(_to_key(_slug(os.path.basename(folder[0].rstrip("/")))), [])
        else:
            names.append(name)
            words = words[1:]
            if name not in _MANY_IN_ONE:
                break
            names += [_slug(word) for word in _plain(words)[:1]]
            break
    others = [part for word in words if (part := _slug(_host_or_word(word)))]
    return Named(_to_key("-".join(name for name in names if name)), others)


def make_unique(named: Named, taken: Container[str]) -> str:
    """Return a key that isn't taken: with a word of the command behind it, else a number."""
    if named.key not in taken:
        return named.key
    for word in named.others:
        longer = f"{named.key}-{word}"
        if longer not in taken and len(longer) <= 2 * _LONGEST and not word.isdigit():
            return longer
    number = 2
    while f"{named.key}-{number}" in taken:
        number += 1
    return f"{named.key}-{number}"


def _find_words(tokens: list[Token]) -> list[str]:
    """Return the words of the first command that does more than to prepare another."""
    commands: list[list[bytes]] = [[]]
    for token in tokens:
        if token.kind == OPERATOR:
            commands.append([])
        elif token.kind == WORD and not (token.is_assignment and not commands[-1]):
            commands[-1].append(token.raw)
        elif token.kind == REDIRECTION:
            continue
    while_preparing = [words for words in commands if words]
    meant = [
        words for words in while_preparing if words[0] not in _PREPARING and not _is_ping(words)
    ]
    chosen = (meant or while_preparing or [[]])[0]
    return [word.decode("utf-8", "replace").strip("'\"") for word in chosen]


def _is_ping(words: list[bytes]) -> bool:
    """Whether a command only tells a service that a job has begun or ended."""
    program = os.path.basename(words[0]).decode("ascii", "replace")
    return program in _REQUESTING and any(map(_PING_URL.search, words[1:]))


def _find_wrapped(words: list[str]) -> list[str]:
    """Return the job that another service's wrapper runs; nothing if there is none."""
    program = os.path.basename(words[0])
    if program in _WRAPPING and "--" in words:
        return words[words.index("--") + 1 :]
    if program == "cronitor" and "exec" in words:
        job = words[words.index("exec") + 2 :]  # behind the monitor's key
        return job[1:] if job[:1] == ["--"] else job
    return []


def _behind(words: list[str], valued: str, own: int) -> list[str]:
    """Return what a program starts."""
    rest = words[1:]
    while rest and (rest[0].startswith("-") or "=" in rest[0]):
        takes_next = len(rest[0]) == 2 and rest[0][1] in valued
        rest = rest[2:] if takes_next else rest[1:]
    return rest[own:]


def _find_script(words: list[str]) -> list[str]:
    """Return the script, or the module, that an interpreter runs, and its words."""
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        if rest[0] in ("-m", "-jar", "-f"):
            return rest[1:]
        if "c" in rest[0] or "e" in rest[0]:
            return []  # its program is in the line itself
        rest = rest[1:]
    return rest


def _plain(words: list[str]) -> list[str]:
    return [word for word in words if not word.startswith("-")]


def _host_or_word(word: str) -> str:
    url = _URL.match(word)
    return url[1] if url else os.path.basename(word.rstrip("/"))


def _slug(text: str) -> str:
    plain = re.sub(r"[^a-z0-9_.-]+", "-", text.lower())
    return re.sub(r"-{2,}", "-", plain).strip("-._")[:_LONGEST]


def _to_key(name: str) -> str:
    key = name[:_LONGEST].rstrip("-._")
    return key if is_key(key) else f"job-{key}".rstrip("-")
