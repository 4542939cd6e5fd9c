"""`radar recipe`: each file parses, and the calls in it run the job and report it."""

import itertools
import json
import re
import shlex
import subprocess
import venv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from radar_cli.cli.recipes.filling import RECIPES, make_calendar
from radar_cli.model.schedule import CronSchedule
from tests.support.depth import depth
from tests.support.radar import environment, radar_path, run_radar
from tests.support.radar_server import RadarServer, serving
from tests.support.requirements import require_program

# A shell would change each of these words, and so would YAML, systemd, Groovy, Compose and cron.
JOB = ("printf", "[%s]", 'it\'s "$HOME"', "$(id) ${X} $", "50% \\n: #é", "{{ a }}")
OUTPUT = '[it\'s "$HOME"][$(id) ${X} $][50% \\n: #é][{{ a }}]'
SCHEDULE = "5 2 * * *"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RadarServer]:
    with serving(tmp_path_factory.mktemp("server"), is_shared=True) as running:
        yield running


def files(name: str, *words: str, job: tuple[str, ...] = JOB) -> dict[str, str]:
    """The files of the recipe; the monitor's key is the recipe's name."""
    filled = ("--monitor", name, "--schedule", SCHEDULE, *words, "--", *job)
    done = run_radar("--json", "recipe", name, *filled)
    assert (done.returncode, done.stderr) == (0, b"")
    [recipe] = json.loads(done.stdout)["data"]
    return {each["path"]: each["text"] for each in recipe["files"]}


def execute(command: list[str], folder: Path, server: RadarServer, **env: str) -> None:
    """Run it where `radar` is in PATH, and where a venv is expected."""
    for name in ("radar", "bin"):
        (folder / name).mkdir(exist_ok=True)
    if not (folder / "radar/bin").exists():
        (folder / "radar/bin").symlink_to(radar_path().parent)
    given = {"RADAR_SERVER": server.url, "RADAR_API_KEY": server.key, "TMPDIR": str(folder)}
    done = subprocess.run(
        command, env=environment() | given | env, cwd=folder, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def assert_reported(server: RadarServer, monitor: str, url: str = "") -> None:
    with server.store() as store:
        pings = store.pings.newest(monitor, 9)
    [success] = [ping for ping in pings if ping.kind == "success"]
    assert len(pings) == 2
    assert success.body.decode() == OUTPUT
    assert success.fields.get("url", "") == url


def test_a_workflow_of_github_runs_the_job_and_writes_a_summary(
    tmp_path: Path, server: RadarServer
) -> None:
    [(path, text)] = files("github-actions").items()
    assert path == ".github/workflows/github-actions.yml"
    workflow = yaml.safe_load(text)
    assert workflow[True]["schedule"] == [{"cron": SCHEDULE}]  # `on` is a word of YAML's
    [job] = workflow["jobs"].values()
    _, install, run, summary = job["steps"]
    assert install["run"].splitlines()[1].endswith("install --quiet radar-cli")
    steps = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "shop/jobs"}
    steps |= {"GITHUB_RUN_ID": "7", "OUTCOME": "success"}
    steps |= {
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "RADAR_TZ": job["env"]["RADAR_TZ"],
    }
    for step in (run, summary):
        execute(["bash", "-e", "-c", step["run"]], tmp_path, server, **steps)
    assert_reported(server, "github-actions", "https://github.com/shop/jobs/actions/runs/7")
    shown = (tmp_path / "summary.md").read_text()
    assert shown.startswith("### github-actions: success\n```\n")
    assert "the outbox is empty" in shown
    assert summary["if"] == "always()"


def test_a_pipeline_of_gitlab_runs_the_job(tmp_path: Path, server: RadarServer) -> None:
    [(path, text)] = files("gitlab-ci").items()
    assert path == ".gitlab-ci.yml"
    job = yaml.safe_load(text)["run gitlab-ci"]
    [script] = job["script"]
    url = "https://gitlab.example.com/jobs/1"
    execute(["bash", "-e", "-c", script], tmp_path, server, CI_JOB_URL=url, **job["variables"])
    assert_reported(server, "gitlab-ci", url)


