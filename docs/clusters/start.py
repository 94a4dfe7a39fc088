"""Start Dask workers on a batch system: ``python start.py slurm.yaml --jobs 10``.

Prints the address of the scheduler, for ``--scheduler``, and stays; the jobs end with it.
"""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

import dask
import yaml
from dask_jobqueue import HTCondorCluster, SLURMCluster

CLUSTERS = {"htcondor": HTCondorCluster, "slurm": SLURMCluster}


def open_cluster(configuration: Path) -> Any:
    """Start the scheduler of the batch system that a configuration is of."""
    content = yaml.safe_load(configuration.read_text(encoding="utf-8"))
    dask.config.update(dask.config.config, content)
    (kind,) = content["jobqueue"]
    return CLUSTERS[kind]()


def main() -> None:
    """Submit jobs, say where the scheduler is, and wait to be ended."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("configuration", type=Path, help="htcondor.yaml or slurm.yaml")
    parser.add_argument("--jobs", type=int, default=1, help="to submit")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), open_cluster(options.configuration) as cluster:
        cluster.scale(jobs=options.jobs)
        sys.stdout.write(f"{cluster.scheduler_address}\n")
        sys.stdout.flush()
        Event().wait()


if __name__ == "__main__":
    main()
