"""Compare the speed of memory and rank measurements with the plainest code that is right.

    python benchmarks/measure_memory.py    about ten seconds

Memory: against a loop over the autograd graph that looks at every saved tensor, with the net's
state saved before and loaded after it, since a forward pass moves running statistics. Ranks:
against a loop over resamples that calls scipy.stats.kendalltau. One thread, float32. Speed is a
ratio of processor times, timed in turn in one run, of which the median counts: a busy machine
slows both. The exit status is 1 if a limit is broken.
"""

from __future__ import annotations

import copy
import statistics
import sys
from collections.abc import Callable, Iterator

import measured
import numpy as np
import torch
from measured import Row, cpu_seconds
from scipy import stats
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlab.measure import measure_memory, rank_agreement
from bnlab.measure.ranking.ranking import RESAMPLES
from bnlab.nets import make_net

NETS = {"mlp": (6, 64), "resnet": (4, 16)}  # depth and width
BATCH = 64
ROUNDS = 30
LIMIT = 1.0


def walked(net: nn.Module, x: Tensor, y: Tensor) -> int:
    """Bytes saved for the backward pass, node by node of the graph; the net stays as it was."""
    before = copy.deepcopy(net.state_dict())
    size = bytes_of_graph(net, x, y)
    net.load_state_dict(before)
    return size


def bytes_of_graph(net: nn.Module, x: Tensor, y: Tensor) -> int:
    """What ``walked`` counts; running statistics move."""
    found: dict[int, int] = {}
    start = cross_entropy(net(x), y).grad_fn
    waiting, seen = [start], {start}
    while waiting:
        node = waiting.pop()
        for name in dir(node):
            if name.startswith("_saved_"):
                saved = getattr(node, name)
                for tensor in saved if isinstance(saved, (tuple, list)) else [saved]:
                    # A Python number becomes a tensor of float64; autograd's hooks skip it.
                    if isinstance(tensor, Tensor) and (tensor.ndim or tensor.dtype == x.dtype):
                        storage = tensor.untyped_storage()
                        found[storage.data_ptr()] = storage.nbytes()
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)
    for tensor in (*net.parameters(), *net.buffers(), x, y):
        found.pop(tensor.untyped_storage().data_ptr(), None)
    return sum(found.values())


def looped(truth: np.ndarray, scores: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Kendall's tau of as many resamples of the things."""
    things = len(scores)
    drawn = (rng.integers(things, size=things) for _ in range(RESAMPLES))
    return np.array(
        [np.mean([stats.kendalltau(scores[i], one[i]).statistic for one in truth]) for i in drawn]
    )


def ratio(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> float:
    """Processor time of ours by theirs, the median of the rounds."""
    ours(), theirs()  # the first call of each loads and allocates
    return statistics.median(cpu_seconds(ours) / cpu_seconds(theirs) for _ in range(rounds))


def rows(rounds: int) -> Iterator[Row]:
    """Both measurements."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, 1, 8, 8, generator=generator)
    y = torch.randint(10, (BATCH,), generator=generator)
    for name, (depth, width) in NETS.items():
        net = make_net(name, (1, 8, 8), 10, depth, width, "batch", {"native": True})
        found = ratio(
            lambda net=net: measure_memory(net, cross_entropy, x, y),
            lambda net=net: walked(net, x, y),
            rounds,
        )
        yield Row(f"memory of {name} / walk through the graph", LIMIT, found)
    rng = np.random.default_rng(0)
    truth, scores = rng.normal(size=(3, 30)), rng.normal(size=30)
    found = ratio(
        lambda: rank_agreement(truth, scores),
        lambda: looped(truth, scores, rng),
        max(1, rounds // 10),  # the loop takes seconds
    )
    yield Row("rank agreement / loop over kendalltau", LIMIT, found)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and return 0 if every limit holds, else 1."""
    return measured.main(__doc__, rows, ROUNDS, arguments)


if __name__ == "__main__":
    sys.exit(main())
