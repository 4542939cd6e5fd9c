"""Where the tests run radar: on loopback and as their own user, or as it is in the field.

Two options of pytest change that for whatever the tests start, so that any of them shows its
case there, too: `--slow-network` puts a slow relay before each server of `tests.support.server`,
`--other-user` starts `radar` as a user for whom root's rights don't count.
"""

from dataclasses import dataclass

from tests.support.namespaces import as_user


@dataclass
class Field:
    """What pytest was asked for; `tests/conftest.py` fills it in."""

    has_slow_network: bool = False
    has_other_user: bool = False

    def prefix(self) -> list[str]:
        """Return what stands before each `radar`."""
        return as_user() if self.has_other_user else []


field = Field()
