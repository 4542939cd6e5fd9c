"""Examining a machine: whether radar can do here what it is for, and what stands in its way."""

import importlib.util
import os
import shlex
import shutil
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Callable, Iterator, Sequence

import radar_cli
from radar_cli.client.wire import decode_channel, decode_monitor, from_iso
from radar_cli.core.errors import RadarError
from radar_cli.core.grammar import format_duration
from radar_cli.core.places import state_directory
from radar_cli.crontab.link import Link, ask_version, known_paths, read_link
from radar_cli.crontab.sources import Machine
from radar_cli.model.notice_log import ChannelHealth
from radar_cli.model.record import MonitorRecord
from radar_cli.model.sentences import local_time
from radar_cli.notify.mail import find_local_only
from radar_cli.outbox.spool import REJECTED, STORE_FOLDER, WAITING, Outbox
from radar_cli.outbox.trim import read_dropped
from radar_cli.settings.channels import ChannelTable, find_unheard, read_channels
from radar_cli.settings.check import check as find_problems
from radar_cli.settings.profiles import Config, Profile
from radar_cli.store.opening import open_embedded
from radar_cli.why.celery_workers import look_at_celery
from radar_cli.why.cron import look_at_cron
from radar_cli.why.remarks import BAD, BEWARE, GOOD, Remark

_LITTLE_SPACE_BYTES = 100_000_000
# Schedules go by the server's clock, and people by this one.
_CLOCKS_APART_S = 30.0
_LONG_WAIT_S = 3600.0
_FAULTY_SHOWN = 20
# What a run may load, in radar's package.
_ROOMS_OF_A_RUN = ("launch", "core", "model", "net", "outbox", "delivery", "wrap")


def examine(
    load_config: Callable[[], Config], load_profile: Callable[[], Profile]
) -> Iterator[Remark]:
    """Look for what keeps radar from watching over jobs here. RadarError: no config can be read."""
    yield from _look_at_config()
    directory = state_directory(os.environ)
    yield _look_at_directory(directory)
    yield from _look_at_outbox(Outbox(directory))
    try:
        profile = load_profile()
    except RadarError as error:
        yield Remark("pings", BAD, error.message, error.hint)
    else:
        if profile.server:
            yield from _look_at_server(profile)
        else:
            config = load_config()
            tables = read_channels(config)
            yield from _look_at_store(directory, tables)
            yield from _look_at_channels(config, tables)
    yield _look_at_bytecode()
    yield from _look_at_links()
    yield from look_at_cron(Machine())
    yield from look_at_celery(os.environ)


def _look_at_config() -> Iterator[Remark]:
    findings = find_problems(os.environ)
    if not findings:
        yield Remark("config", GOOD, "nothing to edit")
    for found in findings:
        place = f"{found.file}:{found.line}" if found.line else found.file
        yield Remark("config", BAD, f"{place}: {found.message}", found.hint)


def _look_at_directory(directory: str) -> Remark:
    try:
        os.makedirs(directory, 0o700, exist_ok=True)
        free_bytes = shutil.disk_usage(directory).free
    except OSError as error:
        hint = "RADAR_STATE_DIR names another one"
        return Remark("state", BAD, f"{directory}: {error.strerror}", hint)
    if not os.access(directory, os.W_OK | os.X_OK):
        return Remark("state", BAD, f"{directory} can't be written", "whose is it?")
    if free_bytes < _LITTLE_SPACE_BYTES:
        return Remark(
            "state", BAD, f"{directory}: {free_bytes // 1_000_000} MB are free", "free some space"
        )
    return Remark("state", GOOD, f"{directory} can be written")


def _look_at_outbox(outbox: Outbox) -> Iterator[Remark]:
    spools = [outbox.spool(name) for name in outbox.folder_names() if name != STORE_FOLDER]
    waiting = sorted(name for spool in spools for name in spool.names(WAITING))
    rejected = sum(len(spool.names(REJECTED)) for spool in spools)
    for spool in spools:
        if dropped := read_dropped(spool):
            yield Remark("outbox", BAD, dropped.describe(), "its server was away for long")
    if waiting:
        oldest_s = time.time() - int(waiting[0].partition("-")[0]) / 1e6
        message = f"{len(waiting)} wait, the oldest for {format_duration(max(0.0, oldest_s))}"
        state = BAD if oldest_s > _LONG_WAIT_S else BEWARE
        yield Remark("outbox", state, message, "'radar outbox flush' says why")
    if rejected:
        message = f"{rejected} were refused for good"
        yield Remark("outbox", BEWARE, message, "see 'radar outbox list'")
    if not waiting and not rejected:
        yield Remark("outbox", GOOD, "no ping waits")


