"""What reads the pipes that outlive radar, or that it can't read itself: a plain `cat`.

It imports nothing that may be missing: it is called where something was.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import Any
else:
    import _signal


def leave_cat(source: int, target: int, mask: "set[int]") -> None:
    """Leave a `cat` on a pipe that outlives radar, as no one else would read it from now on.

    It holds nothing but the two streams: no folder, no other descriptor that radar inherited. A
    group of its own keeps ^C, which the daemon that writes doesn't hear either, off it.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    actions: list[Any] = [
        (os.POSIX_SPAWN_DUP2, source, 0),
        (os.POSIX_SPAWN_DUP2, target, 1),
        (os.POSIX_SPAWN_DUP2, null, 2),
    ]
    actions += [
        (os.POSIX_SPAWN_CLOSE, int(name)) for name in os.listdir("/dev/fd") if int(name) > 2
    ]
    try:
        os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", "cd / && exec cat"],
            os.environb,
            file_actions=actions,
            setpgroup=0,
            setsigmask=mask,
            setsigdef=(_signal.SIGPIPE,),
        )
    except OSError:
        return  # it learns, by SIGPIPE, that nobody reads: there is no other way
    finally:
        os.close(null)
