"""``sweep``: order, resuming, failures, and executors and disks that give up."""

import errno
import os
import pickle
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from bnlab import digest
from bnlab.norms import NORMS
from bnlab.store import NewerVersionError, Results, StoreBusyError, files, read_object, write_result
from bnlab.sweep import Code, SweepError, SweepStoppedError, computes, processes, sweep, tasks
from bnlab.sweep.executors import cores
from bnlab.train import Run, train
from tests.sweep.sweep_work import (
    Logged,
    dies_on_seed_2,
    fails_on_odd_seeds,
    needs_full_disk,
    on_a_full_disk,
    runs,
    same,
)


@pytest.fixture(scope="module")
def reference():
    """Each Run trained by itself."""
    return [train(run, device="cpu") for run in runs(6)]


@pytest.fixture
def log(tmp_path):
    return Logged(tmp_path / "log")


@pytest.fixture(scope="module")
def pool():
    with processes(2) as executor:
        yield executor


def go(*arguments, **options):
    return sweep(*arguments, **{"progress": False, "device": "cpu", **options})


def stored(folder):
    return sorted(path.stem for path in folder.glob("*/*.json"))


def keys(several):
    return sorted(run.key() for run in several)


def all_same(some, others):
    return all(same(a, b) for a, b in zip(some, others, strict=True))


# ------------------------------------------------------------------------------- what is computed


def test_a_sweep_gives_what_train_gives_in_the_order_of_the_runs(reference, tmp_path):
    order = [3, 0, 5, 3, 1]
    histories = go([runs(6)[i] for i in order], store=tmp_path)
    assert all_same(histories, [reference[i] for i in order])
    assert stored(tmp_path) == keys([runs(6)[i] for i in {*order}])


def test_nothing_is_computed_twice(reference, tmp_path, log):
    first, everything = runs(6)[:4], runs(6)
    go(first + first, store=tmp_path / "s", work=log)
    again = go(everything, store=str(tmp_path / "s"), work=log)
    assert sorted(log.keys()) == keys(everything)
    assert all_same(again, reference)
    go(everything, store=None, work=log)
    assert len(log.keys()) == 12, "no store, nothing kept"


def test_processes_give_the_same_bits(reference, tmp_path, pool, log):
    assert all_same(go(runs(6), pool, tmp_path / "s", work=log, chunk=2), reference)
    assert sorted(log.keys()) == keys(runs(6)) == stored(tmp_path / "s")
    assert len({pid for _, pid in log.lines()} - {os.getpid()}) >= 1


def test_changed_code_is_not_served_old_results(tmp_path, log, monkeypatch):
    go(runs(2), store=tmp_path / "s", work=log)
    changed = {**digest._LOADED, "norms/batch.py": "another content"}
    monkeypatch.setattr(digest, "_LOADED", changed)
    monkeypatch.setattr(digest, "_read", lambda: changed)
    go(runs(2), store=tmp_path / "s", work=log)
    assert len(log.keys()) == 4
    monkeypatch.undo()
    go(runs(2), store=tmp_path / "s", work=log)
    assert len(log.keys()) == 4, "the results of the old code are still there"


def test_fastest_trains_runs_of_one_kind_together(tmp_path, pool):
    sizes = {"depth": 1, "width": 4, "batch_size": 8}
    base = Run(**sizes, steps=5, eval_every=5, precision="float64")
    mixed = [base.replace(seed=s, norm=n) for s in range(3) for n in ("batch", "layer")]
    ready = Run(depth=1, norm="batch", batch_size=4, steps=5, eval_every=5)
    mixed.insert(2, ready)
    found = sweep(mixed, pool, tmp_path, engine="fastest", progress=False)
    assert [h.run for h in found] == mixed
    assert [h.engine for h in found] == ["stack"] * 2 + ["compiled"] + ["stack"] * 4
    assert [h.versions["stack"] for h in found if h.engine == "stack"] == ["3"] * 6
    for one, run in zip(found, mixed, strict=True):
        engine = "compiled" if run == ready else "torch"
        assert np.allclose(one.loss, train(run, engine, "cpu").loss, rtol=1e-10)
    again = sweep(mixed, store=tmp_path, engine="fastest", progress=False)
    assert [h.loss.tobytes() for h in again] == [h.loss.tobytes() for h in found]


