"""``train(run, engine="compiled")``: the same History as torch's, and clear errors."""

import functools
import math
import sys

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bnlab.data import DATASETS, Dataset, digits
from bnlab.engines.compiled import NotSupportedError, stores
from bnlab.engines.compiled.compiler import build
from bnlab.engines.compiled.compiler.affine import Size, size
from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.compiler.graph import Lowering
from bnlab.engines.compiled.compiler.trace import named_modules, trace
from bnlab.engines.compiled.machine import EngineMissingError
from bnlab.engines.compiled.update import update_of
from bnlab.measure import measure_signals
from bnlab.train import Run, make_trainer, train

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed")

BASE = Run(depth=4, batch_size=16, steps=30, eval_every=7, lr=0.05, precision="float64")
PARTS = ("train", "val", "test")
ARRAYS = ("loss", "accuracy", "step", "val_accuracy", "val_accuracy_train_mode")


@pytest.mark.parametrize("norm", ["none", "batch_renorm", "noisy_batch"])
def test_a_history_is_torchs(norm):
    run = BASE.replace(norm=norm, norm_options={} if norm == "none" else {"eps": 1e-5})
    one, other = train(run, device="cpu"), train(run, engine="compiled")
    for name in ARRAYS:
        assert np.allclose(getattr(one, name), getattr(other, name), rtol=1e-10, atol=0), name
    assert one.test_accuracy == pytest.approx(other.test_accuracy, abs=1e-12)
    assert one.diverged_at is other.diverged_at is None
    assert other.run == run and "kernels" in other.versions


def zoomed(_: int, times: int = 2) -> Dataset:
    """The digits in three colours, each pixel a square of them."""
    data, larger = digits(), np.ones((1, 3, times, times), np.float32)
    parts = {f"{part}_x": np.kron(getattr(data, f"{part}_x"), larger) for part in PARTS}
    labels = {f"{part}_y": getattr(data, f"{part}_y") for part in PARTS}
    return Dataset("zoomed", 10, **parts, **labels)


@needs_compiler
def test_images_of_16_pixels_train_as_in_torch(monkeypatch):
    monkeypatch.setitem(DATASETS, "zoomed", zoomed)
    run = BASE.replace(data="zoomed", net="plain", depth=2, width=4, norm="batch", steps=5)
    one, other = train(run, device="cpu"), train(run, engine="compiled")
    assert np.allclose(one.loss, other.loss, rtol=1e-10, atol=0, equal_nan=True)
    assert one.test_accuracy == pytest.approx(other.test_accuracy, abs=1e-12)


def test_larger_images_are_left_to_torch(monkeypatch):
    monkeypatch.setitem(DATASETS, "zoomed", functools.partial(zoomed, times=3))
    with pytest.raises(ValueError, match=r"16 x 16.*engine='torch'"):
        train(BASE.replace(data="zoomed"), engine="compiled")


def test_steps_come_one_by_one_and_twice_the_same():
    run, seen = BASE.replace(norm="batch", precision="float32", steps=150), []
    one, other = train(run, engine="compiled", on_step=seen.append), train(run, engine="compiled")
    assert [step.step for step in seen] == list(range(151))
    assert one.loss.tobytes() == other.loss.tobytes()
    assert one.step.tolist() == [*range(0, 150, 7), 150]


@pytest.mark.parametrize("norm, lr", [("none", 3.0), ("none", 1e4), ("none", 1.0), ("rms", 1e9)])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_divergence_comes_at_the_same_step(norm, lr, precision):
    run = BASE.replace(norm=norm, lr=lr, precision=precision)
    one, other = train(run, device="cpu"), train(run, engine="compiled")
    assert one.diverged_at == other.diverged_at
    assert len(one.loss) == len(other.loss)
    assert np.array_equal(np.isfinite(one.loss), np.isfinite(other.loss))
    assert math.isnan(one.test_accuracy) == math.isnan(other.test_accuracy)


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_nan_and_infinity_come_through_relu_max_and_the_statistics(poison):
    for norm, options in (("batch", {}), ("linf_batch", {}), ("filter_response", {})):
        options = {"learnable_eps": True} if norm == "filter_response" else options
        trainer = make_trainer(BASE.replace(norm=norm, norm_options=options), "compiled")
        trainer.machine.write(trainer.places["params"] + 70, [poison])
        assert not math.isfinite(trainer.update(np.arange(16))[0])


