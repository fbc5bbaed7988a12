"""The accuracy of every architecture of the widget's space, each trained alone.

``python -m bnlab.lab.choices.choices_truth --seeds 2`` measures what is missing for the first two
seeds and writes ``choices_truth.json``; interrupted, the same command goes on.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from pathlib import Path

import numpy as np

from bnlab import sweep
from bnlab.chapters.bn_nas.space import BASE, paths
from bnlab.chapters.bn_nas.trainings import alone
from bnlab.data import load
from bnlab.lab.choices.supernets import TRUTH_SEEDS, alone_run
from bnlab.lab.kit.replay import compute
from bnlab.store import Results, write_text
from bnlab.train import Run

TRUTH = Path(__file__).with_name("choices_truth.json")
KEPT = Path(".cache/replay/choices_truth")
COMPUTES = ("norms", "nets", "optim", "data", "runs", "train", "engines/eager.py", "random.py")


@functools.lru_cache(maxsize=1)
def truth() -> dict[str, object]:
    """What the file says, which ``measure`` made."""
    return json.loads(TRUTH.read_text(encoding="utf-8"))


def accuracy(run: Run) -> dict[str, float]:
    """Train one net alone; its accuracy on the test images."""
    return {"test": alone(run, run.net_options["path"], run.seed)}


def measure(seeds: tuple[int, ...], processes: int = 1) -> dict[str, object]:
    """The content of the file: how many test images each path gets right, a list for each seed."""
    runs = [alone_run(path, seed) for seed in seeds for path in paths()]
    code = sweep.Code.of(COMPUTES)
    found = compute(runs, Results(KEPT, code.digest), code, processes, accuracy)
    images = len(load(BASE.data).test_y)
    right = np.rint(images * np.array([one["test"] for one in found])).astype(int)
    rows = right.reshape(len(seeds), -1).tolist()
    return {"run": BASE.to_dict(), "seeds": list(seeds), "images": images, "right": rows}


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=len(TRUTH_SEEDS), help="how many")
    parser.add_argument("--processes", type=int, default=1, help="trainings at once")
    given = parser.parse_args(arguments)
    content = measure(TRUTH_SEEDS[: given.seeds], given.processes)
    write_text(TRUTH, json.dumps(content, separators=(",", ":")) + "\n")
    print(f"{TRUTH.name}: {TRUTH.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
