"""Broken URLs of brokers, and servers in a bad state: each is told by its true cause.

No part of a password is ever printed.
"""

import contextlib
import shlex
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from radar_cli.celery.check.expected import Expected
from radar_cli.celery.check.verdict import check
from radar_cli.celery.project import Project
from radar_cli.core.errors import RadarError
from tests.support import docs, hanging, redis
from tests.support.celery_app import Worker
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.rabbitmq import Rabbitmq
from tests.support.redis import Redis
from tests.support.waiting import wait_until

_SECRETS = ("s3cr", "p/ss", "pa/s", "ss@h", "'pa'", "w#rd", "w0rd")


class Case(NamedTuple):
    """A URL, and the words that have to stand in what is said of it and in the hint."""

    url: str
    said: str
    hint: str = ""


_URLS = [
    Case("redis://:pa/ss@host", "its password holds a character", "percent-encode it"),
    Case("redis://:p#ss@host/0", "its password holds a character", "%23"),
    Case("redis://user:s3cr?t@host/0", "its password holds a character", "%3F"),
    Case("amqp://user:w#rd@host//", "its password holds a character", "percent-encode"),
    Case("amqp://user:s3cr et@host//", "holds a space", "percent-encode"),
    Case("redis://pa/ss@host", "its password holds a character", "percent-encode"),
    Case("redis://:s3cret@host:63x9/0", "its port is no number", "a URL, as in"),
    Case("redis://:s3cret@host:99999/0", "port out of range", "a URL, as in"),
    Case("redis://[::1/0", "invalid ipv6 url", "a URL, as in"),
    Case("redis://ho st/0", "its host holds a space", "a URL, as in"),
    Case("redis://host/zero", "a database of Redis is a number", "redis://localhost:6379/0"),
    Case("redis://:s3cret@host?db=0", "no parameter 'db'", "stands behind the host"),
    Case("redis://host/0?retries=3", "no parameter 'retries'", "broker_transport_options"),
    Case("rediss://host/0?ssl_cert_reqs=CERT_MAYBE", "bad value of its parameter 'ssl_cert_reqs'"),
    Case("kafka://host", "needs packages", "pip install 'kombu[confluentkafka]'"),
    Case("confluentkafka://host", "needs packages", "kombu[confluentkafka]"),
    Case("gcpubsub://host", "needs packages", "kombu[gcpubsub]"),
    Case("sqs://key:s3cret@host", "needs packages", "kombu[sqs]"),
    Case("azureservicebus://host", "needs packages", "kombu[azureservicebus]"),
    Case("mongodb://host", "needs packages", "kombu[mongodb]"),
    Case("sqla+sqlite:///x", "needs packages", "kombu[sqlalchemy]"),
    Case("zookeeper://host", "needs packages", "kombu[zookeeper]"),
    Case("qpid://host", "needs packages", "kombu[qpid]"),
    Case("foo://x", "bad broker with scheme 'foo'", "kombu knows none"),
    Case("https://host/", "bad broker with scheme 'https'", "kombu knows none"),
    Case("localhost:6379", "bad broker 'localhost:6379'", "a URL, as in"),
    Case("redis:/:s3cret@host/0", "bad broker that holds a password", "a URL, as in"),
    Case("amqp://radar:s3cret@host:15672//", "the port of RabbitMQ's management", "5672"),
    Case("sentinel://127.0.0.1:1", "a sentinel needs master_name", "broker_transport_options"),
    Case("redis+socket:///nowhere/redis.sock", "no such socket", "start the broker"),
    Case("redis://:s3cr%2Ft@nowhere.invalid/0", "no address for nowhere.invalid", "DNS"),
]


def judge(url: str, **options: object) -> tuple[str, str, str]:
    """The state, the words and the hint of a check of that broker."""
    try:
        findings = check(Project(url, options), Expected(), timeout_s=6.0)
    except RadarError as error:
        return "usage", error.message, error.hint
    wrong = [each for each in findings if each.layer == "broker" and each.state != "ok"]
    assert wrong, findings
    return wrong[0].state, f"{wrong[0].subject}: {wrong[0].message}", wrong[0].hint