def _look_at_store(directory: str, tables: Sequence[ChannelTable]) -> Iterator[Remark]:
    names = {table.name for table in tables}
    try:
        with open_embedded(directory) as store:
            count = sum(store.monitors.count_by_status().values())
            since_us = store.outages.find_neglect(time.time_ns() // 1000)
            faulty = store.monitors.faulty(_FAULTY_SHOWN)
            channels = store.channels.failing(names)
            unheard = list(
                islice(find_unheard(tables, store.monitors.tags_of_each()), _FAULTY_SHOWN)
            )
    except RadarError as error:
        yield Remark("store", BAD, error.message, error.hint)
        return
    yield Remark("store", GOOD, f"{count} monitor{'' if count == 1 else 's'} on this machine")
    yield from _look_at_faults(faulty)
    yield from _look_at_failing(channels, "'radar notify test' tries it")
    if tables and unheard:
        yield _describe_unheard(unheard)
    yield _look_at_checker(since_us, "a crontab's 'radar check --notify' does it, or a server")


def _look_at_failing(channels: Sequence[ChannelHealth], hint: str) -> Iterator[Remark]:
    """The channels that deliver nothing."""
    for health in channels:
        since = local_time(health.failing_us or 0)
        message = f"delivers nothing since {since}: {health.error}"
        yield Remark(f"channel {health.name}", BAD, message, hint)


def _describe_unheard(keys: Sequence[str]) -> Remark:
    message = f"no channel is for {', '.join(keys)}{', ...' if len(keys) >= _FAULTY_SHOWN else ''}"
    return Remark("notices", BAD, message, "no notices of them are sent: see 'radar notify list'")


def _look_at_faults(faulty: Sequence[MonitorRecord]) -> Iterator[Remark]:
    """Look for faults in the declarations of monitors."""
    for known in faulty:
        for fault in known.active_faults:
            state = BAD if fault.kind == BAD else BEWARE
            hint = f"in its line, or 'radar monitors update {known.key}'"
            yield Remark(f"monitor {known.key}", state, fault.message, hint)


def _look_at_checker(since_us: int | None, hint: str) -> Remark:
    """Whether somebody looks for what is missing."""
    if since_us is None:
        return Remark("checker", GOOD, "silence is looked for")
    return Remark("checker", BAD, f"nobody has looked since {local_time(since_us)}", hint)


def _look_at_channels(config: Config, tables: Sequence[ChannelTable]) -> Iterator[Remark]:
    if not tables:
        hint = "'radar config set notify.mail.email you@example.com', then 'radar notify test'"
        yield Remark("notices", BEWARE, "no channel is set up: no notices are sent", hint)
        return
    message = f"{len(tables)} channel{'' if len(tables) == 1 else 's'}"
    yield Remark("notices", GOOD, message, "'radar notify test' tries them")
    yield from (each for table in tables for each in _look_at_templates(table, config))
    away = [name for table in tables for name in _name_sent_away(table)]
    if away and (wrong := find_local_only()):
        message = f"mail to {', '.join(away)} stays on this machine: {wrong}"
        hint = "set that up, or name a server: 'radar config set notify.NAME.smtp smtps://...'"
        yield Remark("mail", BAD, message, hint)


def _name_sent_away(table: ChannelTable) -> list[str]:
    """The addresses of a channel on other machines that go by this machine's own mail system."""
    if table.kind != "email" or {"smtp", "sendmail"} & table.values.keys() or table.fault:
        return []
    return [address for address in table.values["email"] if "@" in address]


def _look_at_templates(table: ChannelTable, config: Config) -> Iterator[Remark]:
    """Try the words of a channel on a notice that is never sent."""
    from radar_cli.notify.notice import rehearse
    from radar_cli.notify.wording import TEMPLATES, compose_text

    if table.fault or not any(name in table.values for name in TEMPLATES):
        return
    tried = compose_text(rehearse("", os.uname().nodename, time.time_ns() // 1000), table, config)
    if tried.remark:
        hint = f"edit notify.{table.name} in {table.file.path}"
        yield Remark(f"channel {table.name}", BEWARE, tried.remark, hint)


def _look_at_server(profile: Profile) -> Iterator[Remark]:
    server = profile.server
    if profile.protocol != "radar":
        yield Remark("server", GOOD, f"{server} speaks {profile.protocol}: it can't be asked")
        return
    from radar_cli.client.connection import Connection, RefusedError, find_address

    try:
        connection = Connection(find_address(profile))
        try:
            status = connection.get("/api/v1/status")
            page = connection.get("/api/v1/monitors", fault=True, limit=_FAULTY_SHOWN)
            faulty = [decode_monitor(entry) for entry in page.get("monitors", ())]
            apart_s = abs(connection.now_us() - time.time_ns() // 1000) / 1e6
        finally:
            connection.close()
    except RefusedError as refused:
        if refused.word == "ACCESS_DENIED":
            yield Remark("server", GOOD, f"{server} answers; the key is for pings alone")
        else:
            yield Remark("server", BAD, refused.message, refused.hint)
        return
    except RadarError as error:
        yield Remark("server", BAD, error.message, error.hint)
        return
    yield Remark("server", GOOD, f"{server}: radar {status['version']}, a key to {status['scope']}")
    if loss := status.get("loss"):
        yield Remark("store", BAD, f"{server}: {loss}")
    yield from _look_at_faults(faulty)
    failing = [decode_channel(each) for each in status.get("failing_channels", ())]
    yield from _look_at_failing(failing, "see the server's log, and 'radar notify log'")
    if unheard := status.get("unheard"):
        yield _describe_unheard(unheard)
    if status.get("channels") == 0:
        hint = "a [notify.NAME] table in the server's config file"
        yield Remark("notices", BEWARE, "the server has no channel, and sends no notices", hint)
    yield _look_at_checker(from_iso(status.get("unlooked_since")), "see the server's log")
    if apart_s > _CLOCKS_APART_S:
        message = f"the server's is {format_duration(apart_s)} from this one"
        yield Remark("clock", BEWARE, message, "is this machine's clock set by the network?")
    else:
        yield Remark("clock", GOOD, "as the server's")


def _look_at_bytecode() -> Remark:
    """Look for modules that each run compiles again: uv compiles none, and not all can write."""
    package = Path(radar_cli.__path__[0])
    sources = [path for room in _ROOMS_OF_A_RUN for path in (package / room).rglob("*.py")]
    missing = [path for path in sources if not _is_compiled(path)]
    if missing and (sys.dont_write_bytecode or not os.access(missing[0].parent, os.W_OK)):
        message = (
            f"{len(missing)} modules in {package} aren't compiled: each run costs twice as much"
        )
        line = shlex.join([sys.executable, "-m", "compileall", "-q", str(package)])
        return Remark("bytecode", BEWARE, message, f"its owner runs {line}")
    return Remark("bytecode", GOOD, f"the modules in {package} are compiled once")


def _is_compiled(source: Path) -> bool:
    """Whether there is bytecode of the source as it is (its header: PEP 552)."""
    try:
        with open(importlib.util.cache_from_source(source), "rb") as file:
            header = file.read(16)
        status = source.stat()
    except OSError:
        return False
    magic, flags, rest = header[:4], header[4:8], header[8:]
    if magic != importlib.util.MAGIC_NUMBER or flags != bytes(4):
        return magic == importlib.util.MAGIC_NUMBER  # by the source's hash, not by its time
    numbers = (int(status.st_mtime), status.st_size)
    return rest == b"".join((n & 0xFFFF_FFFF).to_bytes(4, "little") for n in numbers)


def _look_at_links() -> Iterator[Remark]:
    paths = dict.fromkeys((*known_paths(os.environ), os.path.abspath(sys.argv[0])))
    links = [link for path in paths if (link := _read_link(path)) is not None]
    for link in links:
        yield link if isinstance(link, Remark) else _look_at_link(link)
    if not links:
        hint = "'radar link' writes one: by it, a crontab's jobs run even when radar can't"
        yield Remark("link", GOOD, "there is none", hint)


def _read_link(path: str) -> Link | Remark | None:
    try:
        return read_link(path)
    except OSError as error:
        return Remark("link", BEWARE, f"{path} can't be read: {error.strerror}", "whose is it?")


def _look_at_link(link: Link) -> Remark:
    """Start it as cron would."""
    again = f"'radar link {shlex.quote(link.path)}' writes it anew"
    try:
        version = ask_version(link.path, os.environ)
    except RadarError as error:
        return Remark("link", BAD, f"{link.path}: {error.message}", again)
    except OSError as error:
        message = f"{link.path} can't be started: {error.strerror}"
        return Remark("link", BAD, message, f"chmod 755 {shlex.quote(link.path)}")
    if version != radar_cli.__version__:
        message = f"{link.path} starts radar {version}, and this is {radar_cli.__version__}"
        return Remark("link", BEWARE, message, again)
    return Remark("link", GOOD, f"{link.path} starts radar {version} with {link.python}")