def test_the_code_of_an_engine_counts_for_it_alone():
    assert set(computes("compiled")) - set(computes("torch")) == {"engines/compiled"}
    assert set(computes("torch")) - set(computes("compiled")) == {"engines/eager.py"}
    assert "engines" in computes("fastest")


def test_no_runs_no_results(tmp_path):
    assert go([], store=tmp_path / "s") == []
    assert not (tmp_path / "s").exists()


def test_a_progress_bar_counts_what_was_there(tmp_path, capsys):
    go(runs(2), store=tmp_path)
    go(runs(4), store=tmp_path, progress=True)
    bar = capsys.readouterr().err
    assert "2/4" in bar and "4/4" in bar and "run/s" in bar


# -------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize("chunk", [1, 3])
def test_failures_are_reported_and_do_not_stop_the_rest(reference, tmp_path, chunk):
    with pytest.raises(SweepError, match="3 of 6 runs failed") as caught:
        go(runs(6), store=tmp_path, work=fails_on_odd_seeds, chunk=chunk)
    failures, histories = caught.value.failures, caught.value.histories
    assert sorted(one.item.seed for one in failures) == [1, 3, 5]
    assert failures[0].error == "ZeroDivisionError: seed 1 is odd"
    assert "fails_on_odd_seeds" in failures[0].traceback
    assert "seed=1" in str(caught.value)
    assert [h is None for h in histories] == [False, True] * 3
    assert all_same(histories[::2], reference[::2])
    assert stored(tmp_path) == keys(runs(6)[::2])
    assert all_same(go(runs(6), store=tmp_path), reference), "mended, it goes on"


def test_a_run_that_train_refuses_is_a_failure(reference):
    too_large = runs(1)[0].replace(batch_size=5000)
    with pytest.raises(SweepError, match=r"1 of 2 runs failed(?s:.*)batch_size=5000") as caught:
        go([too_large, runs(1)[0]])
    assert caught.value.histories[0] is None
    assert same(caught.value.histories[1], reference[0])


def test_failures_travel_between_processes(pool):
    with pytest.raises(SweepError, match="ZeroDivisionError: seed 1 is odd") as caught:
        go(runs(2), pool, work=fails_on_odd_seeds)
    assert "in fails_on_odd_seeds" in caught.value.failures[0].traceback


@pytest.mark.parametrize(
    "work",
    [
        lambda runs, engine, device: [],
        lambda runs, engine, device: [None for _ in runs],
        lambda runs, engine, device: [train(run.replace(seed=99)) for run in runs],
    ],
    ids=["too few", "nothing", "of another Run"],
)
def test_wrong_work_is_a_failure_and_not_kept(tmp_path, work):
    with pytest.raises(SweepError, match="2 of 2 runs failed"):
        go(runs(2), store=tmp_path, work=work)
    assert stored(tmp_path) == []


# ------------------------------------------------------------------------------- damaged results


def test_damaged_results_are_named_and_computed_again(reference, tmp_path, log):
    go(runs(6), store=tmp_path / "s")
    paths = {path.stem: path for path in (tmp_path / "s").glob("*/*.json")}
    truncated, empty, foreign, copied, whole, _ = (paths[run.key()] for run in runs(6))
    truncated.write_text(truncated.read_text()[:-40])
    empty.write_text("")
    fields = read_object(foreign)
    write_result(foreign, {**fields, "result": {"seeds": [1, 2]}})
    copied.write_bytes(whole.read_bytes())
    with pytest.warns(UserWarning, match="4 of the results") as caught:
        histories = go(runs(6), store=tmp_path / "s", work=log)
    message = str(caught[0].message)
    assert caught[0].filename == __file__, "where the sweep was called"
    assert all(path.name in message for path in (truncated, empty, foreign, copied))
    assert whole.name not in message
    assert sorted(log.keys()) == sorted(p.stem for p in (truncated, empty, foreign, copied))
    assert all_same(histories, reference)
    assert all_same(go(runs(6), store=tmp_path / "s"), reference)


