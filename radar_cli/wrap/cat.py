"""What reads pipes that no thread of ours reads: a plain `cat`, or radar by hand.

It imports nothing that may be missing: it is called where something was.
"""

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import Any
else:
    import _signal

_CHUNK_BYTES = 65_536
_CHUNKS = 16


def leave_cat(source: int, target: int, mask: "set[int]") -> bool:
    """Leave a `cat` on a pipe that outlives radar; False if none can be started.

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
        return False  # who writes learns by SIGPIPE that nobody reads, unless radar still does
    finally:
        os.close(null)
    return True


class ByHand:
    """Copies pipes whenever it is called: the user may have no more processes, and no threads.

    The job waits for a reader as it would without us; radar's own waiting does, too.
    """

    def __init__(self) -> None:
        self._pipes: list[tuple[int, int]] = []

    def add(self, source: int, target: int) -> None:
        """Copy this pipe, too; nobody else reads it, so that its flags are ours."""
        os.set_blocking(source, False)
        self._pipes.append((source, target))

    def __call__(self) -> None:
        """Copy what the pipes hold by now."""
        for pipe in list(self._pipes):
            try:
                for _ in range(_CHUNKS):  # as many as a pipe holds, then signals are heard
                    data = os.read(pipe[0], _CHUNK_BYTES)
                    if not data:
                        break
                    write(pipe[1], data)
                else:
                    continue
            except BlockingIOError:
                continue  # empty for now
            except OSError:
                pass  # the reader is gone
            self._pipes.remove(pipe)
            os.close(pipe[0])


def write(target: int, data: bytes) -> None:
    """Write all of `data`, or as much as a full disk takes; OSError: its reader is gone."""
    while data:
        try:
            data = data[os.write(target, data) :]
        except BlockingIOError:  # somebody else made it so
            time.sleep(0.01)
        except (BrokenPipeError, ConnectionResetError):
            raise
        except OSError:
            return  # a full disk: the job goes on
