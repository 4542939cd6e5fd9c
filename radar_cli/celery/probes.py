"""Probes and alert rules to paste, as text: of Docker, Compose, Kubernetes, Helm and Prometheus.

Every value that a person gives is written as JSON writes it, which YAML and Dockerfiles read alike.
"""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

_DEFAULT_MAX_AGE = "60s"
# When the check that wrote them looked, among its metrics.
TIMESTAMP = "radar_celery_check_timestamp_seconds"
_WARNING = "warning"


@dataclass(frozen=True)
class Deployment:
    """The values to fill in; `file` holds the signs of life, if it isn't the default one."""

    app: str = "APP"
    queues: tuple[str, ...] = ()
    image: str = "IMAGE"
    file: str = ""
    schedule: str = "celerybeat-schedule"
    max_age: str = _DEFAULT_MAX_AGE
    max_depth: int = 1000

    @property
    def name(self) -> str:
        """The app's name as Kubernetes takes one."""
        return re.sub("[^a-z0-9]+", "-", self.app.lower()).strip("-") or "celery"

    @property
    def worker(self) -> list[str]:
        """The command of a worker."""
        words = ["celery", "-A", self.app, "worker"]
        return [*words, "-Q", ",".join(self.queues)] if self.queues else words

    @property
    def beat(self) -> list[str]:
        """The command of Beat."""
        return ["celery", "-A", self.app, "beat", "-s", self.schedule]

    def alive(self, *more: str) -> list[str]:
        """The command of a liveness probe."""
        words = ["radar", "celery", "alive", *more]
        if self.file:
            words += ["--file", self.file]
        return [*words, "--max-age", self.max_age] if self.max_age != _DEFAULT_MAX_AGE else words

    @property
    def ready(self) -> list[str]:
        """The command of a worker's readiness probe, which asks the broker."""
        words = ["radar", "celery", "ready"]
        return words + [word for queue in self.queues for word in ("--queue", queue)]


def compose_docker(deployment: Deployment) -> str:
    """HEALTHCHECK instructions: one for a worker's image, one for Beat's."""
    check = "HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD"
    return (
        f"# a worker's image; the app calls radar_cli.celery.install_heartbeat(app)\n"
        f"{check} {json.dumps(deployment.alive())}\n"
        f"CMD {json.dumps(deployment.worker)}\n"
        f"\n"
        f"# Beat's image\n"
        f"{check} {json.dumps(deployment.alive('--beat'))}\n"
        f"CMD {json.dumps(deployment.beat)}"
    )


def compose_compose(deployment: Deployment) -> str:
    """Services of a compose.yaml: workers, the one Beat, and a check that reports every minute."""
    queues = [word for queue in deployment.queues for word in ("--queue", queue)]
    # Each container has its own /data; what a check remembers outlives it there.
    check = [
        *("radar", "celery", "check", *queues, "--beat", deployment.schedule),
        *("--watch", "--interval", "60s", "--monitor", f"{deployment.name}-celery"),
    ]
    lines = [
        "# The app calls radar_cli.celery.install_heartbeat(app).",
        "services:",
        *_service(deployment, "worker", deployment.worker, deployment.alive()),
        "    stop_grace_period: 120s # longer than the longest task: a warm shutdown waits for it",
        *_service(deployment, "beat", deployment.beat, deployment.alive("--beat")),
        "    scale: 1 # two Beats send every task twice",
        '    volumes: ["schedule:/schedule"]',
        "    working_dir: /schedule",
        "  celery-check:",
        f"    image: {json.dumps(deployment.image)}",
        f"    command: {json.dumps(check)}",
        "    environment:",
        *_COMPOSE_BROKER,
        "      RADAR_STATE_DIR: /state",
        '    volumes: ["schedule:/schedule:ro", "radar:/state"]',
        "    working_dir: /schedule",
        "    restart: unless-stopped",
        "volumes: {schedule: {}, radar: {}}",
    ]
    return "\n".join(lines)


_COMPOSE_BROKER = ("      RADAR_CELERY_BROKER: ${CELERY_BROKER:?the URL of the broker}",)


