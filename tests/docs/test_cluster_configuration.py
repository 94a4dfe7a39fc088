"""The configurations of batch systems on the pages: what jobs they make, and that these work."""

import importlib.util
import multiprocessing
import os
import re
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import dask
import numpy as np
import pytest

from trigforge import cluster

CLUSTERS = Path(__file__).parents[2] / "docs" / "clusters"
FAKES = {
    "sbatch": (
        '#!/bin/sh\ncp "$1" job.sh\nsetsid sh job.sh >/dev/null 2>&1 &\n'
        'echo $! >>jobs.txt\necho "Submitted batch job $!"\n'
    ),
    "scancel": '#!/bin/sh\nfor job in "$@"; do kill -- "-$job"; done\n',
}
"""A batch system of one machine: a job is a process."""


@pytest.fixture
def start(monkeypatch, tmp_path):
    """The script that starts clusters, in a folder for its logs, its settings undone later."""
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("start", CLUSTERS / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with dask.config.set({"distributed.scheduler.http.routes": []}):
        before = dask.config.config.copy()
        yield module
        dask.config.config.clear()
        dask.config.config.update(before)


def script_of(start, kind):
    """Return the job script of a configuration, and what is said on its address."""
    with start.open_cluster(CLUSTERS / f"{kind}.yaml") as opened:
        return opened.job_script(), opened.scheduler_address


def check_worker(script, address):
    """Hold the command of a job against what trigforge needs of a worker."""
    command = f"{sys.executable} -m distributed.cli.dask_worker {address} "
    assert command in script
    for part in (
        "--nthreads 1 --memory-limit 1.86GiB --nworkers 4 --nanny",
        "--death-timeout 120",
        "--lifetime 110m --lifetime-stagger 5m",
        "export DASK_DISTRIBUTED__WORKER__DAEMON=False",
        "export OMP_NUM_THREADS=1 ",
    ):
        assert part in script, part
    assert script.index("WORKER__DAEMON") < script.index(command)


def test_a_job_of_slurm_has_cores_memory_walltime_and_this_python(start):
    script, address = script_of(start, "slurm")
    assert script.startswith("#!/usr/bin/env bash\n")
    directives = dict(re.findall(r"^#SBATCH (-\w|--[\w-]+)[ =](.*)$", script, re.MULTILINE))
    assert directives == {
        "-J": "trigforge",
        "-e": "cluster_logs/trigforge-%J.err",
        "-o": "cluster_logs/trigforge-%J.out",
        "-n": "1",
        "--cpus-per-task": "4",
        "--mem": "8G",
        "-t": "02:00:00",
    }
    assert "--local-directory ${TMPDIR:-/tmp}" in script
    check_worker(script, address)
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)


def test_a_job_of_htcondor_has_cores_memory_walltime_and_this_python(start):
    script, address = script_of(start, "htcondor")
    directives = dict(re.findall(r"^([\w.+]+) = (.*)$", script, re.MULTILINE))
    wanted = {
        "RequestCpus": "MY.DaskWorkerCores",
        "RequestMemory": "floor(MY.DaskWorkerMemory / 1048576)",
        "RequestDisk": "floor(MY.DaskWorkerDisk / 1024)",
        "MY.DaskWorkerCores": "4",
        "MY.DaskWorkerMemory": "8000000000",
        "MY.DaskWorkerDisk": "2000000000",
        "+MaxRuntime": "7200",
        "Executable": "/bin/sh",
    }
    assert directives.items() >= wanted.items()
    arguments = directives["Arguments"]
    assert re.fullmatch(r'"-c \'[^\'"]*\'"', arguments)
    assert "--local-directory $_CONDOR_SCRATCH_DIR" in arguments
    check_worker(arguments, address)
    assert script.rstrip().endswith("Queue")


@pytest.mark.parametrize("kind", ["htcondor", "slurm"])
def test_workers_end_before_their_job(start, kind):
    script, _ = script_of(start, kind)
    hours = {"htcondor": r"MaxRuntime = (\d+)", "slurm": r"-t 0(\d):00:00"}[kind]
    limit_min = int(re.search(hours, script)[1]) * (60 if kind == "slurm" else 1 / 60)
    lifetime = re.search(r"--lifetime (\d+)m --lifetime-stagger (\d+)m", script)
    assert limit_min == 120
    assert sum(map(int, lifetime.groups())) < limit_min


def test_a_wrong_setting_would_be_seen(start, tmp_path):
    text = (CLUSTERS / "slurm.yaml").read_text()
    (tmp_path / "slurm.yaml").write_text(text.replace("processes: 4", "processes: 1"))
    with start.open_cluster(tmp_path / "slurm.yaml") as opened, pytest.raises(AssertionError):
        check_worker(opened.job_script(), opened.scheduler_address)


@pytest.mark.toolchain
def test_jobs_of_a_batch_system_score_events(tmp_path):
    """From ``start.py`` to results, on a batch system that starts processes here."""
    for name, content in FAKES.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    text = (CLUSTERS / "slurm.yaml").read_text().replace("processes: 4", "processes: 2")
    (tmp_path / "slurm.yaml").write_text(text)
    process = subprocess.Popen(
        [sys.executable, CLUSTERS / "start.py", "slurm.yaml", "--jobs", "1"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        address = process.stdout.readline().strip()
        with cluster.connect(address) as client:
            client.wait_for_workers(2, timeout=120)
            found = {
                done.item: done.result
                for done in cluster.stream(client, np.sqrt, iter([1.0, 4.0, 9.0]))
            }
            daemons = client.run(lambda: multiprocessing.current_process().daemon)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert found == {1.0: 1.0, 4.0: 2.0, 9.0: 3.0}
    assert set(daemons.values()) == {False}
    assert process.returncode == 0

    (job,) = map(int, (tmp_path / "jobs.txt").read_text().split())
    deadline = time.monotonic() + 60
    while is_running(job):
        assert time.monotonic() < deadline, "the job outlived its scheduler"
        time.sleep(0.05)


def is_running(group):
    with suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False
