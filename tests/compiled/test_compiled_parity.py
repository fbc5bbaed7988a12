"""One step of every compiled net against PyTorch: from a fresh state, and from trained ones.

Teacher forcing: PyTorch's state is loaded before each step. Two right implementations that run
freely part after some steps, as one rounding error grows.
"""

import numpy as np
import pytest
import torch
from compiled_cases import (
    BATCHES,
    Heap,
    batch,
    flat,
    net_of,
    optimizer_of,
    relative,
    torch_step,
)
from torch.nn.functional import mse_loss

from bnlab.compiled import artefact
from bnlab.compiled.build import has_compiler
from bnlab.compiled.catalogue import UNDEFINED, catalogue
from bnlab.compiled.nets import Net, compile_nets
from bnlab.compiled.step import State
from bnlab.norms import NORMS

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed")

DEPTHS = (1, 2, 6, 12)
VECTOR_NORMS = [name for name in NORMS if name not in UNDEFINED]
STEPS = 4
KEYS = ("loss", "accuracy", "gradient", "buffers")


def compared(store, net: Net, precision: str, size: int) -> list[dict[str, float]]:
    """Errors of a few steps of one batch size, the last of them in evaluation mode."""
    module = net.module(seed=1).to(getattr(torch, precision))
    heap, errors = Heap.of(store, net, precision), []
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
    for seed in range(STEPS):
        x, y = batch(size, seed)
        heap.load(module, x, y)
        theirs = torch_step(module, x, y)
        heap.gradient(size)
        errors.append({k: relative(heap.read(k, theirs[k].size), theirs[k]) for k in KEYS})
        optimizer.step()
    errors.append(_in_evaluation_mode(heap, module, *batch(size, 99)))
    return errors


def _in_evaluation_mode(heap, module, x, y) -> dict[str, float]:
    heap.load(module, x, y)
    heap.evaluation(len(x))
    with torch.no_grad():
        logits = module.eval()(torch.tensor(x, dtype=next(module.parameters()).dtype))
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(y)).item()
    return {"evaluation": relative(heap.read("loss", 1), np.array([loss]))}


def defined(net: Net, size: int) -> bool:
    """Whether PyTorch takes this batch; the compiled engine asks it too."""
    try:
        net.module().train()(torch.zeros(size, *net.image_shape))
    except ValueError:
        return False
    return True


@pytest.fixture(scope="module")
def convolutional():
    """The plain and the residual net with each normalizer."""
    nets = [net_of(kind, norm, 3, 8) for kind in ("plain", "resnet") for norm in NORMS]
    return compile_nets(nets)[0]


def check(store, net: Net, sizes=BATCHES) -> None:
    """float64: 1e-10 throughout. float32: 1e-5, or a few times what torch itself is off."""
    for size in filter(lambda n: defined(net, n), sizes):
        for errors in compared(store, net, "float64", size):
            assert max(errors.values()) < 1e-10, (net.key, size, errors)
        rough = [max(e.values()) for e in compared(store, net, "float32", size)]
        # A step may be ill conditioned in itself: torch's own float32 shows by how much.
        allowed = max(1e-5, 20 * float(np.median(_of_torch(net, size))))
        assert np.median(rough) < allowed, (net.key, size, rough)


def _of_torch(net: Net, size: int) -> list[float]:
    """Errors of torch's float32 gradient against its float64 one, from the same states."""
    module, errors = net.module(seed=1), []
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
    for seed in range(STEPS):
        exact = net.module(seed=1).double()
        exact.load_state_dict(module.state_dict())
        x, y = batch(size, seed)
        one, other = torch_step(module, x, y), torch_step(exact, x, y)
        errors.append(max(relative(one[k], other[k]) for k in KEYS))
        optimizer.step()
    return errors


@pytest.mark.parametrize("norm", VECTOR_NORMS)
def test_every_mlp_of_the_book(norm):
    store = artefact.load()
    for depth in DEPTHS:
        check(store, net_of("mlp", norm, depth, 64), BATCHES if depth == 6 else (3, 32))


def test_the_catalogue_is_what_was_compiled():
    assert [net.key for net in catalogue()] == list(artefact.load().nets)


@needs_compiler
@pytest.mark.parametrize("kind", ["plain", "resnet"])
@pytest.mark.parametrize("norm", NORMS)
def test_every_convolutional_net(convolutional, kind, norm):
    check(convolutional, net_of(kind, norm, 3, 8))


@needs_compiler
def test_other_depths_widths_and_options():
    nets = [
        Net("mlp", 2, 16, "batch", '{"eps": 0.1, "momentum": 0.5}'),
        Net("mlp", 3, 17, "layer"),
        Net("mlp", 1, 128, "none"),
        Net("mlp", 2, 24, "batch", '{"affine": false}'),
        Net("mlp", 2, 24, "batch", '{"track_running_stats": false}'),
        Net("plain", 1, 3, "batch"),
        Net("resnet", 2, 5, "rms"),
    ]
    store, _ = compile_nets(nets)
    for net in nets:
        check(store, net, (3, 32))


@needs_compiler
def test_squared_error():
    net = Net("mlp", 2, 16, "batch", loss="squared_error")
    store, _ = compile_nets([net], ("float64",))
    module, (x, y) = net.module(1).double(), batch(32, 0)
    heap = Heap.of(store, net, "float64")
    heap.load(module, x, y)
    one_hot = lambda logits, labels: mse_loss(logits, torch.eye(10).double()[labels])  # noqa: E731
    theirs = torch_step(module, x, y, one_hot)
    heap.gradient(32)
    for key in KEYS:
        assert relative(heap.read(key, theirs[key].size), theirs[key]) < 1e-12, key


OPTIMIZERS = [
    ("sgd", {}),
    ("sgd", {"weight_decay": 0.1}),
    ("sgd", {"momentum": 0.9, "weight_decay": 0.01}),
    ("sgd", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("adam", {}),
    ("adam", {"betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
]
CLASSES = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


@pytest.mark.parametrize("name, options", OPTIMIZERS)
@pytest.mark.parametrize("precision, bound", [("float64", 1e-12), ("float32", 1e-5)])
def test_optimizers_are_torchs(name, options, precision, bound):
    net = net_of("mlp", "batch", 2, 64)
    module = net.module(3).to(getattr(torch, precision))
    optimizer = CLASSES[name](module.parameters(), lr=0.03, **options)
    update, inputs = optimizer_of(name, options, 0.03)
    heap = Heap.of(artefact.load(), net, precision, update)
    heap.set(inputs)
    count = sum(State.of(module).params.sizes)
    for seed in range(6):  # slots and powers run freely, parameters and gradient are torch's
        x, y = batch(16, seed)
        gradient = torch_step(module, x, y)["gradient"]
        heap.load(module, x, y)
        heap.machine.write(heap.places["gradient"], gradient)
        before = flat(module.parameters())
        optimizer.step()
        heap.update(count)
        change = flat(module.parameters()) - before
        mine = heap.read("params", count) - before
        rounding = np.abs(before).max() * (1e-15 if precision == "float64" else 1e-6)
        assert np.abs(mine - change).max() < bound * np.abs(change).max() + rounding
