"""A race that is killed trains only what is missing; on a GPU parts are stacks of nets."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bnlab.data import cifar
from bnlab.train import Run, train, train_many
from bnlab.verdicts import race
from bnlab.verdicts.race import STACK, Arm
from bnlab.verdicts.work import Work
from tests.data.cifar_files import small_cifar

ROOT = Path(__file__).parents[2]
BASE = Run(
    data="cifar10",
    image_size=16,
    net="plain",
    depth=2,
    width=4,
    net_options={"downsample": "max_pool"},
    optimizer_options={"momentum": 0.9},
    schedule="cosine",
    batch_size=4,
    steps=10,
    eval_every=10,
)
ARMS = {norm: Arm({"norm": norm}, (0.01, 0.03, 0.1)) for norm in ("none", "batch")}
SEEDS = [1, 2, 3]
KILLED = """
    import os, signal, sys
    from pathlib import Path
    from bnlab.train import train
    from bnlab.verdicts import race
    from bnlab.verdicts.work import Work
    from tests.verdicts.test_race import ARMS, BASE, SEEDS

    count = 0

    def killed(run, *options):
        global count
        count += 1
        step = lambda record: record.step == 2 and os.kill(os.getpid(), signal.SIGKILL)
        return train(run, *options, on_step=step if count == int(sys.argv[2]) else None)

    race.train = killed
    race.race(ARMS, BASE, SEEDS, Work(Path(sys.argv[1])))
"""


@pytest.fixture(autouse=True)
def images(tmp_path, monkeypatch):
    """A few images in place of CIFAR-10, for other processes too."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("BNLAB_DATA", str(small_cifar(tmp_path / "data")))
    cifar._load.cache_clear()
    yield
    cifar._load.cache_clear()


@pytest.fixture
def trained(monkeypatch):
    """The Runs that are trained in this process."""
    found = []

    def counted(run, *options):
        found.append(run)
        return train(run, *options)

    monkeypatch.setattr(race, "train", counted)
    return found


def kept(folder):
    return {path.stem: path.read_bytes() for path in folder.glob("*/*.json")}


def test_a_killed_race_trains_only_what_is_missing(tmp_path, trained):
    """Killed in the middle of the search, and again in the middle of the counted seeds."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), *sys.path])
    folder = tmp_path / "kept"
    undisturbed = race.race(ARMS, BASE, SEEDS, Work())
    total, searched = len(trained), sum(run.seed == 0 for run in trained)
    assert total == searched + len(ARMS) * len(SEEDS)
    before = {}
    for moment, there in ((4, 3), (searched - 3 + 2, searched + 1)):
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(folder), str(moment)]
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        now = kept(folder)
        assert len(now) == there, "one net was in flight"
        assert {name: now.get(name) for name in before} == before, "what was kept stays"
        before = now
    trained.clear()
    again = race.race(ARMS, BASE, SEEDS, Work(folder))
    assert len(trained) == total - len(before)
    assert again == undisturbed
    trained.clear()
    assert race.race(ARMS, BASE, SEEDS, Work(folder)) == undisturbed and not trained


def on_a_gpu(work, monkeypatch, parts, **options):
    """The race as on a GPU, computed here."""

    def many(runs, device):
        parts.append(list(runs))
        return train_many(runs, device="cpu")

    monkeypatch.setattr(race, "train_many", many)
    return race.race(ARMS, BASE, SEEDS, work, device="cuda", **options)


def test_on_a_gpu_a_part_holds_nets_that_make_few_stacks(tmp_path, monkeypatch):
    parts = []
    found = on_a_gpu(Work(), monkeypatch, parts, everywhere=True)
    alone = race.race(ARMS, BASE, SEEDS, Work(), everywhere=True)
    assert [row[:3] for row in found["rows"]] == [row[:3] for row in alone["rows"]]
    assert max(map(len, parts)) <= STACK
    for part in parts:
        norms = [run.norm for run in part]
        assert norms == sorted(norms, key=norms.index), "arm after arm: one stack each"
    for row, other in zip(found["rows"], alone["rows"], strict=True):
        assert row[3:5] == pytest.approx(other[3:5], rel=1e-3)


def test_parts_of_another_device_or_size_are_not_taken(tmp_path, trained, monkeypatch):
    work, parts = Work(tmp_path / "kept"), []
    race.race(ARMS, BASE, SEEDS, work)
    count = len(trained)
    assert len({run.key() for run in trained}) == count
    on_a_gpu(work, monkeypatch, parts)
    assert sum(map(len, parts)) == count and len(trained) == count
    race.race(ARMS, BASE, SEEDS, work, image_size=32)
    assert len(trained) >= count + len(SEEDS) * len(ARMS)
    assert {run.image_size for run in trained[count:]} == {32}
    on_a_gpu(work, monkeypatch, parts := [], image_size=16)
    assert not parts, "the same as before"
