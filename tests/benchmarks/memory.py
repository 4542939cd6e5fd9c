"""How much memory a process holds."""

from pathlib import Path

from tests.benchmarks.measure import UnmeasurableError
from tests.support.waiting import wait_until

PATIENCE_S = 60.0


def settled_pss(pid: int) -> float:
    """The memory of a process and its share of what it shares, once that stays as it is."""
    seen = [0.0]

    def is_settled() -> bool:
        seen.append(_pss(pid))
        return len(seen) > 5 and len(set(seen[-5:])) == 1

    wait_until(is_settled, PATIENCE_S, f"the memory of process {pid} to settle", every_s=0.02)
    return seen[-1]


def _pss(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1]) * 1024
    except FileNotFoundError:
        pass
    raise UnmeasurableError("there is no /proc/PID/smaps_rollup")
