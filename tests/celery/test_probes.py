"""`radar celery probes`: what it prints parses, and each command in it is one of radar's."""

import json
import re
import shlex
from typing import Any

import pytest
import yaml

from radar_cli.celery.findings import Finding
from radar_cli.celery.probes import TIMESTAMP
from radar_cli.cli.celery.formatting import _MEASURED, SERIES_MAX, for_prometheus
from tests.support.radar import run_radar

FILLED = (
    *("-A", "shop.tasks:app", "--queue", "fast", "--queue", "reports.v2", "--image", 'a"b: #c'),
    *("--file", "/run/signs of life", "--schedule", "/data/beat's", "--max-age", "2m"),
)


def text(kind: str, *words: str) -> str:
    done = run_radar("celery", "probes", kind, *words)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def is_understood(command: list[str]) -> bool:
    """Whether radar takes these words: a mistake in them is exit code 2."""
    assert command[:2] == ["radar", "celery"]
    return run_radar(*command[1:], "--help").returncode == 0


@pytest.mark.parametrize("words", [(), FILLED])
def test_the_health_checks_of_docker_are_commands_of_radar(words: tuple[str, ...]) -> None:
    lines = text("docker", *words).splitlines()
    checks = [json.loads(line.partition(" CMD ")[2]) for line in lines if line[:6] == "HEALTH"]
    assert [check[:3] for check in checks] == [["radar", "celery", "alive"]] * 2
    assert ["--beat" in check for check in checks] == [False, True]
    assert all(is_understood(check) for check in checks)
    starts = [json.loads(line[4:]) for line in lines if line.startswith("CMD ")]
    assert [start[0] for start in starts] == ["celery", "celery"]


@pytest.mark.parametrize("words", [(), FILLED])
def test_compose_gets_services_with_health_checks_and_a_check(words: tuple[str, ...]) -> None:
    services = yaml.safe_load(text("compose", *words))["services"]
    assert set(services) == {"celery-worker", "celery-beat", "celery-check"}
    for role in ("worker", "beat"):
        probe = services[f"celery-{role}"]["healthcheck"]["test"]
        assert probe[0] == "CMD"
        assert is_understood(probe[1:])
    assert is_understood(services["celery-check"]["command"])
    assert services["celery-beat"]["scale"] == 1


@pytest.mark.parametrize("words", [(), FILLED])
def test_helm_gets_a_template_of_the_same_deployments(words: tuple[str, ...]) -> None:
    template = text("helm", *words)
    used = set(re.findall(r"\.Values\.celery\.(\w+)", template))
    named = set(re.findall(r"^#     (\w+):", template, re.MULTILINE))
    assert used == named == {"image", "workers", "longestTaskSeconds", "brokerSecret"}
    filled = re.sub(r"\{\{ [.\w| ]+ \}\}", "7", template)
    worker, beat = yaml.safe_load_all(filled)
    assert worker["metadata"]["name"] == "7-worker"
    assert (worker["spec"]["replicas"], beat["spec"]["replicas"]) == (7, 1)
    (container,) = worker["spec"]["template"]["spec"]["containers"]
    assert is_understood(container["livenessProbe"]["exec"]["command"])


@pytest.mark.parametrize("words", [(), FILLED])
def test_kubernetes_gets_deployments_with_probes(words: tuple[str, ...]) -> None:
    worker, beat = yaml.safe_load_all(text("kubernetes", *words))
    assert (worker["kind"], beat["kind"]) == ("Deployment", "Deployment")
    assert (beat["spec"]["replicas"], beat["spec"]["strategy"]) == (1, {"type": "Recreate"})
    for manifest, kinds in (
        (worker, {"startupProbe", "readinessProbe", "livenessProbe"}),
        (beat, {"startupProbe", "livenessProbe"}),
    ):
        assert re.fullmatch("[a-z0-9-]+", manifest["metadata"]["name"])
        labels = manifest["spec"]["template"]["metadata"]["labels"]
        assert manifest["spec"]["selector"]["matchLabels"] == labels
        (container,) = manifest["spec"]["template"]["spec"]["containers"]
        probes: dict[str, Any] = {name: container[name] for name in container if "Probe" in name}
        assert set(probes) == kinds
        assert all(is_understood(probe["exec"]["command"]) for probe in probes.values())
        if words:
            assert container["image"] == 'a"b: #c'
            files = [each.get("value") for each in container["env"] if "ALIVE" in each["name"]]
            assert files == ["/run/signs of life"]
            assert "/run/signs of life" in probes["livenessProbe"]["exec"]["command"]


@pytest.mark.parametrize("words", [(), FILLED])
def test_prometheus_gets_rules_on_what_radar_reports(words: tuple[str, ...]) -> None:
    written = text("prometheus", *words)
    (group,) = yaml.safe_load(written)["groups"]
    known = {f"radar_celery_{name}" for each in _MEASURED.values() for _, name, _ in each}
    known |= {"radar_celery_ok", "radar_celery_finding_ok", TIMESTAMP}
    assert {rule["labels"]["severity"] for rule in group["rules"]} == {"critical", "warning"}
    [stopped] = [rule for rule in group["rules"] if rule["alert"] == "CeleryCheckStopped"]
    assert stopped["expr"] == f"time() - {TIMESTAMP} > 300"
    for rule in group["rules"]:
        assert set(re.findall(r"radar_celery_\w+", rule["expr"])) <= known
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"])
    line = next(line for line in written.splitlines() if "radar celery check" in line)
    check = line.partition("radar celery")[2].partition(" >")[0]
    assert is_understood(["radar", "celery", *shlex.split(check)])
    if words:
        assert '{queue=~"fast|reports\\\\.v2"}' in group["rules"][-1]["expr"]


def test_what_would_break_out_of_its_line_is_refused() -> None:
    assert run_radar("celery", "probes", "docker", "--image", "a\nRUN true").returncode == 2
    assert run_radar("celery", "probes", "docker", "--max-age", "soon").returncode == 2
    assert run_radar("celery", "probes").returncode == 2


def test_no_label_is_without_bound() -> None:
    many = [Finding("schedule", f"entry {n}", "ok", "due") for n in range(SERIES_MAX * 2)]
    text = for_prometheus([*many, Finding("schedule", "late one", "bad", "overdue")]).text
    assert text is not None
    assert text.count("radar_celery_finding_ok{") == SERIES_MAX
    assert '{layer="schedule",subject="late one"} 0' in text
    assert f'radar_celery_findings{{layer="schedule",state="ok"}} {SERIES_MAX * 2}' in text
    assert f"\n{TIMESTAMP} " in text
