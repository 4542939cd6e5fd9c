"""The server behind a real nginx and a real Caddy, configured as the guide has it."""

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from radar_cli.model.run import Origin
from tests.server.pages.visitor import Visitor, addresses, close_all
from tests.support import docs, processes
from tests.support.certificates import Authority
from tests.support.chromium import chromium
from tests.support.ports import free_port
from tests.support.radar import environment, run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.waiting import wait_until

# They need nginx or Caddy, which `tests/run` doesn't install: Debian's packages start servers.
pytestmark = [pytest.mark.slow, pytest.mark.nightly]

_HOST = "radar.example.com"
_CLIENT = "127.0.0.2"  # another address than the proxy's own
_SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture(params=["nginx", "nginx /radar", "Caddy", "Caddy /radar"])
def reached(
    request: pytest.FixtureRequest, tmp_path: Path, authority: Authority
) -> Iterator[tuple[RadarServer, str]]:
    """A server, and the URL by which a proxy makes it known."""
    name, _, path = request.param.partition(" ")
    program = shutil.which(name.lower(), path=_SYSTEM_PATH)
    if program is None:
        pytest.skip(f"{name} is not installed")
    port = free_port()
    options = _documented_options(path)
    with serving(tmp_path / "state", *options) as server:
        configure = _configure_nginx if name == "nginx" else _configure_caddy
        words = configure(tmp_path, path, port, server.port, authority)
        with _running(program, words, tmp_path, f"https://localhost:{port}", authority):
            yield server, f"https://localhost:{port}{path}"
            close_all()


def test_the_whole_command_line_works_through_it(
    reached: tuple[RadarServer, str], authority: Authority
) -> None:
    server, url = reached
    env = environment(SSL_CERT_FILE=str(authority.ca_file))
    login = run_radar("login", url, "--key", "-", stdin=server.key.encode(), env=env)
    assert login.returncode == 0, login.stderr
    run = run_radar(
        "run", "job", "--every", "1h", "--", "sh", "-c", "echo no space; exit 3", env=env
    )
    assert (run.returncode, run.stderr) == (3, b"")
    assert "no space" in run_radar("status", env=env, text=True).stdout
    assert run_radar("outbox", "list", env=env, text=True).stdout == ""
    # More than nginx takes by itself (1 MB): its end arrives, in the first request.
    long = run_radar(
        *("run", "long", "--every", "1h", "--tail", "3M", "-c"),
        "yes line | head -c 3000000; echo the end",
        env=env,
    )
    assert long.returncode == 0, long.stderr
    assert run_radar("monitors", "output", "long", env=env, text=True).stdout.endswith("the end\n")


def test_a_body_of_any_length_is_taken(
    reached: tuple[RadarServer, str], authority: Authority
) -> None:
    server, url = reached
    with _client(url, authority) as client:
        answer = client.post(
            "/ping/job?create=1",
            content=b"x" * 3_000_000 + b"the end",
            headers={"Authorization": f"Bearer {server.key}"},
        )
    assert answer.status_code == 200, answer.text
    kept = server.request("GET", "/api/v1/monitors/job/runs/last/output").content
    assert kept.endswith(b"x" * 1000 + b"the end")


def test_a_ping_comes_from_the_client_whatever_it_claims(
    reached: tuple[RadarServer, str], authority: Authority
) -> None:
    server, url = reached
    headers = {"Authorization": f"Bearer {server.key}", "X-Forwarded-For": "6.6.6.6"}
    with _client(url, authority) as client:
        assert client.post("/ping/job?create=1", headers=headers).status_code == 200
    with server.store() as store:
        (ping,) = store.pings.newest("job", 9)
    assert isinstance(ping.origin, Origin)
    assert ping.origin.address == _CLIENT


def test_the_pages_work_by_the_name_that_people_use(
    reached: tuple[RadarServer, str], authority: Authority
) -> None:
    server, url = reached
    server.ping("job", b"well\n", create="1")
    visitor = Visitor(
        url,
        verify=authority.client_context(),
        follow_redirects=False,
        headers={"Host": _HOST, "Origin": f"https://{_HOST}"},
    )
    entered = visitor.log_in(server.key)
    assert entered.status_code == 303, entered.text
    assert "secure" in entered.headers["set-cookie"].lower()
    # What a page in a browser asks for every few seconds is the page itself.
    for _ in range(2):
        page = visitor.get("/monitors/job")
        assert page.status_code == 200
        assert "well" in page.text
    local = [each for each in addresses(page.text) if each.startswith("/")]
    assert local
    assert all(each.startswith(f"{url.removeprefix(_origin(url))}/") for each in local)
    shown = visitor.post("/monitors/job/ping-url").text
    address = re.search(rf"https://{_HOST}[^ )<]*/ping/[0-9a-f-]+", shown)
    assert address is not None
    assert address[0].startswith(f"https://{_HOST}{url.removeprefix(_origin(url))}/ping/")


