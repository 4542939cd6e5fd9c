"""The stores that a command looks at: one's own or, for root, everybody's."""

import os
import pwd
from collections import defaultdict
from dataclasses import dataclass
from typing import Callable

import click

from radar_cli.cli.options import AnyFunction
from radar_cli.core.errors import StateError, UsageError
from radar_cli.core.places import state_directory

# Accounts below are of the system (login.defs, adduser.conf), and many share somebody's home.
_FIRST_PERSON = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A state directory, and the user whose it is; `user` is "" for one's own."""

    directory: str
    user: str = ""
    uid: int = 0
    gid: int = 0
    home: str = ""
    sharing: frozenset[int] = frozenset()  # the uids of all users with this home

    def exists(self) -> bool:
        """Whether the user may have a store there; to be asked as that user.

        StateError: it can't be known. An unreachable folder must not pass for one that isn't there.
        """
        try:
            status = os.stat(self.directory)
        except (FileNotFoundError, NotADirectoryError):
            return self._leads_nowhere()
        except OSError as error:
            if isinstance(error, PermissionError) and not self._is_at_home():
                return False
            raise StateError(f"can't look at {self.directory}: {error.strerror}") from error
        # Of users who share a home, it is the turn of the one whose folder it is.
        return status.st_uid == self.uid or status.st_uid not in self.sharing

    def _leads_nowhere(self) -> bool:
        """Whether a link on the way there is broken, as to a disk that isn't mounted."""
        path, is_broken = self.directory, False
        while len(path) > len(self.home):
            is_broken |= os.path.islink(path) and not os.path.exists(path)
            path = os.path.dirname(path)
        return is_broken

    def _is_at_home(self) -> bool:
        """Whether the user should be able to enter the home: accounts of the system may not."""
        if self.uid >= _FIRST_PERSON:
            return True
        try:
            return os.stat(self.home).st_uid == self.uid
        except OSError:
            return False


def all_users_option(function: AnyFunction) -> AnyFunction:
    """Add `--all-users`, which arrives as `all_users`."""
    option: Callable[[AnyFunction], AnyFunction] = click.option(
        "--all-users", is_flag=True, help="Look at the stores of all users (for root)."
    )
    return option(function)


def find_places() -> tuple[Place, list[Place]]:
    """One's own place, and those where other users may have a store.

    Nothing is looked at yet: a home may hang. UsageError: only root may ask.
    """
    own = Place(state_directory(os.environ))
    if os.geteuid() != 0:
        raise UsageError("only root may look at the stores of all users", "try it with sudo")
    users = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    sharing = defaultdict[str, set[int]](set)
    for entry in users:
        sharing[entry.pw_dir.rstrip("/")].add(entry.pw_uid)
    others = {
        (entry.pw_uid, home): Place(
            home + "/.local/state/radar",
            entry.pw_name,
            entry.pw_uid,
            entry.pw_gid,
            home or "/",
            frozenset(sharing[home]),
        )
        for entry in sorted(users, key=lambda entry: entry.pw_name, reverse=True)
        if (home := entry.pw_dir.rstrip("/")) + "/.local/state/radar" != own.directory
    }
    return own, sorted(others.values(), key=lambda place: place.user)
