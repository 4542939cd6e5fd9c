"""A count of those who got a broadcast, from Redis."""

from typing import Any


class Receivers:
    """A count of listeners while something is published: PUBLISH tells it, kombu drops it."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self.count: int | None = None

    def __enter__(self) -> "Receivers":
        if (create := getattr(self._channel, "_create_client", None)) is not None:

            def create_counting(*arguments: Any, **options: Any) -> Any:
                client = create(*arguments, **options)
                publish = client.publish

                def publish_and_count(*words: Any, **more: Any) -> Any:
                    heard = publish(*words, **more)
                    self.count = max(int(heard), self.count or 0)
                    return heard

                client.publish = publish_and_count
                return client

            self._channel._create_client = create_counting
        return self

    def __exit__(self, *_: object) -> None:
        vars(self._channel).pop("_create_client", None)