@pytest.mark.parametrize("case", _URLS, ids=lambda case: case.url.replace("/", "_"))
def test_a_bad_url_is_told_with_what_to_edit_and_no_password(case: Case) -> None:
    _, said, hint = judge(case.url)
    assert case.said in said
    assert case.hint in hint
    assert not [part for part in _SECRETS if part in said + hint], said


def answering(line: bytes) -> Callable[[socket.socket], None]:
    """A server that greets every command with one line."""

    def behave(client: socket.socket) -> None:
        with client:
            while client.recv(65_536):
                client.sendall(line + b"\r\n")

    return behave


_ANSWERS = {
    "loading": (b"-LOADING Redis is loading the dataset in memory", "it loads its data", "bad"),
    "moved": (b"-MOVED 3999 127.0.0.1:6381", "a node of a Redis Cluster", "bad"),
    "misconf": (b"-MISCONF Errors writing to the AOF file: No space left", "can't save", "bad"),
    "busy": (b"-BUSY Redis is busy running a script", "busy with a script", "bad"),
    "denied": (b"-DENIED Redis is running in protected mode", "protected mode", "unknown"),
    "noreplicas": (b"-NOREPLICAS Not enough good replicas to write.", "replicas", "bad"),
    "http": (b"HTTP/1.1 400 Bad Request", "no Redis", "unknown"),
    "ssh": (b"SSH-2.0-OpenSSH_9.2", "no Redis", "unknown"),
}


@pytest.mark.parametrize("name", _ANSWERS)
def test_what_a_server_answers_is_its_cause(name: str) -> None:
    line, words, state = _ANSWERS[name]
    with hanging.listening(answering(line)) as port:
        found = judge(f"redis://:s3cret@127.0.0.1:{port}/0")
    assert (found[0], words in found[1]) == (state, True), found
    assert "s3cret" not in "".join(found)


def test_redis_in_each_bad_state_is_told_by_it() -> None:
    acl = ["--user", "default", "on", "nopass", "~*", "&*", "+ping", "+select", "+client", "+info"]
    with contextlib.ExitStack() as stack:

        def run(*options: str) -> Redis:
            return stack.enter_context(redis.running(*options))

        primary = run()
        lost = run("--replicaof", f"127.0.0.1 {free_port()}", "--replica-serve-stale-data", "no")
        table = {
            "it wants a password": run("--requirepass", "s3cret").url(),
            "its user may not do that": run(*acl).url(),
            "its cluster is down": run("--cluster-enabled", "yes").url(),
            "a replica, which takes no": run("--replicaof", f"127.0.0.1 {primary.port}").url(),
            "a replica that has lost its primary": lost.url(),
            "its memory is full": run("--maxmemory", "1").url(),
            "too many clients": run("--maxclients", "1").url(),
            "no database of that number": primary.url(999),
            "doesn't speak TLS": primary.url().replace("redis:", "rediss:"),
            "no AMQP broker, but a Redis": primary.url().replace("redis:", "amqp:"),
        }
        crowd = int(table["too many clients"].rpartition(":")[2].partition("/")[0])
        stack.enter_context(socket.create_connection(("127.0.0.1", crowd)))
        found = {words: judge(url) for words, url in table.items()}
    wrong = {words: said for words, (_, said, _) in found.items() if words not in said}
    assert not wrong


def test_a_sentinel_without_the_primary_says_so(tmp_path: Path) -> None:
    conf = tmp_path / "sentinel.conf"
    with redis.running() as primary:
        conf.write_text(f"sentinel monitor shop 127.0.0.1 {primary.port} 1\n")
        port = free_port()
        conf.write_text(conf.read_text() + f"port {port}\nbind 127.0.0.1\n")
        with redis.sentinel(conf, port):
            url = f"sentinel://127.0.0.1:{port}"
            assert "know no primary of that name" in judge(url, master_name="other")[1]
            findings = check(
                Project(url, {"master_name": "shop"}), Expected(worker_count=0), timeout_s=6.0
            )
            assert findings[0].state == "ok", findings
    assert judge(f"sentinel://127.0.0.1:{free_port()}", master_name="shop")[0] != "ok"


