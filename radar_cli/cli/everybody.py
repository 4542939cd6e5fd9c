"""Whose stores a command looks at: one's own or, for root, everybody's."""

import os
import pwd
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, Iterator, Sequence

import click

from radar_cli.cli.options import AnyFunction
from radar_cli.core.errors import UsageError
from radar_cli.core.places import state_directory


@dataclass(frozen=True, slots=True)
class Place:
    """A state directory, and the user whose it is; `user` is "" for one's own."""

    directory: str
    user: str = ""
    uid: int = 0
    gid: int = 0


def all_users_option(function: AnyFunction) -> AnyFunction:
    """Add `--all-users`, which arrives as `all_users`."""
    option: Callable[[AnyFunction], AnyFunction] = click.option(
        "--all-users", is_flag=True, help="Look at the stores of all users (for root)."
    )
    return option(function)


def find_places(*, all_users: bool) -> "list[Place | None]":
    """None, for where one's own monitors are; or every store on this machine, one's own first.

    UsageError: only root may ask for all.
    """
    if not all_users:
        return [None]
    own = state_directory(os.environ)
    places: list[Place | None] = [Place(own)]
    if os.geteuid() != 0:
        raise UsageError("only root may look at the stores of all users", "try it with sudo")
    seen = {own}
    for entry in sorted(pwd.getpwall(), key=lambda entry: entry.pw_name):
        directory = entry.pw_dir.rstrip("/") + "/.local/state/radar"
        if entry.pw_uid != 0 and directory not in seen and _belongs(directory, entry.pw_uid):
            seen.add(directory)
            places.append(Place(directory, entry.pw_name, entry.pw_uid, entry.pw_gid))
    return places


@contextmanager
def as_owner(place: Place) -> Iterator[None]:
    """Be the user whose place it is: what they put there can't mislead root then."""
    if not place.user:
        yield
        return
    groups, gid = os.getgroups(), os.getegid()
    os.initgroups(place.user, place.gid)
    _become(place.uid, place.gid)
    try:
        yield
    finally:
        os.seteuid(0)
        _become(0, gid, groups)


@contextmanager
def as_oneself() -> Iterator[None]:
    """Within `as_owner`, be root again for what is root's own: its config, its channels."""
    uid, gid, groups = os.geteuid(), os.getegid(), os.getgroups()
    if uid == os.getuid():
        yield
        return
    os.seteuid(0)
    _become(0, os.getgid(), [os.getgid()])
    try:
        yield
    finally:
        _become(uid, gid, groups)


def _become(uid: int, gid: int, groups: Sequence[int] | None = None) -> None:
    """Change the effective ids, while it is root who does."""
    if groups is not None:
        os.setgroups(groups)
    os.setegid(gid)
    os.seteuid(uid)


def _belongs(directory: str, uid: int) -> bool:
    try:
        status = os.lstat(directory)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == uid