def test_a_browser_logs_in_and_sees_the_pages_refresh(
    reached: tuple[RadarServer, str], tmp_path: Path
) -> None:
    server, url = reached
    server.ping("job", b"well\n", create="1")
    port = _origin(url).rpartition(":")[2]
    options = (
        *(f"--host-resolver-rules=MAP {_HOST}:443 127.0.0.1:{port}", "--no-proxy-server"),
        "--ignore-certificate-errors",
    )
    with chromium(tmp_path / "chromium", *options) as page:
        page.open(f"https://{_HOST}{url.removeprefix(_origin(url))}/monitors/job")
        page.wait("location.pathname.endsWith('/login')")
        page.evaluate(f"document.querySelector('input[name=key]').value = {server.key!r}")
        page.evaluate("document.querySelector('input[name=key]').form.requestSubmit()")
        page.wait("document.querySelector('.sentence strong')?.textContent === 'up'")
        page.evaluate("window.isSame = true")
        server.ping("job/fail", b"boo\n", exit="7")
        page.wait("document.querySelector('.sentence strong').textContent === 'down'")
        assert page.evaluate("window.isSame")
        assert page.evaluate("document.querySelector('#live').textContent") == "live"
        assert page.complaints == []


def test_another_host_is_refused(reached: tuple[RadarServer, str], authority: Authority) -> None:
    _, url = reached
    with _client(url, authority) as client:
        answer = client.get("/login", headers={"Host": "evil.example"})
    assert "<form" not in answer.text


def _origin(url: str) -> str:
    """Return scheme, host and port of a URL."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _client(url: str, authority: Authority) -> httpx.Client:
    """A client of another address, as one elsewhere has."""
    transport = httpx.HTTPTransport(verify=authority.client_context(), local_address=_CLIENT)
    return httpx.Client(base_url=url, transport=transport, trust_env=False, timeout=30)


def _documented_options(path: str) -> list[str]:
    """The options of `radar server` that the guide starts it with."""
    page = docs.page("guides/reverse-proxy")
    line = next(line for line in page.splitlines() if line.startswith("radar server --public-url"))
    words = line.split()[2:]
    if path:
        more = re.search(r"`(--public-url \S+ --root-path \S+)`", page)
        assert more is not None
        words += more[1].split()
    return words


def _blocks(below: str) -> list[str]:
    """The blocks of the guide below a heading."""
    section = docs.page("guides/reverse-proxy").partition(f"\n## {below}\n")[2]
    return re.findall(
        r"^```\w*\n(.*?)^```$", section.partition("\n## ")[0], re.DOTALL | re.MULTILINE
    )


def _configure_nginx(
    folder: Path, path: str, port: int, behind: int, authority: Authority
) -> list[str]:
    (block,) = _blocks("nginx")
    if path:
        location = next(each for each in _blocks("Below a path") if "proxy_pass" in each)
        block = re.sub(
            r"    location / \{.*?\n    \}\n", lambda _: location, block, flags=re.DOTALL
        )
    certificate, key = authority.server_files(folder)
    block = re.sub(r"(ssl_certificate +)\S+;", rf"\g<1>{certificate};", block)
    block = re.sub(r"(ssl_certificate_key +)\S+;", rf"\g<1>{key};", block)
    block = block.replace(_HOST, f"{_HOST} localhost").replace(
        "listen 443", f"listen 127.0.0.1:{port}"
    )
    block = block.replace("127.0.0.1:8321", f"127.0.0.1:{behind}")
    for each in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
        block = f"{'client_body' if each == 'body' else each}_temp_path {folder}/{each};\n{block}"
    user = "user root;\n" if os.geteuid() == 0 else ""
    file = folder / "nginx.conf"
    file.write_text(
        f"{user}daemon off;\npid {folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{block}}}\n"
    )
    return ["-c", str(file), "-p", str(folder), "-e", "stderr"]


def _configure_caddy(
    folder: Path, path: str, port: int, behind: int, authority: Authority
) -> list[str]:
    blocks = _blocks("Below a path" if path else "Caddy")
    block = next(each for each in blocks if "reverse_proxy" in each)
    certificate, key = authority.server_files(folder)
    names = f"https://{_HOST}:{port}, https://localhost:{port} {{\n    tls {certificate} {key}\n"
    block = block.replace(f"{_HOST} {{\n", names)
    block = block.replace("127.0.0.1:8321", f"127.0.0.1:{behind}")
    file = folder / "Caddyfile"
    file.write_text(f"{{\n    admin off\n    auto_https off\n}}\n{block}")
    return ["run", "--adapter", "caddyfile", "--config", str(file)]


@contextlib.contextmanager
def _running(
    program: str, words: list[str], folder: Path, url: str, authority: Authority
) -> Iterator[None]:
    """Run a proxy until the end of the block; it is there when it answers."""
    log = folder / "proxy.log"
    env = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with log.open("wb") as out:
        started = processes.remember(
            subprocess.Popen([program, *words], env=env, stdout=out, stderr=out)
        )

    def answers() -> bool:
        assert started.poll() is None, log.read_text()
        with contextlib.suppress(httpx.TransportError):
            httpx.get(url, verify=authority.client_context(), trust_env=False)
            return True
        return False

    try:
        wait_until(answers, 20, f"{program} answers", every_s=0.05)
        yield
    finally:
        started.terminate()
        started.wait(30)