def test_a_certificate_that_nobody_verifies_is_told(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).server_files(tmp_path)
    port = free_port()
    options = ("--tls-port", str(port), "--tls-cert-file", str(certificate))
    with redis.running(*options, "--tls-key-file", str(key), "--tls-auth-clients", "no"):
        findings = check(Project(f"rediss://localhost:{port}/0"), Expected(), timeout_s=6.0)
        assert findings[0].state == "ok"
        assert "its certificate isn't verified" in findings[0].message
        assert "ssl_cert_reqs=CERT_REQUIRED" in findings[0].hint
        strict = f"rediss://localhost:{port}/0?ssl_cert_reqs=CERT_REQUIRED"
        assert "its certificate isn't trusted" in judge(strict)[1]
        trusted = f"{strict}&ssl_ca_certs={tmp_path}/ca.pem"
        findings = check(Project(trusted), Expected(), timeout_s=6.0)
        assert (findings[0].state, findings[0].hint) == ("ok", ""), findings


@pytest.mark.slow
def test_rabbitmq_in_each_bad_state_is_told_by_it(rabbitmq_server: Rabbitmq) -> None:
    for name, rights in (("nobody", None), ("reader", ("^$", "^$", ".*"))):
        rabbitmq_server.control("add_user", name, "s3cret")
        if rights is not None:
            rabbitmq_server.control("set_permissions", "-p", "v0", name, *rights)
    server = rabbitmq_server
    table = {
        "it refuses user or password": server.url("v0", login="radar:w0rd"),
        "it has no such vhost": server.url("nowhere"),
        "its user may not use that vhost": server.url("v0", login="nobody:s3cret"),
        "its user may not do that": server.url("v0", login="reader:s3cret"),
        "no Redis, but an AMQP broker": server.url("v0")
        .replace("amqp:", "redis:")
        .replace("/v0", "/0"),
    }
    found = {words: judge(url) for words, url in table.items()}
    assert not {words: said for words, (_, said, _) in found.items() if words not in said}
    assert "s3cret" not in str(found)
    assert "w0rd" not in str(found)


@pytest.mark.slow
def test_an_alarm_of_rabbitmq_is_the_brokers_fault(rabbitmq_server: Rabbitmq) -> None:
    url = rabbitmq_server.url()
    rabbitmq_server.control("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        findings = check(Project(url), Expected(), timeout_s=6.0)
    finally:
        rabbitmq_server.control("set_vm_memory_high_watermark", "0.4")
    [alarm] = [each for each in findings if each.layer == "broker" and each.state != "ok"]
    assert alarm.state == "bad"
    assert "takes no messages: low on memory" in alarm.message
    assert "rabbitmqctl status" in alarm.hint
    # The workers are silent through no fault of theirs.
    assert {each.state for each in findings if each.layer != "broker"} == {"unknown"}, findings


def documented(starts: str) -> str:
    """The line of the guide that starts so."""
    lines = docs.page("guides/celery").splitlines()
    return next(line for line in lines if line.startswith(starts))


@pytest.mark.slow
def test_a_user_with_the_rights_of_the_guide_is_enough(
    rabbitmq_server: Rabbitmq, tmp_path: Path
) -> None:
    words = documented("ACL SETUSER radar ").replace(">PASSWORD", ">s3cret").split()[2:]
    rights = shlex.split(documented("rabbitmqctl set_permissions "))[5:]
    rabbitmq_server.control("add_user", "monitor", "s3cret")
    rabbitmq_server.control("set_permissions", "-p", "v1", "monitor", *rights)
    with redis.running("--user", *words) as server:
        urls = {
            server.url(): server.url(login="radar:s3cret@"),
            rabbitmq_server.url("v1"): rabbitmq_server.url("v1", login="monitor:s3cret"),
        }
        for number, (url, limited) in enumerate(urls.items()):
            worker = Worker(url, tmp_path, name=f"w{number}").wait()
            expected = Expected(queues=("celery",), workers=(worker.node,))

            def look(limited: str = limited, expected: Expected = expected) -> bool:
                findings = check(Project(limited), expected, timeout_s=6.0, memory=tmp_path)
                return {each.state for each in findings} == {"ok"}

            wait_until(look, 40, f"all is well for {limited.partition(':')[0]}")
