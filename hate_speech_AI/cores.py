"""How many cores this process may use."""

import math
import os
from pathlib import Path


def count_cores(root: Path = Path("/")) -> int:
    """Return how many cores this process may use at once: its affinity, or fewer if a control group limits its time.

    A container limited to two cores may still run on all of the machine's. With a thread for each of these it would use up its
    time early in each period, and stand still for the rest.

    Parameters
    ----------
    root : Path
        Where `/proc` and `/sys` are; tests give another folder.
    """
    return max(1, min([len(os.sched_getaffinity(0)), *_read_limits(root)]))


def _read_limits(root: Path) -> list[int]:
    """Return the limits of the process's control groups and of those above them, in cores."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    limits = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        # Version 2 has no controllers in this line. Version 1 may have its folder under either name.
        mounts = ["cpu", "cpu,cpuacct", "cpuacct,cpu"] if controllers else ["", "unified"]
        for mount in mounts:
            folder = root / "sys/fs/cgroup" / mount
            # In a container the path can be the host's, which is not there: the limit is at the mount then.
            groups = Path(path.lstrip("/"))
            limits += [limit for group in (groups, *groups.parents) if (limit := _read_limit(folder / group))]
    return limits


def _read_limit(folder: Path) -> int | None:
    """Return the limit of a control group in whole cores, at least one; `None` if it has none."""
    try:
        if (folder / "cpu.max").exists():  # version 2
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period"))
        return math.ceil(int(quota) / int(period)) if int(quota) > 0 else None
    except (OSError, ValueError):  # not there, or "max"
        return None
