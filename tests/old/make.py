"""Make `tests/old/0.1/` by the radar of its time. Run once, on 30 November 2026.

It shows where the files come from, and isn't to be run on later code: what 0.1 left on a machine
is what it is. It was run in a checkout of commit 36678a7 (radar 0.1.0), with the wheel of that
commit installed in .venv/3.11 by tests/run, as root on a Debian with libfaketime and PostgreSQL 15,
under a host name that is nobody's:

    unshare --uts sh -c 'hostname web1 && .venv/3.11/bin/python -m tests.old.make'

Everything was written by 0.1 itself, by its installed command and its server, at the times that
libfaketime told them; servers that don't take pings, kills and damaged files came from here. The
config files (`0.1/config`) were written by hand.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.celery.apps import Project
from tests.old import old_files
from tests.old.old_files import NOW, ROOT, faked
from tests.old.story import (
    Step,
    by_hand,
    spooled,
    spooled_by_environment,
    step,
    story,
    unresolved,
)
from tests.server.pages.visitor import Visitor
from tests.support import answers
from tests.support.answers import Answer
from tests.support.postgresql import Postgresql
from tests.support.proxy import Proxy
from tests.support.radar import environment, radar_path
from tests.support.radar_server import RadarServer
from tests.support.redis import Redis
from tests.support.server import Server
from tests.support.waiting import wait_until
from tests.support.wire import Request

ENVIRONMENT_KEY = "rk_env_5a5a5a5a5a5a5a5a"


class Machine:
    """A machine with a radar on it. `env` is what all of its commands have."""

    def __init__(self, state: Path, **env: str) -> None:
        self.state = state
        self.folder = state.with_name(state.name + "-work")
        self.folder.mkdir(exist_ok=True)
        self.env = {**environment(), "RADAR_STATE_DIR": str(state), **env}

    def do(self, steps: list[Step], **env: str) -> None:
        for when, words, stdin in sorted(steps, key=lambda each: each[0]):
            self.run(when, *words, stdin=stdin, **env)

    def run(self, when: str, *words: str, stdin: bytes = b"", **env: str) -> None:
        done = subprocess.run(
            [radar_path(), *words],
            env={**self.env, **faked(when), **env},
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode not in (2, 70, 125), (words, done.stderr)


def make_database(machine: Machine) -> dict[str, Any]:
    """Fill the embedded store, and serve it twice; the second server is killed.

    What the jobs did after that waits in the spool.
    """
    served_again = "2026-10-26 08:10:00"
    looks = [step(f"{day} 12:00", "check", "--notify") for day in range(16, 26)]
    looks += [step(f"26 0{hour}:09", "check", "--notify") for hour in (7, 8)]
    steps = sorted([*story(), *by_hand(), *looks])
    first_server = "2026-10-20 12:00:10"
    machine.do([each for each in steps if each[0] < first_server])
    with served(machine.state, first_server) as server:
        secrets = make_secrets(server)
    with served(machine.state, "2026-10-20 13:00:00"):
        pass  # nobody has looked for an hour
    machine.do([each for each in steps if first_server < each[0] < served_again])
    server = served(machine.state, served_again)
    server.start()
    server.stop(signal.SIGKILL)
    machine.do([each for each in steps if each[0] > served_again])
    return secrets


def served(state: Path, when: str, database: str = "", config: str = "") -> RadarServer:
    return RadarServer(state, database=database, config=config, env=faked(when))


def make_secrets(server: RadarServer) -> dict[str, Any]:
    """Make keys, a session, a ping URL and a badge; return what opens what."""
    made = {"admin": server.key}
    env = {**server.environment(), **faked("2026-10-20 12:05:00")}
    database = ["--database", server.database] if server.database else []

    def keys(*words: str) -> Any:
        done = subprocess.run(
            [radar_path(), "server", "keys", *words, *database, "--json"],
            env=env,
            check=True,
            capture_output=True,
        )
        return json.loads(done.stdout)["data"]

    made["ping"] = keys("create", "--name", "wéb1", "--monitor", "back*")["key"]
    made["read"] = keys("create", "--scope", "read", "--name", "wall")["key"]
    made["revoked"] = keys("create", "--scope", "admin", "--name", "lost")["key"]
    lost = next(each["id"] for each in keys("list") if each["name"] == "lost")
    keys("revoke", lost)

    assert server.ping("backup/log", create="1").is_success
    visitor = Visitor(server.url, server.key)
    page = visitor.post("/monitors/backup/ping-url").text
    (made["token"], *_) = re.findall(r"/ping/([0-9a-f-]{36})", page)
    visitor.post("/monitors/backup/badge", {"on": "1"})
    page = visitor.get("/monitors/backup").text
    (made["badge"], *_) = re.findall(r"/badge/([0-9a-f-]{36})\.svg", page)
    made["session"] = visitor.client.cookies["radar_session"]
    return made


def make_spool(machine: Machine) -> None:
    """Leave pings for two servers and the store in the spool, in every state that they can have."""

    def answer(request: Request) -> Answer:
        if "/ping/refused" in request.path:
            return answers.status(422, body="Müll: no such schedule".encode())
        if "/ping/wrong-key" in request.path:
            return answers.status(401)
        return answers.status(503, {"Retry-After": "3600"})

    with Server() as nobody:
        nobody.behave(answer)
        hosts = dict.fromkeys(("radar.example", "ci.example", "cronradar.example"), nobody.port)
        with Proxy(hosts=hosts) as proxy:
            machine.env |= {"http_proxy": proxy.url, "RADAR_PING_TIMEOUT": "3"}
            machine.do(spooled())
            by_environment = {"RADAR_SERVER": "http://radar.example:8321"}
            by_environment["RADAR_API_KEY"] = ENVIRONMENT_KEY
            machine.do(spooled_by_environment(), **by_environment)
            nothing = {"RADAR_CONFIG": "/nonexistent", "RADAR_SYSTEM_CONFIG": "/nonexistent"}
            machine.do(
                [step("25 15:00", "run", "plain", "--", "true")], **by_environment, **nothing
            )
            leave_remains(machine)
            make_unresolved(machine, by_environment)


def make_unresolved(machine: Machine, by_environment: dict[str, str]) -> None:
    """Run jobs while the person's config file is broken, or names no such profile."""
    broken = machine.folder / "broken.toml"
    broken.write_text('server = "http://radar.example:8321\n')
    machine.do(unresolved(), RADAR_CONFIG=str(broken))
    machine.do(
        [step("25 17:30", "run", "plain", "--", "true")], RADAR_CONFIG=str(broken), **by_environment
    )
    machine.do([step("25 17:40", "run", "nowhere", "--to", "gone", "--", "echo", "lost?")])