def _service(
    deployment: Deployment, role: str, command: Sequence[str], probe: Sequence[str]
) -> list[str]:
    signs = (f"      RADAR_ALIVE_FILE: {json.dumps(deployment.file)}",) if deployment.file else ()
    return [
        f"  celery-{role}:",
        f"    image: {json.dumps(deployment.image)}",
        f"    command: {json.dumps(list(command))}",
        "    environment:",
        *_COMPOSE_BROKER,
        *signs,
        "    healthcheck:",
        f"      test: {json.dumps(['CMD', *probe])}",
        "      interval: 30s",
        "      timeout: 5s",
        "      start_period: 60s",
        "      retries: 3",
        "    restart: unless-stopped",
    ]


def compose_helm(deployment: Deployment) -> str:
    """A chart's template of the Deployments, with the values that it takes in comments above."""
    manifests = compose_kubernetes(deployment)
    for plain, template in (
        (f"image: {json.dumps(deployment.image)}", "image: {{ .Values.celery.image | quote }}"),
        (f"name: {deployment.name}-", "name: {{ .Release.Name }}-"),
        (f"app: {deployment.name}-", "app: {{ .Release.Name }}-"),
        (f"name: {deployment.name}, key", "name: {{ .Values.celery.brokerSecret }}, key"),
        ("Seconds: 120", "Seconds: {{ .Values.celery.longestTaskSeconds }}"),
        ("spec:\n  selector", "spec:\n  replicas: {{ .Values.celery.workers }}\n  selector"),
    ):
        manifests = manifests.replace(plain, template)
    return "\n".join(
        (
            "# templates/celery.yaml; its values:",
            "#   celery:",
            f"#     image: {json.dumps(deployment.image)}",
            "#     workers: 2",
            "#     longestTaskSeconds: 120",
            f"#     brokerSecret: {deployment.name}",
            # A brace of a flow mapping before one of a template's would be one of its own.
            manifests.replace("{{{", "{ {{").replace("}}}", "}} }"),
        )
    )


def compose_kubernetes(deployment: Deployment) -> str:
    """Two Deployments, of workers and of the one Beat, in YAML."""
    worker = [
        *_probe("startupProbe", deployment.alive("--started"), period_s=5, failures=24),
        *_probe("readinessProbe", deployment.ready, period_s=30, failures=2),
        *_probe("livenessProbe", deployment.alive(), period_s=15, failures=3),
    ]
    beat = [
        *_probe("startupProbe", deployment.alive("--beat", "--started"), period_s=5, failures=24),
        *_probe("livenessProbe", deployment.alive("--beat"), period_s=15, failures=3),
    ]
    return "\n---\n".join(
        (
            "# The app calls radar_cli.celery.install_heartbeat(app).\n"
            + _manifest(deployment, "worker", deployment.worker, worker),
            _manifest(
                deployment,
                "beat",
                deployment.beat,
                beat,
            ),
        )
    )


def _manifest(
    deployment: Deployment,
    role: str,
    command: Sequence[str],
    probes: Sequence[str],
) -> str:
    name = f"{deployment.name}-{role}"
    is_worker = role == "worker"
    patience = (
        "      # longer than the longest task: a warm shutdown waits for it",
        "      terminationGracePeriodSeconds: 120",
    )
    # Two Beats send every task twice, even for the moment of a rolling update.
    only_one = ("  replicas: 1", "  strategy:", "    type: Recreate")
    signs = (f"            - {{name: RADAR_ALIVE_FILE, value: {json.dumps(deployment.file)}}}",)
    broker = (
        "            - name: RADAR_CELERY_BROKER # for the readiness probe",
        "              valueFrom:",
        f"                secretKeyRef: {{name: {deployment.name}, key: broker-url}}",
    )
    env = (*(signs if deployment.file else ()), *(broker if is_worker else ()))
    lines = [
        "apiVersion: apps/v1",
        "kind: Deployment",
        f"metadata: {{name: {name}}}",
        "spec:",
        *(() if is_worker else only_one),
        "  selector:",
        f"    matchLabels: {{app: {name}}}",
        "  template:",
        "    metadata:",
        f"      labels: {{app: {name}}}",
        "    spec:",
        *(patience if is_worker else ()),
        "      containers:",
        f"        - name: {role}",
        f"          image: {json.dumps(deployment.image)}",
        f"          command: {json.dumps(list(command))}",
        *(("          env:", *env) if env else ()),
        *probes,
    ]
    return "\n".join(lines)