def test_the_net_comes_back_trained():
    run = BASE.replace(norm="noisy_batch")
    one, other = make_trainer(run), make_trainer(run, "compiled")
    for trainer in (one, other):
        assert len(list(trainer.steps())) == run.steps + 1
    theirs = one.net.state_dict()
    for name, value in other.net.state_dict().items():
        assert torch.allclose(value.double(), theirs[name].double(), rtol=1e-9, atol=1e-12), name


SMALL = Run(depth=2, width=16, batch_size=8, steps=12, eval_every=5, lr=0.05, precision="float64")
NOT_IN_THE_BOOK = [
    {"net": "resnet", "depth": 1, "width": 4, "norm": "batch"},
    {"net": "resnet", "depth": 2, "width": 4, "norm": "batch"},  # a slice in its shortcut
    {"norm": "batch", "weight_norm": "weight_norm", "weight_norm_options": {"eligible": "hidden"}},
    {"norm": "batch", "loss": "squared_error", "label_noise": 0.3, "gamma": 0.2},
    {"norm": "layer", "clip": 0.05},
    {"norm": "batch", "optimizer": "lawn_sgd", "optimizer_options": {"free_steps": 5}},
    {"optimizer": "lawn_sgd", "optimizer_options": {"momentum": 0.9, "nesterov": True}, "clip": 1},
    {"optimizer": "lawn_adam", "optimizer_options": {"part": "tail"}, "norm": "layer"},
]


@needs_compiler
@pytest.mark.parametrize("changes", NOT_IN_THE_BOOK, ids=lambda c: " ".join(map(str, c.values())))
def test_a_net_that_is_not_in_the_book_is_compiled(changes):
    run = SMALL.replace(**changes)
    one, other = train(run, device="cpu"), train(run, engine="compiled")
    assert np.allclose(one.loss, other.loss, rtol=1e-9, atol=0)
    for name in ARRAYS:
        assert np.allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=0), name


def test_lawn_that_is_free_for_ever_is_its_base():
    run = BASE.replace(optimizer="lawn_adam", optimizer_options={"free_steps": None}, lr=0.01)
    base = run.replace(optimizer="adam", optimizer_options={})
    one, other = train(run, engine="compiled"), train(base, engine="compiled")
    assert one.loss.tobytes() == other.loss.tobytes()


def test_gamma_and_wrong_labels_need_no_other_program():
    run = BASE.replace(norm="batch", gamma=0.1, label_noise=0.5)
    one, other = train(run, device="cpu"), train(run, engine="compiled")
    assert np.allclose(one.loss, other.loss, rtol=1e-9, atol=0)
    assert abs(one.loss[0] - train(run.replace(gamma=1.0), engine="compiled").loss[0]) > 0.01


@needs_compiler
def test_lawn_needs_weights_with_a_direction():
    fixup = {"net": "resnet", "depth": 1, "width": 4, "net_options": {"branch": "fixup"}}
    run = SMALL.replace(optimizer="lawn_sgd", **fixup)
    with pytest.raises(ValueError, match="has no direction"):
        train(run, engine="compiled")


def test_metrics_are_those_of_the_last_batch():
    trainer = make_trainer(BASE.replace(norm="batch"), "compiled")
    numbers = next(trainer.batches)
    net, (x, y) = trainer.net, trainer.batch(numbers, 1)
    x, y = torch.tensor(x, dtype=torch.float64), torch.tensor(y)
    gradient = torch.autograd.grad(cross_entropy(net.train()(x), y), [*net.parameters()])
    signals = measure_signals(net, None, x, layers=torch.nn.ReLU)
    trainer.update(numbers)
    metrics = trainer.last_metrics()
    norm = torch.cat([g.flatten() for g in gradient]).norm().item()
    assert metrics["norm"] == pytest.approx(norm, rel=1e-10)
    expected = np.stack([signals.mean, signals.variance, signals.dead], 1)
    assert np.allclose(metrics["layers"], expected, rtol=1e-10, atol=1e-14)
    trainer.evaluate(trainer.data.val_x, trainer.data.val_y, False)
    with pytest.raises(RuntimeError, match="right after update"):
        trainer.last_metrics()


