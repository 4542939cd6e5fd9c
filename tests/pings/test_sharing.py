"""Two destinations of one run look through the same spool at the same time."""

import threading
from pathlib import Path

from radar_cli.delivery.destinations import Destination
from radar_cli.model.ping import Ping
from radar_cli.outbox.claiming import claim_for, is_free
from radar_cli.outbox.spool import Spool


def test_they_never_take_each_others_looking_for_work(state_dir: Path) -> None:
    places = [Destination("radar", server=f"http://{name}.test", profile=name) for name in "ab"]
    spool = Spool(str(state_dir / "spool/shared"))
    for number in range(60):
        for place in places:
            ping = Ping("success", "m", time_us=number)
            spool.put(ping, place.address(), durable=False)
    names = spool.names()
    for _ in range(15):
        found: dict[str, int] = {}
        ready = threading.Barrier(2)

        def look(place: Destination, found: dict[str, int], ready: threading.Barrier) -> None:
            ready.wait()
            entries = [claim_for(spool, name, place.accepts) for name in names]
            found[place.profile] = sum(entry is not None for entry in entries)
            for entry in entries:
                if entry is not None:
                    entry.release()

        threads = [threading.Thread(target=look, args=(place, found, ready)) for place in places]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == {"a": 60, "b": 60}
        assert all(is_free(spool, name) for name in names)