@pytest.mark.parametrize("place", ["run", "history"])
def test_a_run_from_a_newer_version_is_refused_and_left_alone(tmp_path, log, place):
    go(runs(2), store=tmp_path / "s")
    path = next((tmp_path / "s").glob(f"*/{runs(2)[0].key()}.json"))
    fields = read_object(path)
    target = fields["result"]["run"] if place == "run" else fields["result"]
    target["warmup"] = 3
    write_result(path, fields)
    before = path.read_bytes()
    with pytest.raises(NewerVersionError, match=rf"{path.name}.*'warmup'.*Update bnlab"):
        go(runs(3), store=tmp_path / "s", work=log)
    assert path.read_bytes() == before and log.keys() == []


# ------------------------------------------------------------------- executors and disks give up


class Refuses(ThreadPoolExecutor):
    """Takes three tasks and no more."""

    taken = 0

    def submit(self, *task):
        self.taken += 1
        if self.taken > 3:
            raise RuntimeError("cannot schedule new futures after shutdown")
        return super().submit(*task)


def test_an_executor_that_refuses_a_task(reference, tmp_path):
    with Refuses(1) as executor, pytest.raises(SweepStoppedError) as caught:
        go(runs(6), executor, tmp_path)
    assert "takes no task (RuntimeError: cannot schedule" in str(caught.value)
    assert stored(tmp_path) == keys(runs(6)[:3]), "what it had taken is kept"
    assert all_same(go(runs(6), store=tmp_path), reference)


def test_a_worker_that_dies(reference, tmp_path):
    with processes(1) as executor, pytest.raises(SweepStoppedError) as caught:
        go(runs(6), executor, tmp_path, work=dies_on_seed_2)
    assert "a worker died" in str(caught.value) and "new executor" in str(caught.value)
    assert stored(tmp_path) == keys(runs(6)[:2])
    assert all_same(go(runs(6), store=tmp_path), reference)


class Cancels:
    """A cluster that is shut down: it takes everything and brings nothing."""

    def submit(self, *_task):
        future = Future()
        future.cancel()
        future.set_running_or_notify_cancel()
        return future


def test_a_cluster_that_is_shut_down(tmp_path):
    with pytest.raises(SweepStoppedError, match="CancelledError"):
        go(runs(3), Cancels(), tmp_path)


class Loses:
    """As dask does with a task that has killed several workers."""

    def submit(self, task, items):
        future = Future()
        if items[0].seed == 1:
            future.set_exception(MemoryError("killed 4 workers"))
        else:
            future.set_result(task(items))
        return future


def test_a_task_that_the_executor_gives_up_is_a_failure(tmp_path):
    with pytest.raises(SweepError, match=r"1 of 3 runs failed(?s:.*)killed 4 workers") as caught:
        go(runs(3), Loses(), tmp_path)
    assert [one.item.seed for one in caught.value.failures] == [1]
    assert len(stored(tmp_path)) == 2


def test_a_worker_with_other_code(tmp_path, monkeypatch):
    right = tasks.code_digest(computes("torch"))
    answers = iter([right, "another", right, right])
    monkeypatch.setattr(tasks, "code_digest", lambda parts: next(answers, "another"))
    with ThreadPoolExecutor(1) as executor, pytest.raises(SweepStoppedError) as caught:
        go(runs(3), executor, tmp_path)
    assert "other code of bnlab" in str(caught.value) and "Install the same" in str(caught.value)
    monkeypatch.undo()
    error = tasks.OtherCodeError("words")
    assert str(pickle.loads(pickle.dumps(error))) == "words"
    with pytest.raises(tasks.OtherCodeError, match="the worker on"):
        Code(computes("torch"), "another").check()


@needs_full_disk
@pytest.mark.parametrize("with_pool", [False, True])
def test_a_disk_that_fills_up(reference, tmp_path, monkeypatch, with_pool):
    written, write = [], os.fdopen

    def fills_up(handle, *arguments, **options):
        written.append(handle)
        return (write if len(written) < 3 else on_a_full_disk)(handle, *arguments, **options)

    monkeypatch.setattr(files.os, "fdopen", fills_up)
    with ThreadPoolExecutor(1) as threads, pytest.raises(SweepStoppedError) as caught:
        go(runs(6), threads if with_pool else None, tmp_path)
    assert "No space left on device" in str(caught.value) and "same call again" in str(caught.value)
    assert len(stored(tmp_path)) == 2
    monkeypatch.undo()
    assert all_same(go(runs(6), store=tmp_path), reference)