def _probe(kind: str, command: Sequence[str], *, period_s: int, failures: int) -> list[str]:
    return [
        f"          {kind}:",
        f"            exec: {{command: {json.dumps(list(command))}}}",
        f"            periodSeconds: {period_s}",
        "            timeoutSeconds: 5",
        f"            failureThreshold: {failures}",
    ]


def compose_prometheus(deployment: Deployment) -> str:
    """A file of alert rules on what `radar celery check --format prometheus` prints, in YAML."""
    rules = [
        _rule(
            "CeleryCheckMissing",
            f"absent({TIMESTAMP})",
            "10m",
            "radar celery check has never reported",
        ),
        # The textfile collector serves a file for ever, however old it is.
        _rule(
            "CeleryCheckStopped",
            f"time() - {TIMESTAMP} > 300",
            "1m",
            "radar celery check reports no more: what is known of Celery is {{ $value }} s old",
        ),
        _rule("CeleryUnknown", "radar_celery_ok == -1", "10m", "Celery can't be judged", _WARNING),
        _rule(
            "CeleryDown",
            'radar_celery_finding_ok{layer=~"broker|workers"} == 0',
            "5m",
            "{{ $labels.layer }} {{ $labels.subject }} is bad: see radar celery check",
        ),
        _rule(
            "CeleryBad",
            'radar_celery_finding_ok{layer=~"queues|tasks"} == 0',
            "5m",
            "{{ $labels.layer }} {{ $labels.subject }} is bad: see radar celery check",
            _WARNING,
        ),
        _rule(
            "CeleryBeatOverdue",
            'radar_celery_finding_ok{layer="schedule"} == 0',
            "2m",
            "{{ $labels.subject }} is overdue, or Beat is silent: see radar celery beat",
        ),
    ]
    names = json.dumps("|".join(map(re.escape, deployment.queues)))
    selector = f"{{queue=~{names}}}" if deployment.queues else ""
    rules += [
        _rule(
            "CeleryBacklog",
            f"radar_celery_queue_depth{selector} > {deployment.max_depth}",
            "10m",
            "queue {{ $labels.queue }}: {{ $value }} messages wait",
            _WARNING,
        ),
        _rule(
            "CeleryUnconsumed",
            f"radar_celery_queue_consumers{selector} == 0",
            "10m",
            "queue {{ $labels.queue }} has no consumer",
        ),
    ]
    return "\n".join(
        (
            "# Fed by cron, through node_exporter's textfile collector:",
            "#   RADAR_CELERY_BROKER=redis://HOST:6379/0",
            f"#   * * * * * {_check_line(deployment)}",
            "groups:",
            "  - name: celery",
            "    rules:",
            *rules,
        )
    )


def _check_line(deployment: Deployment) -> str:
    queues = [word for queue in deployment.queues for word in ("--queue", queue)]
    words = ["radar", "celery", "check", *queues, "--beat", deployment.schedule]
    folder = "/var/lib/node_exporter"
    check = shlex.join([*words, "--format", "prometheus"])
    return f"{check} >{folder}/celery.prom.new; mv {folder}/celery.prom.new {folder}/celery.prom"


def _rule(
    name: str, expression: str, lasting: str, summary: str, severity: str = "critical"
) -> str:
    return "\n".join(
        (
            f"      - alert: {name}",
            f"        expr: {json.dumps(expression)}",
            f"        for: {lasting}",
            f"        labels: {{severity: {severity}}}",
            f"        annotations: {{summary: {json.dumps(summary)}}}",
        )
    )
