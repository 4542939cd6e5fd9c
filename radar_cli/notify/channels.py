"""From the tables of the config files to channels that can send."""

from radar_cli.notify.channel import BrokenChannel, Channel
from radar_cli.settings.channels import ChannelTable, read_channels
from radar_cli.settings.profiles import Config


def find_channels(config: Config) -> list[Channel]:
    """Return every channel; one that makes no sense is there, and fails with the reason.

    What a person should edit is added to the config's problems.
    """
    return [make_channel(table, config) for table in read_channels(config)]


def make_channel(table: ChannelTable, config: Config) -> Channel:
    """Return the channel that a table describes; only its own kind is imported."""
    if table.fault:
        return BrokenChannel(table)
    if table.kind == "command":
        from radar_cli.notify.command import CommandChannel

        return CommandChannel(table, config)
    if table.kind == "webhook":
        from radar_cli.notify.webhook import WebhookChannel

        return WebhookChannel(table, config)
    if table.kind == "email":
        from radar_cli.notify.mail import EmailChannel

        return EmailChannel(table, config)
    from radar_cli.notify.apprise import AppriseChannel

    return AppriseChannel(table, config)
