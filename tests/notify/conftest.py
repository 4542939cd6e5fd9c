"""Channels made of the text of a config file, as radar makes them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from radar_cli.notify.channel import Channel, ChannelError
from radar_cli.notify.channels import find_channels
from radar_cli.settings.profiles import load
from tests.notify.notices import NOTICE

Maker = Callable[[str], Channel]


@pytest.fixture
def make_channel() -> Maker:
    """Make the one channel that a `[notify.NAME]` table with these lines describes."""

    def call(lines: str) -> Channel:
        path = Path(os.environ["RADAR_CONFIG"])
        path.write_text(f"[notify.one]\n{lines}\n")
        path.chmod(0o600)
        config = load(os.environ)
        (channel,) = find_channels(config)
        assert config.warnings == []
        return channel

    return call


def failure_of(channel: Channel, timeout_s: float = 20) -> ChannelError:
    """The error that a notice ends with on its way through this channel."""
    with pytest.raises(ChannelError) as caught:
        channel.send(NOTICE, timeout_s=timeout_s)
    return caught.value