def test_a_store_that_cannot_be_written_is_said_before_anything_is_computed(
    reference, tmp_path, monkeypatch, log
):
    store = tmp_path / "s"
    go(runs(2), store=store)

    def read_only(self, *_args, **_options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))

    monkeypatch.setattr("pathlib.Path.mkdir", read_only)
    assert all_same(go(runs(2), store=store), reference[:2]), "what is there can be read"
    with pytest.raises(SweepStoppedError, match=r"Read-only file system.*nothing was computed"):
        go(runs(3), store=store, work=log)
    assert log.keys() == []


def test_a_file_in_place_of_the_store(tmp_path, log):
    (tmp_path / "s").write_text("something")
    with pytest.raises(SweepStoppedError, match=r"cannot be written.*Name a folder"):
        go(runs(1), store=tmp_path / "s", work=log)
    assert log.keys() == [] and (tmp_path / "s").read_text() == "something"


def test_a_result_that_cannot_be_read(tmp_path, monkeypatch):
    go(runs(1), store=tmp_path)

    def broken(self, **_options):
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(self))

    monkeypatch.setattr("pathlib.Path.read_text", broken)
    with pytest.raises(SweepStoppedError, match=r"cannot be read.*Input/output error"):
        go(runs(1), store=tmp_path)


def test_two_sweeps_on_one_store(tmp_path, log):
    go(runs(2), store=tmp_path / "s")
    with Results(tmp_path / "s", "torch-of-another").writing():
        with pytest.raises(StoreBusyError, match="another sweep is writing"):
            go(runs(3), store=tmp_path / "s", work=log)
        assert len(go(runs(2), store=tmp_path / "s", work=log)) == 2, "reading needs no lock"
    assert log.keys() == []
    go(runs(3), store=tmp_path / "s", work=log)
    assert log.keys() == [runs(3)[2].key()]


def test_interrupted_it_stops_at_once_and_goes_on(reference, tmp_path, log):
    def interrupted(some, engine, device):
        if some[0].seed == 3:
            raise KeyboardInterrupt
        return log(some, engine, device)

    with pytest.raises(KeyboardInterrupt):
        go(runs(6), store=tmp_path / "s", work=interrupted)
    assert all_same(go(runs(6), store=tmp_path / "s", work=log), reference)
    assert sorted(log.keys()) == keys(runs(6))


# -------------------------------------------------------------------------------------- bad input


class HasExecutor:
    """A dask client, which is not an executor itself."""

    def get_executor(self):
        return None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runs": [{"norm": "batch"}]}, "sweep takes Runs.*from_dict"),
        ({"engine": "torhc"}, "Did you mean 'torch'"),
        ({"executor": 4}, r"must be a concurrent\.futures\.Executor, got 4"),
        ({"executor": HasExecutor()}, r"Use client\.get_executor\(\)"),
        ({"chunk": 0}, "chunk must be"),
        ({"chunk": True}, "chunk must be"),
        ({"chunk": 2.0}, "chunk must be"),
    ],
)
def test_nonsense_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        go(**{"runs": runs(1), **options})


@pytest.mark.parametrize("count", [0, -1, 1.5, True])
def test_nonsense_processes_are_refused(count):
    with pytest.raises(ValueError, match="processes must be"):
        processes(count)


def test_as_many_processes_as_cores():
    assert 1 <= cores() <= os.cpu_count()


def test_a_store_refuses_normalizers_whose_code_it_cannot_know(tmp_path, monkeypatch):
    mine = type("Mine", (NORMS["layer"],), {"__module__": "my_notebook"})
    monkeypatch.setitem(NORMS, "mine", mine)
    run = Run(depth=2, width=4, steps=2, norm="mine")
    with pytest.raises(ValueError, match=r"norm 'mine' comes from my_notebook.*store=None"):
        go([run], store=tmp_path)
    assert go([run])[0].run == run
