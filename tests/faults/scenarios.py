"""Commands that write, each with what holds of it whichever of its system calls fails."""

import contextlib
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from radar_cli.crontab.link import read_link
from radar_cli.model.ping import Ping
from radar_cli.outbox.spool import Outbox, is_unfinished
from radar_cli.outbox.trim import read_dropped
from tests.support.faulty_calls import Fault, FaultyCalls
from tests.support.pings import read_pings
from tests.support.radar import Word, environment, radar_path, spool_files
from tests.support.server import Server

_DAY_US = 86_400_000_000
_HANGS_S = 40.0


class Place:
    """Where one run of a scenario happens: a folder with a state directory and a config."""

    def __init__(self, folder: Path, library: Path, template: Path | None) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "config.toml"
        if template is not None:
            shutil.copytree(template, folder)
        else:
            folder.mkdir()
        self.calls = FaultyCalls(library, folder)
        self._server: Server | None = None
        self.more: dict[str, str] = {}  # of the environment
        self.said = ""  # by the disturbed command and the one after it
        self.before: bytes = b""  # a file's content, for those that change one

    @property
    def server(self) -> Server:
        """A server of this place's own, once it is asked for."""
        if self._server is None:
            self._server = Server()
        return self._server

    def close(self) -> None:
        self.calls.close()
        if self._server is not None:
            self._server.close()
        shutil.rmtree(self.folder)

    def env(self) -> dict[str, str]:
        plain = environment(measured=False)
        own = {
            "HOME": self.folder,
            "RADAR_STATE_DIR": self.state,
            "RADAR_CONFIG": self.config,
            "RADAR_SYSTEM_CONFIG": self.folder / "system.toml",
        }
        return {**plain, **{name: str(path) for name, path in own.items()}, **self.more}

    def use_server(self) -> None:
        self.more = {"RADAR_SERVER": self.server.url, "RADAR_API_KEY": "k1"}

    def radar(self, *words: Word) -> subprocess.CompletedProcess[str]:
        """Run it with nothing in its way."""
        return subprocess.run(
            [radar_path(), *words],
            env=self.env(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def disturbed(self, *words: Word) -> subprocess.CompletedProcess[str]:
        """Run it with the calls that were chosen; return once all of its job is over, too."""
        read, write = os.pipe()
        process = subprocess.Popen(
            [radar_path(), *words],
            env={**self.env(), **self.calls.env()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=(write,),
        )
        os.close(write)
        try:
            out, err = process.communicate(timeout=_HANGS_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            os.close(read)
            raise AssertionError("it hangs") from None
        with open(read, "rb", buffering=0) as alive:
            alive.read()
        self.calls.disarm()
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def keep(self, *pings: Ping, to: dict[str, str] | None = None) -> None:
        """Put pings into the outbox."""
        outbox = Outbox(str(self.state))
        for ping in pings:
            outbox.put(ping, to or {}, durable=False)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What the embedded store holds, once it has been found sound."""
        with contextlib.closing(sqlite3.connect(self.state / "radar.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return database.execute(query).fetchall()

    def unfinished(self) -> list[str]:
        """What a writer of the outbox has begun."""
        return [path.name for path in self.state.rglob("*") if is_unfinished(path.name)]

    def expect_clean(self, fault: Fault) -> None:
        """Nothing half is seen as whole; only who was killed has left something half."""
        assert not list(self.state.glob("spool/**/aside/*")), "a ping was taken for garbage"
        if fault.way == "EIO" and fault.call == "unlink":
            return
        assert fault.kills or not self.unfinished(), "something half was left"


class Scenario:
    """A command, and what has to hold of it. `name` is for people."""

    name = ""
    words: tuple[Word, ...] = ()

    def template(self, place: Place) -> None:
        """Make what each run of it begins with, once."""

    def prepare(self, place: Place) -> None:
        """The same, of what can't be copied."""

    def act(self, place: Place) -> subprocess.CompletedProcess[str]:
        """Run the command with its calls counted."""
        return place.disturbed(*self.words)

    def judge(
        self, place: Place, done: subprocess.CompletedProcess[str], fault: Fault | None
    ) -> None:
        """See what holds; without a fault all must have gone well."""
        del place
        if fault is None or not fault.kills:
            _expect_words(done, fault, self.is_fine(done), self.remark)
        else:
            assert done.returncode in (-9, *self.fine)

    fine: tuple[int, ...] = (0,)
    remark = "\n"  # in a line that it says when all goes well

    def is_fine(self, done: subprocess.CompletedProcess[str]) -> bool:
        """Whether it says that it has done what it was asked for."""
        return done.returncode in self.fine


def _expect_words(
    done: subprocess.CompletedProcess[str], fault: Fault | None, fine: bool, remark: str
) -> None:
    """A command that fails says so in one line, and one that can't speak isn't well."""
    lines = [line for line in done.stderr.splitlines() if remark not in line]
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode != 70, done.stderr
    if fault is None:
        assert (fine, lines) == (True, []), (done.returncode, done.stderr)
    elif fault.call != "output":
        assert all(line.startswith("radar: ") for line in lines), done.stderr
        assert len(lines) <= 2, done.stderr
        assert fine or lines, f"it exits with {done.returncode} and doesn't say why"


class Run(Scenario):
    """`radar run` into the embedded store."""

    name = "run"
    job = (
        "trap '' PIPE; env | LC_ALL=C sort >\"$HOME/job-env\"; echo out; echo err >&2;"
        ' echo end >"$HOME/job-end"; exit 7'
    )
    words: tuple[Word, ...] = ("run", "job", "--ping-timeout", "1", "--", "sh", "-c", job)

    def judge(
        self, place: Place, done: subprocess.CompletedProcess[str], fault: Fault | None
    ) -> None:
        said = [line for line in done.stderr.splitlines() if line.startswith("radar: ")]
        job_ran = (place.folder / "job-env").exists()
        if fault is None or not fault.kills:
            self._expect_job(place, done, fault, said)
        elif job_ran:
            assert (place.folder / "job-end").exists(), "the job was ended, too"
        kept = {ping.id for ping in read_pings(place.state) if ping.monitor == "job"}
        place.expect_clean(fault or Fault("", 0, ""))
        again = place.radar("run", "job", "--ping-timeout", "5", "--", "true")
        assert again.returncode == 0
        assert all(self.remark in line for line in again.stderr.splitlines()), again.stderr
        place.said = done.stderr + again.stderr
        arrived = self.arrived(place)
        assert set(Counter(ping_id for ping_id, _ in arrived).values()) <= {1}
        assert kept <= {ping_id for ping_id, _ in arrived}, "kept and lost"
        kinds = [kind for _, kind in arrived]
        assert kinds[-2:] == ["start", "success"], kinds
        lost = [line for line in said if " lost" in line]
        if fault is not None and fault.kills:
            assert kinds[:-2] in ([], ["start"], ["start", "fail"]), kinds
        else:
            expected = [k for k in ("start", "fail") if not any(f"{k} " in line for line in lost)]
            assert kinds[:-2] == expected, (kinds, done.stderr)
        assert spool_files(place.state) == []

    def _expect_job(
        self,
        place: Place,
        done: subprocess.CompletedProcess[str],
        fault: Fault | None,
        said: list[str],
    ) -> None:
        assert done.returncode == 7, done.stderr
        assert (place.folder / "job-end").exists()
        environ = (place.folder / "job-env").read_text().splitlines()
        inside = {line.partition("=")[0] for line in environ} - {"PWD", "_", "OLDPWD", "SHLVL"}
        expected = {*place.env(), *place.calls.env(), "RADAR_RUN_ID", "RADAR_MONITOR"}
        assert inside == expected, inside ^ expected
        theirs = "".join(
            line for line in done.stderr.splitlines(keepends=True) if line.rstrip() not in said
        )
        if fault is not None and (fault.call, fault.way) == ("output", "EIO"):
            # It is the disk behind it that fails, as it would the job.
            assert done.stdout in ("", "out\n")
            assert theirs in ("", "err\n")
        else:
            assert (done.stdout, theirs) == ("out\n", "err\n"), done
        assert len(said) <= 2, said
        assert fault is not None or all(self.remark in line for line in said)

    def arrived(self, place: Place) -> list[tuple[str, str]]:
        """Ids and kinds of the pings, once an undisturbed command has seen to them."""
        done = place.radar("status")
        assert (done.returncode, done.stderr) == (0, "")
        return [(str(i), str(k)) for i, k in place.rows("SELECT id, kind FROM ping ORDER BY id")]


class RunQuietly(Run):
    """The same with its output in an unlinked file first, and a pattern to look for."""

    name = "run --quiet"
    words = (
        "run", "job", "--quiet", "--fail-on", "nothing", "--ping-timeout", "1",
        "--", "sh", "-c", Run.job,
    )  # fmt: skip


class RunToServer(Run):
    """`radar run` beside a server."""

    name = "run, a server"

    def prepare(self, place: Place) -> None:
        place.use_server()

    def arrived(self, place: Place) -> list[tuple[str, str]]:
        done = place.radar("outbox", "flush")
        assert (done.returncode, done.stderr) == (0, "")
        found = {ping.query["id"]: ping.kind for ping in place.server.accepted}
        return sorted((i, "success" if k == "complete" else k) for i, k in found.items())


class RunWithoutServer(RunToServer):
    """The same while the server is away; it is back later."""

    name = "run, a dead server"

    def act(self, place: Place) -> subprocess.CompletedProcess[str]:
        place.server.stop()
        try:
            return super().act(place)
        finally:
            place.server.start()


class RunThatTrims(RunWithoutServer):
    """The same, as the outbox holds pings that are too old to be kept."""

    name = "run that trims"
    remark = "were dropped (older than 30 days"
    old = 4

    def prepare(self, place: Place) -> None:
        super().prepare(place)
        fresh = place.radar("ping", "young")  # it makes the folder, and is delivered
        assert fresh.returncode == 0
        place.server.forget()
        place.server.stop()
        assert place.radar("ping", "young", "--ping-timeout", "0.1").returncode == 0
        place.server.start()
        (young,) = spool_files(place.state)
        to = {"server": place.server.url, "key": young.parent.name.rpartition("-k")[2]}
        first_us = time.time_ns() // 1000 - 40 * _DAY_US
        place.keep(*(Ping("fail", "old", time_us=first_us + n) for n in range(self.old)), to=to)
        assert len(list(young.parent.glob("*.ping"))) == self.old + 1

    def arrived(self, place: Place) -> list[tuple[str, str]]:
        found = super().arrived(place)
        monitors = Counter(
            {ping.query["id"]: ping.monitor for ping in place.server.accepted}.values()
        )
        assert monitors["young"] == 1
        spools = Outbox(str(place.state)).spools()
        noted = [dropped.total for spool in spools if (dropped := read_dropped(spool))]
        is_noted = sum(noted) >= self.old - monitors["old"]
        assert is_noted or self.remark in place.said, "dropped in silence"
        others = {p.query["id"] for p in place.server.accepted if p.monitor != "job"}
        return [each for each in found if each[0] not in others]


class PingStore(Scenario):
    """`radar ping` into the embedded store."""

    name = "ping"
    words = ("ping", "job", "--ping-timeout", "1", "--message", "by hand")

    def judge(
        self, place: Place, done: subprocess.CompletedProcess[str], fault: Fault | None
    ) -> None:
        super().judge(place, done, fault)
        kept = {ping.id for ping in read_pings(place.state)}
        place.expect_clean(fault or Fault("", 0, ""))
        assert place.radar("ping", "job", "log").returncode == 0
        arrived = self.arrived(place)
        assert kept <= set(arrived)
        assert len(arrived) == len(set(arrived))
        if done.returncode == 0:
            assert len(arrived) == 2, "acknowledged and lost"
        else:
            assert len(arrived) == 1 or (fault is not None and fault.kills), "refused and kept"
        assert spool_files(place.state) == []

    def arrived(self, place: Place) -> list[str]:
        done = place.radar("check")
        assert (done.returncode, done.stderr) == (0, "")
        return [str(i) for (i,) in place.rows("SELECT id FROM ping")]


class PingServer(PingStore):
    """The same for a server that is away, and back later."""

    name = "ping, a dead server"
    remark = "is kept in the outbox"

    def act(self, place: Place) -> subprocess.CompletedProcess[str]:
        place.use_server()
        place.server.stop()
        try:
            return super().act(place)
        finally:
            place.server.start()

    def arrived(self, place: Place) -> list[str]:
        done = place.radar("outbox", "flush")
        assert (done.returncode, done.stderr) == (0, "")
        return list({ping.query["id"]: 1 for ping in place.server.accepted})


class TakeIn(Scenario):
    """`radar status`, which takes what waits into the store; the store is there already."""

    name = "status"
    words: tuple[Word, ...] = ("status",)
    is_new = False
    pings = 3

    def template(self, place: Place) -> None:
        if not self.is_new:
            place.radar("run", "job", "--", "true")
            assert place.radar("status").returncode == 0

    def prepare(self, place: Place) -> None:
        now_us = time.time_ns() // 1000
        kinds = ("start", "fail", "success")
        place.keep(*(Ping(kind, "late", time_us=now_us + n) for n, kind in enumerate(kinds)))

    def judge(
        self, place: Place, done: subprocess.CompletedProcess[str], fault: Fault | None
    ) -> None:
        super().judge(place, done, fault)
        place.expect_clean(fault or Fault("", 0, ""))
        again = place.radar(*self.words)
        assert (again.returncode, again.stderr) == (0, "")
        query = "SELECT kind FROM ping WHERE monitor = 'late' ORDER BY time_us"
        assert place.rows(query) == [("start",), ("fail",), ("success",)]
        others = 0 if self.is_new else 2
        assert place.rows("SELECT count(*) FROM ping") == [(self.pings + others,)]
        assert spool_files(place.state) == []


class TakeInFirst(TakeIn):
    """The same, while the store is being made."""

    name = "status, no store yet"
    is_new = True


class Check(TakeIn):
    """`radar check`, which judges as well: by less, if what waits can't be read right now."""

    name = "check"
    words = ("check",)

    def is_fine(self, done: subprocess.CompletedProcess[str]) -> bool:
        return done.returncode == 0 or (done.returncode == 1 and "late" in done.stdout)


class Notify(Scenario):
    """`radar check --notify` of a failure: a flip, an alert and its delivery."""

    name = "check --notify"
    words = ("check", "--notify")
    fine = (1, 0)  # 0 if the failure that waits can't be read right now

    def template(self, place: Place) -> None:
        place.radar("run", "job", "--every", "1h", "--", "true")
        assert place.radar("check").returncode == 0

    def prepare(self, place: Place) -> None:
        place.config.write_text(f"[notify.ops]\nwebhook = '{place.server.url}/hook'\n")
        place.radar("run", "job", "--", "false")

    def judge(
        self, place: Place, done: subprocess.CompletedProcess[str], fault: Fault | None
    ) -> None:
        super().judge(place, done, fault)
        place.expect_clean(fault or Fault("", 0, ""))
        if fault is None:
            assert len(place.server.requests) == 1
        # What was under way when it died, or failed, is due again at some time: that is now.
        if (place.state / "radar.db").exists():
            with contextlib.closing(sqlite3.connect(place.state / "radar.db")) as database:
                for table in ("alert", "notice"):
                    database.execute(
                        f"UPDATE {table} SET next_try_us = 1 WHERE next_try_us IS NOT NULL"
                    )
                database.commit()
        again = place.radar(*self.words)
        assert (again.returncode, again.stderr) == (1, "")
        notices = [json.loads(request.body) for request in place.server.requests]
        told = {notice["key"]: (notice["monitor"], notice["kind"]) for notice in notices}
        assert list(told.values()) == [("job", "down")], told
        assert len(notices) <= (1 if fault is None else 2)
        assert place.rows("SELECT status FROM flip ORDER BY time_us") == [("up",), ("down",)]
        assert place.rows("SELECT count(*) FROM alert WHERE fate = 'delivered'") == [(1,)]
        assert place.rows("SELECT count(*) FROM ping") == [(4,)]


class Flush(Scenario):
    """`radar outbox flush`."""

    name = "outbox flush"
    words = ("outbox", "flush")

    def prepare(self, place: Place) -> None:
        place.use_server()
        place.server.stop()
        for kind in ("start", "fail", "success"):
            assert place.radar("ping", "job", kind, "--ping-timeout", "0.05").returncode == 0
        place.server.start()
        assert len(spool_files(place.state)) == 3

    def judge(
        self, place: Place, done: subprocess.CompletedProcess[str], fault: Fault | None
    ) -> None:
        if done.returncode == 1:  # some are left, it says how many
            assert "left" in done.stdout
        else:
            super().judge(place, done, fault)
        ids = {ping.id for ping in read_pings(place.state)}
        place.expect_clean(fault or Fault("", 0, ""))
        again = place.radar(*self.words)
        assert (again.returncode, again.stderr) == (0, "")
        arrived = {ping.query["id"]: ping.kind for ping in place.server.accepted}
        assert sorted(arrived.values()) == ["complete", "fail", "start"]
        assert ids <= arrived.keys()
        assert spool_files(place.state) == []


class Create(Scenario):
    """`radar monitors create`."""

    name = "monitors create"
    words = ("monitors", "create", "new", "--every", "1h")

    def template(self, place: Place) -> None:
        place.radar("monitors", "create", "old", "--every", "1h")

    def judge(
        self, place: Place, done: subprocess.CompletedProcess[str], fault: Fault | None
    ) -> None:
        super().judge(place, done, fault)
        found = self.declared(place)
        if done.returncode == 0:
            assert found == self.outcomes[0]
        elif fault is not None and not (fault.kills or fault.call == "output"):
            assert found == self.outcomes[1], "it is done, and said not to be"
        else:
            assert found in self.outcomes
        self._repeat(place, found)

    outcomes = (["new 3600", "old 3600"], ["old 3600"])

    def declared(self, place: Place) -> list[str]:
        rows = place.rows("SELECT key, declared FROM monitor ORDER BY key")
        return [f"{key} {json.loads(str(said)).get('every')}" for key, said in rows]

    def _repeat(self, place: Place, found: list[str]) -> None:
        if found != self.outcomes[0]:
            again = place.radar(*self.words)
            assert (again.returncode, again.stderr) == (0, "")
            assert self.declared(place) == self.outcomes[0]


class Update(Create):
    """`radar monitors update`."""

    name = "monitors update"
    words = ("monitors", "update", "old", "--every", "2h")
    outcomes = (["old 7200"], ["old 3600"])


class CreateKey(Scenario):
    """`radar server keys create`."""

    name = "server keys create"
    words = ("server", "keys", "create", "--name", "ours")

    def template(self, place: Place) -> None:
        place.radar("server", "keys", "create", "--name", "old")

    def judge(
        self, place: Place, done: subprocess.CompletedProcess[str], fault: Fault | None
    ) -> None:
        super().judge(place, done, fault)
        names = [name for (name,) in place.rows("SELECT name FROM api_key ORDER BY name")]
        assert names in ([["old", "ours"], ["old"]] if done.returncode else [["old", "ours"]])
        again = place.radar(*self.words)
        assert (again.returncode, again.stderr) == (0, "")


class Replace(Scenario):
    """A command that replaces a file: it is the old one or the new one."""

    def path(self, place: Place) -> Path:
        raise NotImplementedError

    def is_new(self, place: Place) -> bool:
        """Whether the new one is there, whole; AssertionError: neither is."""
        raise NotImplementedError

    def judge(
        self, place: Place, done: subprocess.CompletedProcess[str], fault: Fault | None
    ) -> None:
        super().judge(place, done, fault)
        if fault is None or done.returncode == 0:
            assert self.is_new(place)
        else:
            self.is_new(place)
        left = [path.name for path in self.path(place).parent.glob(".radar-*")]
        if fault is None or not (fault.kills or fault.call == "unlink"):
            assert left == [], "something half was left"
        assert place.radar(*self._words_at(place)).returncode == 0
        assert self.is_new(place)

    def _words_at(self, place: Place) -> tuple[Word, ...]:
        return (*self.words, self.path(place))

    def act(self, place: Place) -> subprocess.CompletedProcess[str]:
        return place.disturbed(*self._words_at(place))


class WriteLink(Replace):
    """`radar link`, over an older one."""

    name = "link"
    words = ("link",)

    def prepare(self, place: Place) -> None:
        assert place.radar("link", self.path(place)).returncode == 0
        script = self.path(place).read_bytes().replace(b"of radar ", b"of radar 0.0.1+", 1)
        self.path(place).write_bytes(script)
        place.before = script

    def path(self, place: Place) -> Path:
        return place.folder / "link/radar"

    def is_new(self, place: Place) -> bool:
        path = self.path(place)
        assert stat.S_IMODE(path.stat().st_mode) == 0o755
        if path.read_bytes() == place.before:
            return False
        link = read_link(str(path))
        assert link is not None
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        assert done.stdout.startswith("radar "), done.stderr
        assert path.read_bytes().count(b"\n") == place.before.count(b"\n")
        return True


class SetConfig(Replace):
    """`radar config set`, in a file with comments."""

    name = "config set"
    words = ("config", "set", "profiles.a.api_key", "new-key")
    text = "# ours\n[profiles.a]\nserver = 'http://127.0.0.1:1' # a\napi_key = 'old-key'\n"

    def template(self, place: Place) -> None:
        self.path(place).write_text(self.text)
        self.path(place).chmod(0o600)

    def path(self, place: Place) -> Path:
        return place.config

    def _words_at(self, place: Place) -> tuple[Word, ...]:
        del place
        return self.words

    def is_new(self, place: Place) -> bool:
        assert stat.S_IMODE(place.config.stat().st_mode) == 0o600
        if place.config.read_text() == self.text:
            return False
        assert place.config.read_text() in (
            self.text.replace("'old-key'", "'new-key'"),
            self.text.replace("'old-key'", '"new-key"'),
        )
        return True


SCENARIOS: tuple[Scenario, ...] = (
    Run(), RunQuietly(), RunToServer(), RunWithoutServer(), RunThatTrims(), PingStore(),
    PingServer(), TakeInFirst(), TakeIn(), Check(), Notify(), Flush(), Create(), Update(),
    CreateKey(), WriteLink(), SetConfig(),
)  # fmt: skip


class Sweep:
    """Runs one scenario again and again, each time with another fault."""

    def __init__(self, scenario: Scenario, folder: Path, library: Path) -> None:
        self._scenario = scenario
        self._folder = folder
        self._library = library
        self._made = 0
        folder.mkdir()
        self._template = folder / "template"
        place = Place(self._template, library, None)
        scenario.template(place)
        place.calls.close()

    def record(self) -> dict[str, int]:
        """Run it undisturbed; return its calls."""
        with self._place() as place:
            place.calls.record()
            done = self._scenario.act(place)
            counts = place.calls.counts()
            self._scenario.judge(place, done, None)
        return counts

    def fail(self, fault: Fault) -> str | None:
        """Run it with a fault; return what doesn't hold, or None if the call was not reached.

        An empty string: all is well.
        """
        with self._place() as place:
            place.calls.arm(fault)
            try:
                done = self._scenario.act(place)
                if place.calls.has_fired:
                    self._scenario.judge(place, done, fault)
            except AssertionError as error:
                words = " ".join(str(error).splitlines()).replace(str(place.folder), "")
                what = place.calls.what.replace(str(place.folder), "")
                return f"{fault} ({what}): {words[:500]}"
            return "" if place.calls.has_fired else None

    @contextlib.contextmanager
    def _place(self) -> Iterator[Place]:
        self._made += 1
        place = Place(self._folder / f"at-{self._made}", self._library, self._template)
        try:
            self._scenario.prepare(place)
            yield place
        finally:
            place.close()
