import os
import signal
import time

import pytest

from trigforge import cluster
from trigforge.core.errors import ToolError


@pytest.fixture(scope="module")
def two_workers():
    with cluster.connect(None, n_workers=2) as client:
        yield client


def square(number):
    if number == 3:
        msg = "three is refused"
        raise ValueError(msg)
    return number * number


def die_at_the_mark(path):
    """Kill the worker if the mark is there, after taking it away."""
    if os.path.exists(path):  # noqa: PTH110 - what travels by value brings no imports
        os.remove(path)  # noqa: PTH107
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def always_die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def own_threads(_):
    return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")}


def test_every_item_comes_back_once_with_its_result_or_its_error(two_workers):
    done = list(cluster.stream(two_workers, square, iter(range(6))))
    assert {entry.item: entry.result for entry in done if entry.error is None} == {
        0: 0,
        1: 1,
        2: 4,
        4: 16,
        5: 25,
    }
    (failed,) = [entry for entry in done if entry.error is not None]
    assert (failed.item, str(failed.error)) == (3, "three is refused")
    assert all(entry.worker.startswith("tcp://") for entry in done if entry is not failed)


def test_items_are_drawn_only_when_a_worker_is_free(two_workers):
    drawn, ended = [], []

    def items():
        for number in range(10, 20):
            drawn.append(number)
            yield number

    for entry in cluster.stream(two_workers, square, items()):
        ended.append(entry.item)
        assert len(drawn) - len(ended) <= 2
    assert sorted(ended) == drawn == list(range(10, 20))


def test_a_worker_that_dies_costs_nothing(two_workers, tmp_path):
    marks = [tmp_path / str(number) for number in range(4)]
    marks[1].touch()
    done = list(cluster.stream(two_workers, die_at_the_mark, map(str, marks)))
    assert [entry.error for entry in done] == [None] * 4
    assert sorted(entry.item for entry in done) == list(map(str, marks))
    assert not marks[1].exists()


def test_a_task_that_kills_every_worker_is_an_error_at_last(two_workers):
    (done,) = cluster.stream(two_workers, always_die, iter([1]))
    assert isinstance(done.error, ToolError)
    assert "every worker that tried it died" in str(done.error)


def test_a_worker_keeps_to_its_core(two_workers):
    (done,) = cluster.stream(two_workers, own_threads, iter([0]))
    assert done.result == {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}


def test_whoever_stops_early_cancels_what_is_under_way(two_workers):
    stream = cluster.stream(two_workers, time.sleep, iter([0.01, 60.0, 60.0]))
    next(stream)
    started = time.monotonic()
    stream.close()
    assert time.monotonic() - started < 20


def test_another_version_on_the_worker_is_refused(two_workers, monkeypatch):
    monkeypatch.setattr(cluster, "__version__", "0.0.0")
    (done,) = cluster.stream(two_workers, square, iter([2]))
    assert isinstance(done.error, ToolError)
    assert "the client 0.0.0; install the same" in str(done.error)


def test_a_scheduler_is_found_by_its_address(two_workers):
    with cluster.connect(two_workers.scheduler.address) as client:
        (done,) = cluster.stream(client, square, iter([5]))
    assert done.result == 25


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x"])
def test_no_scheduler_at_an_address_is_an_error(address, monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER_S", 2)
    with (
        pytest.raises(ToolError, match=f"no Dask scheduler answers at '{address}'"),
        cluster.connect(address),
    ):
        pass