def leave_remains(machine: Machine) -> None:
    """Kill writers and runs, and damage files."""
    when = "2026-10-25 18:00:00"
    spool = machine.state / "spool"
    half = "w=os.write;os.write=lambda f,d:len(d)<150 and w(f,d) or (w(f,d[:90]),die())"
    for patch in ("os.rename=die", half):
        code = f"import os,sys;die=lambda *_:os.kill(os.getpid(),9);{patch};"
        code += f"sys.argv[0]={str(radar_path())!r};exec(open(sys.argv[0]).read())"
        words = ("ping", "killed-writer", "--profile", "ci")
        killed = subprocess.run(
            [sys.executable, "-c", code, *words],
            stdin=subprocess.DEVNULL,
            env={**machine.env, **faked(when)},
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL, patch
    for profile in ("ci", "here"):
        job = f"run killed-{profile} --to {profile} --lock skip -- sleep 600"
        run = subprocess.Popen(
            [radar_path(), *job.split()], env={**machine.env, **faked(when)}, start_new_session=True
        )
        await_start(machine, f"killed-{profile}")
        run.kill()
        run.wait()
        os.killpg(run.pid, signal.SIGKILL)
    # A disk has damaged one, which the next flush sets aside; of another one a power failure
    # left the name, and nobody has looked since.
    machine.do([step("25 19:00", "run", "damaged", "--no-start", "--", "echo", "0123456789")])
    (damaged,) = [path for path in spool.glob("*.ping") if b"=damaged" in path.read_bytes()]
    damaged.write_bytes(damaged.read_bytes().replace(b"01234", b"01235"))
    machine.run("2026-10-25 19:10:00", "outbox", "flush")
    machine.do([step("25 19:20", "run", "emptied", "--no-start", "--", "true")])
    (emptied,) = [path for path in spool.glob("*.ping") if b"=emptied" in path.read_bytes()]
    emptied.write_bytes(b"")


def await_start(machine: Machine, monitor: str) -> None:
    """Wait until a locked job runs and its start is in the spool."""

    def has_started() -> bool:
        lock = machine.state / "locks" / monitor
        if not lock.exists() or not lock.stat().st_size:
            return False
        pings = (path.read_bytes() for path in (machine.state / "spool").glob("*.ping"))
        return any(f"={monitor}&".encode() in each for each in pings)

    wait_until(has_started, 10)


def make_postgresql(folder: Path) -> dict[str, Any]:
    """Tell the same story to a server on PostgreSQL, by outboxes that it empties late; dump it."""
    evening, last = "2026-10-25 20:00:00", "2026-10-26 09:59:40"
    with Postgresql() as cluster:
        url = f"postgresql://radar@127.0.0.1:{cluster.port}/postgres"
        channels = "[notify.pager]\ncommand = ['true']\n"
        channels += "[notify.chat]\nwebhook = 'http://chat.example/hooks'\n"
        server = served(folder / "server", evening, url, channels)
        with server:
            secrets = make_secrets(server)
            machine = Machine(folder / "client", RADAR_SERVER=server.url, RADAR_API_KEY=server.key)
            told = ""
            for when in (evening, last):
                server.stop()
                some = [each for each in (*story(), *by_hand()) if told <= each[0] < when]
                told = when
                jobs = [each for each in some if each[1][0] != "monitors"]
                machine.do(jobs, RADAR_PING_TIMEOUT="0.1")
                server._env = faked(when)
                begin = time.monotonic()
                server.start()
                machine.run(when, "outbox", "flush")
                hands = [(when, *each[1:]) for each in sorted(some) if each not in jobs]
                machine.do(hands)
                wait_until(lambda: "backup" in old_files.judge(machine.env), 5)
        # Else it would have looked later than NOW.
        assert time.monotonic() - begin < 19, "the machine is too slow at the moment: try again"
        (dumper,) = Path("/usr/lib/postgresql/15/bin").glob("pg_dump")
        dump = subprocess.run(
            [dumper, "--no-owner", "--no-privileges", url], check=True, capture_output=True
        ).stdout
    # An older psql doesn't know these two commands.
    dump = re.sub(rb"\n\\(un)?restrict .*", b"", dump)
    (ROOT / "postgresql.sql").write_bytes(dump)
    return secrets


_SHOP = """
import os, time
from celery import Celery
from celery.schedules import crontab
from radar_cli.celery import install_heartbeat

app = Celery("shop", broker=os.environ["BROKER"])
app.conf.beat_schedule = {"nightly": {"task": "shop.nap", "schedule": crontab(minute=5, hour=2)}}
install_heartbeat(app)


@app.task(name="shop.nap")
def nap(seconds):
    time.sleep(seconds)
"""


def make_signs_of_life(folder: Path) -> None:
    """Have real workers and a Beat give signs of life: idle, busy, busy with a limit, asleep."""
    with Redis() as redis:
        for name, role, task in (
            ("worker", ("worker", "-P", "prefork", "-c", "1"), None),
            ("busy", ("worker", "-P", "solo"), {}),
            ("limited", ("worker", "-P", "solo"), {"time_limit": 120}),
            ("beat", ("beat", "-s", "schedule"), None),
        ):
            project = Project(folder / name, redis.url())
            (project.folder / "shop.py").write_text(_SHOP)
            file = project.folder / "sign"
            process = project.celery(*role, RADAR_ALIVE_FILE=str(file))
            started = file.with_name("sign.started")
            wait_until(started.exists, 40, project.log(role[0]))
            if task is not None:
                project.send("shop.nap", 600, **task)
            foretells = name != "worker"  # that the next sign may stay away for long

            def is_given(file: Path = file, foretells: bool = foretells) -> bool:
                given, until, _ = map(int, file.read_bytes().split())
                return until - given > 100 * 10**9 if foretells else until == 0

            wait_until(is_given, 20, f"a sign of {name}")
            shutil.copy(file, ROOT / "alive" / name)
            shutil.copy(started, ROOT / "alive" / f"{name}.started")
            process.send_signal(signal.SIGTERM if task is None else signal.SIGKILL)
            process.wait(30)


_PROBES = [
    *(("worker", age_s, ()) for age_s in (5, 55, 65)),
    *(("worker", age_s, ("--max-age", "90s")) for age_s in (65, 100)),
    *(("busy", age_s, ()) for age_s in (5, 4000)),
    *(("limited", age_s, ()) for age_s in (65, 170, 190)),
    *(("beat", age_s, ("--beat",)) for age_s in (65, 350, 370)),
    *((name, -3600, ()) for name in ("worker", "busy", "beat")),  # before the machine started
    ("worker", 400, ("--started",)),
    ("beat", 400, ("--beat", "--started")),
]
_CONFIGS: list[tuple[list[str], dict[str, str]]] = [
    ([], {}),
    *((["--profile", name], {}) for name in ("ci", "here", "hosted", "backup")),
    ([], {"RADAR_PROFILE": "ci", "RADAR_TAIL": "1k", "RADAR_TZ": "UTC"}),
    ([], {"RADAR_SERVER": "http://other.example", "RADAR_API_KEY": "rk_other"}),
]


def write_expectations(folder: Path, secrets: dict[str, Any]) -> None:
    """Note what 0.1 itself makes of its files."""

    def note(name: str, what: object) -> None:
        text = json.dumps(what, ensure_ascii=False, indent=1, sort_keys=True)
        (ROOT / "expected" / f"{name}.json").write_text(text + "\n")

    note("secrets", secrets)
    env = old_files.machine(folder)
    note("outbox", old_files.read_json("outbox", "list", env=env))
    waiting = "SELECT id FROM alert WHERE channel = 'chat' AND fate = '' ORDER BY id"
    with contextlib.closing(sqlite3.connect(folder / "state/radar.db")) as database:
        notices = {"embedded": [key for (key,) in database.execute(waiting)]}
    note("store", old_files.look({**env, "RADAR_PROFILE": "here"}))
    with Postgresql() as cluster:
        url = cluster.restore(ROOT / "postgresql.sql")
        with psycopg.connect(url) as connection:
            notices["postgresql"] = [key for (key,) in connection.execute(waiting)]
        with served(folder / "restored", NOW, url) as server:
            key = secrets["postgresql"]["admin"]
            env = environment(RADAR_SERVER=server.url, RADAR_API_KEY=key)
            note("postgresql", old_files.look(env))
    note("notices", notices)
    config = old_files.copy_config(folder / "again")
    note(
        "config",
        [
            {
                "words": words,
                "env": env,
                "settings": old_files.read_settings(*words, env={**environment(), **config, **env}),
            }
            for words, env in _CONFIGS
        ],
    )
    note(
        "alive",
        [
            {
                "sign": name,
                "age_s": age_s,
                "words": words,
                "is_alive": old_files.is_alive(name, age_s, words, folder),
            }
            for name, age_s, words in _PROBES
        ],
    )


def main() -> None:
    for name in ("state", "alive", "expected"):
        shutil.rmtree(ROOT / name, ignore_errors=True)
        (ROOT / name).mkdir()
    with tempfile.TemporaryDirectory(prefix="radar-old-") as temporary:
        folder = Path(temporary)
        config = old_files.copy_config(folder)
        machine = Machine(folder / "state", **config)
        here = Machine(folder / "state", **config, RADAR_PROFILE="here")
        secrets = {"embedded": make_database(here)}
        make_spool(machine)
        shutil.copytree(
            machine.state,
            ROOT / "state",
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("*-shm"),
        )
        secrets["postgresql"] = make_postgresql(folder)
        make_signs_of_life(folder)
        (folder / "copies").mkdir()
        write_expectations(folder / "copies", secrets)


if __name__ == "__main__":
    main()
