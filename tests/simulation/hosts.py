"""The law for a job that several machines run: each has a story of its own, and they are joined.

With `each` the monitor is down if a machine is that has served two slots (a name that is seen once
is a container's), or if any failed; with a number, if fewer than so many are well. Of machines of
which nothing was ever heard, nothing comes: whoever takes the place of one has to go well first.
"""

from bisect import insort
from dataclasses import dataclass, field

from tests.simulation.law import Change, Known, Said, Story


@dataclass
class JoinedStory(Story):
    """What is expected of several machines, and all that is known of them."""

    hosts: int | str = "each"
    _stories: dict[str, Story] = field(default_factory=dict)
    _nobody: Story = field(default_factory=lambda: Story(0))

    def learn(self, ping: Known) -> None:
        """A ping of one of them has come."""
        own = self._stories.get(ping.host)
        if ping.kind == "log":
            # It is no run, and may come before that of which it is.
            if own is not None:
                insort(own.pings, ping)
        else:
            if own is None:
                own = self._stories[ping.host] = Story(ping.time)
                own.pings = [log for log in self.pings if log.host == ping.host]
            own.learn(ping)
        super().learn(ping)

    @property
    def changes(self) -> list[Change]:
        """See `Story`."""
        if self._changes is None:
            self._nobody.created = self.created
            for story in (*self._stories.values(), self._nobody):
                story.cron, story.every, story.grace = self.cron, self.every, self.grace
                story.max_runtime, story.tolerance = self.max_runtime, self.tolerance
                story.pauses, story.outages = self.pauses, self.outages
                story.look_again()
            for number, story in enumerate(self._in_order()):
                # It takes the place of one that was missed.
                nobody = self._nobody.verdict(story.created)
                is_late = isinstance(self.hosts, int) and number < self.hosts and _is_down(nobody)
                story.at_first = nobody if is_late else None
            self._changes = self._join()
        return self._changes

    def describe(self) -> str:
        """See `Story`."""
        own = [f"{host}: {story.describe()}" for host, story in self._stories.items()]
        return "\n".join((f"hosts {self.hosts}", super().describe(), *own))

    def _in_order(self) -> list[Story]:
        """The stories of those that were ever heard of, in that order."""
        return sorted(self._stories.values(), key=lambda story: story.created)

    def _join(self) -> list[Change]:
        moments = sorted(
            {
                (change.at, change.by_time)
                for story in (*self._stories.values(), self._nobody)
                for change in story.changes
            }
            | {(at, False) for story in self._stories.values() for at in _settled_at(story)}
        )
        joined, status = [], "new"
        for at, by_time in moments:
            # What time does is so right after.
            said, since = self._said_at(int(at) + by_time)
            if said.status != status:
                status = said.status
                joined.append(Change(at, by_time, status, said.reason, since))
        return joined

    def _said_at(self, moment: int) -> tuple[Said, int]:
        """What they say together, and since when."""
        sayings = {host: story.verdict(moment) for host, story in self._stories.items()}
        expected = self._expected(moment)
        down = [said for said in (story.verdict(moment) for story in expected) if _is_down(said)]
        if isinstance(self.hosts, int):
            is_down = len(expected) - len(down) < self.hosts
        else:
            down += [said for said in sayings.values() if said.reason == "failed"]
            is_down = bool(down)
        if is_down:
            last = max(down, key=lambda said: said.since)
            return last, last.since
        is_up = any(said.status == "up" for said in sayings.values())
        return Said("up" if is_up else "new"), moment

    def _expected(self, moment: int) -> list[Story]:
        """The stories of those whose silence counts, of unknown ones, too."""
        known = [story for story in self._stories.values() if story.created <= moment]
        if isinstance(self.hosts, int):
            return known + [self._nobody] * (self.hosts - len(known))
        settled = [s for s in known if any(at <= moment for at in _settled_at(s))]
        return settled or known or [self._nobody]

    def _overdue(self, now: int) -> int | None:
        self.changes  # noqa: B018 (it hands on what is declared)
        expected = [story for story in self._expected(now) if not _is_down(story.verdict(now))]
        return min(
            (due for story in expected if (due := story._overdue(now)) is not None), default=None
        )


def _is_down(said: Said) -> bool:
    return said.status == "down"


def _settled_at(story: Story) -> list[int]:
    """When a machine has served two slots, if it has."""
    slot = 0
    for run in sorted(story.runs, key=lambda run: run.end or 0):
        if run.end is None or (own := story.slot_of(run.began)) <= slot:
            continue
        if slot:
            return [run.end]
        slot = own
    return []