def test_a_pipeline_of_jenkins_runs_the_job(tmp_path: Path, server: RadarServer) -> None:
    [(path, text)] = files("jenkins").items()
    assert path == "Jenkinsfile"
    assert text.count("{") == text.count("}")
    assert f"cron('TZ=UTC\\n{SCHEDULE}')" in text
    scripts = re.findall(r"sh '''(.*?)'''", text, re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        plain = re.sub(r"\\(.)", r"\1", script)  # as Groovy reads it
        given = {"WORKSPACE_TMP": str(tmp_path), "BUILD_URL": "https://jenkins.example.com/1/"}
        execute(["sh", "-e", "-c", plain], tmp_path, server, **given)
    assert_reported(server, "jenkins", "https://jenkins.example.com/1/")


def unquote_unit(line: str, folder: Path) -> list[str]:
    """The words of a line as systemd reads them, with its specifiers."""
    words = shlex.split(line)  # no single quote stands alone there
    specifiers = {"%%": "%", "%d": str(folder), "%S": str(folder)}
    return [re.sub("%.", lambda m: specifiers[m[0]], word).replace("$$", "$") for word in words]


def test_a_service_of_systemd_runs_the_job(tmp_path: Path, server: RadarServer) -> None:
    found = files("systemd", "--link", str(radar_path()))
    assert set(found) == {"systemd.service", "systemd.timer"}
    for path, text in found.items():
        (tmp_path / path).write_text(text)
    analyze = [require_program("systemd-analyze"), "verify", str(tmp_path / "systemd.timer")]
    done = subprocess.run(analyze, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "OnCalendar=*-*-* 02:05:00 UTC\n" in found["systemd.timer"]
    lines = dict(re.findall(r"^(ExecStart|LoadCredential)=(.*)", found["systemd.service"], re.M))
    assert lines["LoadCredential"] == "radar-key:/etc/radar/key"
    (tmp_path / "radar-key").write_text(server.key)
    (tmp_path / "radar-key").chmod(0o400)  # as systemd does
    variables = re.findall(r"^Environment=(.*)", found["systemd.service"], re.M)
    env = dict(word.split("=", 1) for each in variables for word in unquote_unit(each, tmp_path))
    env |= {"RADAR_SERVER": server.url}
    execute(unquote_unit(lines["ExecStart"], tmp_path), tmp_path, server, **env)
    assert_reported(server, "systemd")
    assert (tmp_path / "radar-systemd/spool").is_dir()


@pytest.mark.parametrize(
    "schedule",
    [
        *("* * * * *", "*/15 * * * *", "5 2 * * 1-5", "0 4 1,15 * *", "30 6 * jan-mar fri-7"),
        *("0 9-17/2 * * *", "0 0 13 * 5", "0 0 */2 * mon", "59 23 31 dec *"),
    ],
)
def test_a_timer_runs_when_cron_would(schedule: str) -> None:
    base = datetime(2026, 12, 1, 10, 7, 30, tzinfo=UTC)
    analyze = [require_program("systemd-analyze"), "calendar", "--iterations=5"]
    found = [f"{each} UTC" for each in make_calendar(schedule)]
    done = subprocess.run(
        [*analyze, f"--base-time={base:%F %T} UTC", *found],
        env=environment(measured=False),
        capture_output=True,
        text=True,
        check=True,
    )
    times = sorted(set(re.findall(r"(?:elapse|#\d): \w+ ([\d-]+ [\d:]+) UTC", done.stdout)))
    slots = itertools.islice(CronSchedule(schedule).slots_after(base), 5)
    assert times[:5] == [f"{slot:%F %T}" for slot in slots]


def test_an_image_runs_the_job(tmp_path: Path, server: RadarServer) -> None:
    [(path, text)] = files("dockerfile", "--image", "debian:13").items()
    assert path == "Dockerfile"
    assert "\nFROM debian:13\n" in text
    [entry] = re.findall(r"^ENTRYPOINT (.*)", text, re.M)
    [command] = re.findall(r"^CMD (.*)", text, re.M)
    execute([*json.loads(entry), *json.loads(command)], tmp_path, server, RADAR_TZ="UTC")
    assert_reported(server, "dockerfile")


def expand_kubernetes(words: list[str]) -> list[str]:
    assert not any(re.search(r"(?<!\$)\$\(", word) for word in words)
    return [word.replace("$$(", "$(") for word in words]


def test_a_cronjob_runs_the_job(tmp_path: Path, server: RadarServer) -> None:
    [(path, text)] = files("kubernetes").items()
    assert path == "cronjob.yaml"
    job = yaml.safe_load(text)["spec"]
    assert (job["schedule"], job["timeZone"]) == (SCHEDULE, "UTC")
    [container] = job["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    env = {each["name"]: each.get("value") for each in container["env"]}
    assert set(env) >= {"RADAR_API_KEY", "RADAR_SERVER", "RADAR_STATE_DIR", "RADAR_HOST"}
    words = expand_kubernetes(container["command"] + container["args"])
    execute(words, tmp_path, server, RADAR_PING_TIMEOUT=str(env["RADAR_PING_TIMEOUT"]))
    assert_reported(server, "kubernetes")


def test_a_chart_makes_the_same_cronjob() -> None:
    found = files("helm")
    values = yaml.safe_load(found["values.yaml"])
    [(name, job)] = values["jobs"].items()

    def look_up(match: re.Match[str]) -> str:
        value: Any = {"$name": name, "$job": job, "$": {"Values": values}}
        first, *rest = match[1].split(".")
        value = value[first]
        for each in rest:
            value = value[each]
        return json.dumps(value)

    text = re.sub(r"\{\{- (range|end).*\}\}\n?", "", found["templates/cronjobs.yaml"])
    text = re.sub(r"\{\{ (\$[\w.]*)(?: \| (?:quote|toJson))? \}\}", look_up, text)
    made = yaml.safe_load(text)
    [plain] = files("kubernetes").values()
    [ours], [theirs] = (
        each["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        for each in (made, yaml.safe_load(plain))
    )
    assert ours["args"] == theirs["args"]
    assert ours["command"] == [w.replace("kubernetes", "helm") for w in theirs["command"]]
    assert {e["name"] for e in ours["env"]} == {e["name"] for e in theirs["env"]}
    assert made["spec"]["schedule"] == SCHEDULE


def test_compose_has_a_server_and_a_job_that_runs(tmp_path: Path, server: RadarServer) -> None:
    [(path, text)] = files("compose").items()
    assert path == "compose.yaml"
    services = yaml.safe_load(text)["services"]
    assert run_radar(*services["server"]["command"][1:], "--help").returncode == 0
    words = services["job"]["command"]
    assert not any(re.search(r"(?<!\$)\$(?!\$)", word.replace("$$", "")) for word in words)
    execute([word.replace("$$", "$") for word in words], tmp_path, server)
    assert_reported(server, "compose")


def test_a_role_of_ansible_puts_the_job_into_a_crontab(tmp_path: Path, server: RadarServer) -> None:
    # What Ansible itself would read as a template stays one: it is the role's own language.
    job = JOB[:-1]
    found = files("ansible", "--link", str(radar_path()), job=(*job, "x"))
    role = "roles/radar/"
    assert set(found) == {
        *(f"{role}{name}" for name in ("defaults/main.yml", "tasks/main.yml")),
        f"{role}templates/config.toml.j2",
    }
    defaults = yaml.safe_load(found[f"{role}defaults/main.yml"])
    tasks = {each["name"]: each for each in yaml.safe_load(found[f"{role}tasks/main.yml"])}
    cron = tasks["Put the jobs into crontabs"]["ansible.builtin.cron"]
    [item] = defaults["radar_jobs"]
    template = jinja2.Environment(keep_trailing_newline=True).from_string(cron["job"])
    line = template.render(item=item, **defaults)
    assert not re.search(r"(?<!\\)%", line)
    execute(["/bin/sh", "-c", line.replace("\\%", "%")], tmp_path, server)
    with server.store() as store:
        [success] = [p for p in store.pings.newest("ansible", 9) if p.kind == "success"]
    assert success.body.decode() == OUTPUT.replace("[{{ a }}]", "[x]")


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.skipif(not depth(0, 1), reason="installs Ansible: nightly")
def test_ansible_takes_the_role(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv/bin"
    if subprocess.run([programs / "pip", "install", "-q", "ansible-core"], check=False).returncode:
        pytest.skip("Ansible can't be installed here")
    run_radar("recipe", "ansible", "--write", str(tmp_path))
    (tmp_path / "site.yml").write_text("[{hosts: localhost, connection: local, roles: [radar]}]\n")
    play: list[str | Path] = [
        programs / "ansible-playbook",
        "-i",
        "localhost,",
        "-e",
        "radar_api_key=x",
        "site.yml",
    ]
    python = f"ansible_python_interpreter={require_program('python3')}"
    for words in (["--syntax-check"], ["--check", "-e", python]):
        done = subprocess.run(
            [*play, *words],
            cwd=tmp_path,
            env=environment(measured=False),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout.decode()


def test_all_recipes_are_listed() -> None:
    done = run_radar("recipe", text=True)
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == list(RECIPES)


def test_several_files_are_printed_with_their_paths() -> None:
    shown = run_radar("recipe", "systemd", text=True).stdout
    assert re.findall("^# ---- (.*)", shown, re.M) == ["backup.service", "backup.timer"]
    assert "# ----" not in run_radar("recipe", "jenkins", text=True).stdout


def test_files_are_written_into_a_folder_and_over_no_other(tmp_path: Path) -> None:
    words = ("recipe", "github-actions", "--write", str(tmp_path))
    done = run_radar(*words, text=True)
    path = tmp_path / ".github/workflows/backup.yml"
    assert done.stdout == f"{path}\n"
    assert yaml.safe_load(path.read_text())["name"] == "backup"
    path.write_text("mine")
    again = run_radar(*words, text=True)
    assert again.returncode == 2
    assert "there already" in again.stderr
    assert path.read_text() == "mine"
    (tmp_path / "file").touch()
    assert run_radar("recipe", "jenkins", "--write", f"{tmp_path}/file").returncode == 2
    assert run_radar("recipe", "--write", str(tmp_path)).returncode == 2


@pytest.mark.parametrize(
    "words",
    [
        ("none",),
        ("jenkins", "--monitor", "Backup"),
        ("jenkins", "--schedule", "61 * * * *"),
        ("jenkins", "--image", "a b"),
        ("jenkins", "--server", "https://x'"),
        ("jenkins", "--", "a\nb"),
    ],
)
def test_it_refuses_what_cannot_stand_in_the_files(words: tuple[str, ...]) -> None:
    done = run_radar("recipe", *words)
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize("monitor", ["1.5", "a" * 200, "x_y.z-"])
def test_a_job_has_a_name_that_kubernetes_takes(monitor: str) -> None:
    text = run_radar("recipe", "kubernetes", "--monitor", monitor, text=True).stdout
    name = yaml.safe_load(text)["metadata"]["name"]
    assert re.fullmatch("[a-z]([a-z0-9-]{,50}[a-z0-9])?", name)


def test_a_word_that_is_no_recipe_is_named_with_those_that_are() -> None:
    done = run_radar("recipe", "nope", text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("radar: 'nope' is not one of 'github-actions', 'gitlab-ci', ")
