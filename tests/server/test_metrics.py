"""`/metrics`: what it counts, and that the alert rules and the dashboard ask for what is there."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from radar_cli.server.api.health import MONITORS_LISTED
from radar_cli.server.runtime.guards import classify
from tests.support.radar import run_radar
from tests.support.radar_server import RadarServer

_DOCS = Path(__file__).parent.parent.parent / "docs"
_RULES = _DOCS / "prometheus" / "radar.rules.yml"
_DASHBOARD = _DOCS / "grafana" / "radar.json"
_NAME = re.compile(r"\bradar_[a-z_]+")
_SAMPLE = re.compile(r'(radar_[a-z_]+)(\{(?:[a-z]+="[^"]*",?)+\})? -?[0-9][0-9.e+-]*')


def _scrape(server: RadarServer, key: str | None = None) -> list[str]:
    answer = server.request("GET", "/metrics", key=key)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    known: set[str] = set()
    for line in lines:
        if line.startswith("# TYPE "):
            known.add(line.split()[2])
        elif not line.startswith("#"):
            match = _SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] in known, line
    assert len(set(lines)) == len(lines)
    return lines


@pytest.fixture
def used(server: RadarServer) -> RadarServer:
    """A server with a monitor that went well and then failed, and a late one."""
    server.ping("job", schedule="@daily", duration="12.5", ts="1790000000", exit="0", id="1")
    server.ping("job/fail", schedule="@daily", duration="2", ts="1790000060", exit="9", id="2")
    ago = str(int(time.time()) - 600)
    server.ping("db-late", every="60", gracePeriod="86400", ts=ago, id="3")
    server.ping("stranger/start")
    return server


def test_each_monitor_has_its_status_its_last_success_and_duration(used: RadarServer) -> None:
    lines = _scrape(used)
    for line in (
        'radar_monitor_status{monitor="job",status="down"} 1',
        'radar_monitor_up{monitor="job"} 0',
        'radar_monitor_last_success_timestamp_seconds{monitor="job"} 1790000000',
        'radar_monitor_last_run_timestamp_seconds{monitor="job"} 1790000060',
        'radar_monitor_last_run_duration_seconds{monitor="job"} 2',
        'radar_monitor_last_run_exit_code{monitor="job"} 9',
        'radar_monitor_status{monitor="db-late",status="late"} 1',
        "radar_monitors_unlisted 0",
        "radar_store_lost 0",
    ):
        assert line in lines


def test_a_key_for_some_monitors_hears_of_no_others(used: RadarServer) -> None:
    words = ("server", "keys", "create", "--scope", "read", "--monitor", "db-*")
    key = run_radar(*words, env=used.environment(), text=True).stdout.strip()
    lines = _scrape(used, key)
    assert {m[1] for line in lines if (m := re.search(r'monitor="([^"]*)"', line))} == {"db-late"}
    assert not [line for line in lines if line.startswith(("radar_requests", "radar_pings"))]


def test_requests_are_counted_by_few_labels_whatever_clients_make_up(used: RadarServer) -> None:
    for number in range(20):
        used.request("GET", f"/{number}/made-up", key="")
        used.request("GET", f"/api/v1/monitors/made-up-{number}")
    used.request("PURGE", "/ping/job")
    used.request("GET", "/ping/job", key="ck_app_wrong_key")
    used.request("GET", "/", key="")
    counted = {
        line.rpartition(" ")[0]: int(line.rpartition(" ")[2])
        for line in _scrape(used)
        if line.startswith("radar_requests_total{")
    }
    said = "radar_requests_total{{method={},route={},status={}}}".format
    assert counted[said('"GET"', '"other"', '"404"')] == 20
    assert counted[said('"GET"', '"api"', '"404"')] == 20
    assert counted[said('"other"', '"ping"', '"405"')] == 1
    assert counted[said('"GET"', '"ping"', '"401"')] == 1
    assert counted[said('"GET"', '"page"', '"303"')] == 1
    assert counted[said('"POST"', '"ping"', '"200"')] == 3
    assert len(counted) < 12


def test_a_routes_kind_is_the_first_word_of_its_path() -> None:
    assert classify("GET", "/metrics") == ("GET", "metrics")
    assert classify("PURGE", "/ping/x/y") == ("other", "ping")
    assert classify("GET", "//ping/x") == ("GET", "page")
    assert classify("GET", "/pings") == ("GET", "other")


def test_monitors_beyond_the_most_are_counted(server: RadarServer) -> None:
    rows = [(f"many-{number:05}", 1) for number in range(MONITORS_LISTED + 7)]
    with server.store() as store, store.database.change() as change:
        change.execute_many(
            "INSERT INTO monitor (key, declared, created_us, judged) VALUES (?, '{}', ?, '')", rows
        )
    lines = _scrape(server)
    assert "radar_monitors_unlisted 7" in lines
    assert len([line for line in lines if line.startswith("radar_monitor_up{")]) == MONITORS_LISTED


def _expressions() -> dict[str, list[str]]:
    """What the rules and the panels ask for."""
    rules = yaml.safe_load(_RULES.read_text())
    board: dict[str, Any] = json.loads(_DASHBOARD.read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    variables = [each["query"]["query"] for each in board["templating"]["list"][1:]]
    return {
        "rules": [rule["expr"] for group in rules["groups"] for rule in group["rules"]],
        "dashboard": asked + variables,
    }


@pytest.mark.parametrize("where", ["rules", "dashboard"])
def test_what_they_ask_for_is_told(used: RadarServer, where: str) -> None:
    told = {line.split()[2]: line for line in _scrape(used) if line.startswith("# TYPE ")}
    labels: dict[str, set[str]] = {}
    for line in _scrape(used):
        labels.setdefault(re.split(r"[{ ]", line)[0], set()).update(re.findall(r'(\w+)="', line))
    for expression in _expressions()[where]:
        names = _NAME.findall(expression)
        assert names or expression.startswith("up{"), expression
        assert told.keys() >= set(names), expression
        for name, chosen in re.findall(r"\b(radar_\w+)\{([^}]*)\}", expression):
            assert labels[name] >= set(re.findall(r"(\w+)\s*=", chosen)), expression


def test_each_alert_says_what_it_means() -> None:
    rules = yaml.safe_load(_RULES.read_text())
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in alerts}) == len(alerts)
    for rule in alerts:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"]["summary"]
    if promtool := shutil.which("promtool"):
        subprocess.run([promtool, "check", "rules", _RULES], check=True, timeout=60)


def test_the_panels_dont_overlap() -> None:
    board = json.loads(_DASHBOARD.read_text())
    places = [panel["gridPos"] for panel in board["panels"]]
    taken = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in board["panels"]}) == len(places)