def test_lawn_around_the_net_of_its_widget_needs_no_compiler(monkeypatch):
    monkeypatch.setattr(stores, "has_compiler", lambda: False)
    run = SMALL.replace(depth=3, width=64, norm="none", optimizer="lawn_adam", lr=0.01)
    run = run.replace(optimizer_options={"free_steps": 5}, label_noise=0.2)
    one, other = train(run, device="cpu"), train(run, engine="compiled")
    assert np.allclose(one.loss, other.loss, rtol=1e-9, atol=0)
    with pytest.raises(ValueError, match=r"'mlp 2x64 none' with lawn all adam is not among"):
        train(run.replace(depth=2), engine="compiled")


def test_a_net_that_is_not_in_the_book_without_a_compiler(monkeypatch):
    monkeypatch.setattr(stores, "has_compiler", lambda: False)
    with pytest.raises(ValueError, match=r"mlp 4x33 none' is not among .* ziglang"):
        train(BASE.replace(width=33), engine="compiled")


def test_memory_stays_flat_over_50000_steps(monkeypatch):
    monkeypatch.setenv("BNLAB_MACHINE", "wasmtime")
    # A module without imports has no memory but this one, and nothing in it asks for more.
    run = Run(depth=1, norm="layer", batch_size=1, steps=50_000, eval_every=10_000, lr=1e-3)
    trainer = make_trainer(run, "compiled")
    memory, store = trainer.machine._memory, trainer.machine.store
    before, address = memory.data_len(store), trainer.machine.heap.ctypes.data
    *_, last = trainer.steps()
    assert last.step == 50_000
    assert (memory.data_len(store), trainer.machine.heap.ctypes.data) == (before, address)


# ------------------------------------------------------------------------------------- errors


def test_sizes_that_are_not_supported():
    with pytest.raises(ValueError, match="needs 301"):
        train(BASE.replace(batch_size=301), engine="compiled")
    with pytest.raises(ValueError, match="runs on the CPU"):
        train(BASE, engine="compiled", device="cuda")
    with pytest.raises(ValueError, match="more than one value"):
        train(BASE.replace(norm="batch", batch_size=1), engine="compiled")


def test_without_wasmtime(monkeypatch):
    monkeypatch.setenv("BNLAB_MACHINE", "wasmtime")
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    with pytest.raises(EngineMissingError, match="pip install wasmtime"):
        train(BASE, engine="compiled")


def test_without_a_compiler(monkeypatch):
    monkeypatch.setattr(build, "has_compiler", lambda: False)
    with pytest.raises(build.CompilerMissingError, match="pip install ziglang"):
        build.wasm("")


@needs_compiler
def test_c_that_is_wrong():
    with pytest.raises(RuntimeError, match="the C compiler refused"):
        build.wasm("no C")


def test_dampening_is_not_compiled():
    with pytest.raises(ValueError, match="dampening is not compiled"):
        update_of("sgd", 0.1, {"momentum": 0.9, "dampening": 0.5})


def test_an_unsupported_operation_is_named_with_its_module():
    net = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.ELU())
    with named_modules(net):
        module = trace(lambda x: (net(x),), [torch.zeros(6, 3)], (0,))
    with pytest.raises(NotSupportedError, match=r"module '1' .* operation elu"):
        Lowering().run(module.graph, ["x"], [["y"]])


def test_a_net_that_works_for_one_batch_size_alone_is_refused():
    with pytest.raises(RuntimeError, match="became the constant 6"):
        trace(lambda x: (x.reshape(6, 3),), [torch.zeros(6, 3)], (0,))


def test_a_size_that_is_no_multiple_of_the_batch_is_refused():
    with pytest.raises(ValueError, match="square of the batch"):
        Size(size(1).a + 1) * Size(size(1).a + 1)
