"""The table of radar's commands, without click: completions read it at each Tab."""

# name: (module, attribute, what it does). Modules are imported when their command is called.
COMMANDS = {
    "run": ("radar_cli.cli.run", "command", "Run a command and report how it went."),
    "ping": ("radar_cli.cli.ping", "command", "Send one ping by hand."),
    "init": ("radar_cli.cli.init", "command", "Set radar up on this machine: four questions."),
    "status": ("radar_cli.cli.status", "command", "Show every monitor at a glance."),
    "top": ("radar_cli.cli.top.command", "command", "Show the monitors live, and act on them."),
    "check": ("radar_cli.cli.check", "command", "Judge the monitors now: 0 all well, 1 not."),
    "monitors": (
        "radar_cli.cli.monitors.group",
        "command",
        "List, show, create, change, pause and delete monitors.",
    ),
    "sync": ("radar_cli.cli.sync", "command", "Make the monitors as a file declares them."),
    "schedule": ("radar_cli.cli.schedule", "command", "Tell when a cron expression runs."),
    "notify": ("radar_cli.cli.notify", "command", "List the channels of notices, and test them."),
    "outbox": ("radar_cli.cli.outbox", "command", "List, deliver or drop undelivered pings."),
    "backup": ("radar_cli.cli.backup", "command", "Copy the store, while it is in use."),
    "restore": ("radar_cli.cli.backup", "restore", "Put a backup in the store's place."),
    "server": ("radar_cli.cli.server", "command", "Serve monitors to other machines."),
    "login": ("radar_cli.cli.login", "command", "Check a server's key, and use it from now on."),
    "crontab": (
        "radar_cli.cli.crontab",
        "command",
        "Find a machine's scheduled jobs, and wrap them.",
    ),
    "link": ("radar_cli.cli.link", "command", "Write a launcher for this machine's crontabs."),
    "doctor": ("radar_cli.cli.doctor", "command", "Look for what keeps radar from its work."),
    "celery": (
        "radar_cli.cli.celery.group",
        "command",
        "Watch over Celery: broker, workers, queues, schedule.",
    ),
    "config": ("radar_cli.cli.config", "command", "Read, change and check the settings."),
    "recipe": (
        "radar_cli.cli.recipes.command",
        "command",
        "Print files for CI, systemd, containers and Ansible.",
    ),
    "schema": (
        "radar_cli.cli.schema",
        "command",
        "Print commands, exit codes and answers as JSON.",
    ),
    "open": ("radar_cli.cli.open", "command", "Show a monitor's page in the browser."),
    "completion": (
        "radar_cli.cli.completion.command",
        "command",
        "Print a shell's completion script.",
    ),
}

# One rule for the words that people type: what `radar monitors` does needs no `monitors` before
# it, and these words mean commands of it.
SYNONYMS = {"ls": "list", "logs": "output", "rm": "delete", "remove": "delete", "edit": "update"}
# And these mean options.
AS_OPTIONS = {"help": "--help", "version": "--version"}
