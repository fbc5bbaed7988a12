"""Signals and shift: the net stays as it was, bad input has a clear error, figures have words."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import tests.measure.signals.signal_reference as reference
from bnlab import measure
from bnlab.nets import make_net

WITH_LOSS = {
    "signals": measure.measure_signals,
    "gradients": measure.measure_gradients,
    "output gradients": lambda *a, **o: measure.measure_gradients(*a, of="outputs", **o),
    "cancellation": measure.measure_cancellation,
    "covariate shift": lambda net, loss, x, y, **options: measure.measure_covariate_shift(
        net, loss, x, y, 0.1, **options
    ),
}
ALL = {
    **WITH_LOSS,
    "inputs": lambda net, loss, x, y, **options: measure.layer_inputs(net, x, **options),
    "variances": lambda net, loss, x, y, **_: measure.block_variances(net, x, nn.Linear),
}
with_loss = pytest.mark.parametrize("name", WITH_LOSS)


# Untouched


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("name", ALL)
def test_everything_stays_bit_for_bit(name, mode):
    net, x, y = reference.busy_net()
    before, batch = reference.everything(net), x.clone()
    first = ALL[name](net, cross_entropy, x, y, mode=mode)
    assert reference.same(before, reference.everything(net)) and torch.equal(x, batch)
    again = ALL[name](net, cross_entropy, x, y, mode=mode)  # the same noise, the same numbers
    assert str(first) == str(again)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("place", ["loss", "net", "second pass"])
@pytest.mark.parametrize("name", ALL)
def test_an_interruption_leaves_nothing_behind(name, place, error):
    net, x, y = reference.busy_net()
    calls = 0

    def loss(output, target):
        nonlocal calls
        calls += 1
        if place == "loss" or (place == "second pass" and calls == 2):
            raise error("stop")
        return cross_entropy(output, target)

    class Stop(nn.Module):
        def forward(self, x):
            if place == "net":
                raise error("stop")
            return x

    net.append(Stop())
    before = reference.everything(net)
    try:
        ALL[name](net, loss, x, y)
        assert place != "net" and (place != "loss" or name in ("inputs", "variances"))
    except error as stopped:
        assert str(stopped) == "stop"
    assert reference.same(before, reference.everything(net))


def test_outside_of_autograd_they_work_too():
    net, x, y = reference.busy_net()
    for name, measurement in WITH_LOSS.items():
        with torch.no_grad():
            found = measurement(net, cross_entropy, x, y)
        assert str(found) == str(measurement(net, cross_entropy, x, y)), name


# Bad input


@with_loss
def test_a_loss_that_is_no_scalar(name):
    net, x, y = reference.busy_net()
    with pytest.raises(ValueError, match=r"loss must give a scalar, got shape \(8,\)"):
        WITH_LOSS[name](net, nn.CrossEntropyLoss(reduction="none"), x, y)
    with pytest.raises(ValueError, match=r"loss must give a scalar, got 1\.0"):
        WITH_LOSS[name](net, lambda *_: 1.0, x, y)


@with_loss
def test_a_batch_of_one_with_batch_norm(name):
    net, x, y = reference.busy_net()
    message = "more than one value a channel|more than 1 value per channel|two or more"
    with pytest.raises(ValueError, match=message):
        WITH_LOSS[name](net, cross_entropy, x[:1], y[:1])


@with_loss
def test_weights_that_are_not_finite_are_named(name):
    net, x, y = reference.busy_net()
    net[6].weight.data[0, 0] = np.nan
    with pytest.raises(ValueError, match=r"parameter '6\.weight' holds NaN"):
        WITH_LOSS[name](net, cross_entropy, x, y)


@with_loss
def test_a_loss_that_is_not_finite(name):
    net, x, y = reference.busy_net()
    with pytest.raises(ValueError, match="the loss is nan although all weights are finite"):
        WITH_LOSS[name](net, cross_entropy, x * np.nan, y)


@with_loss
def test_sizes_that_do_not_fit(name):
    net, x, y = reference.busy_net()
    with pytest.raises(ValueError, match="x has 8 samples and y has 7 targets"):
        WITH_LOSS[name](net, cross_entropy, x, y[:7])
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        WITH_LOSS[name](net, cross_entropy, x[:, :3], y)


@with_loss
def test_layers_and_modes_that_are_not_there(name):
    net, x, y = reference.busy_net()
    with pytest.raises(ValueError, match=r"unknown layer '9'.*Known: 0, 1, 2"):
        WITH_LOSS[name](net, cross_entropy, x, y, layers=["9"])
    with pytest.raises(ValueError, match="no module of kind Conv2d"):
        WITH_LOSS[name](net, cross_entropy, x, y, layers=nn.Conv2d)
    with pytest.raises(ValueError, match="layers must name at least one"):
        WITH_LOSS[name](net, cross_entropy, x, y, layers=[])
    with pytest.raises(ValueError, match="mode must be 'train' or 'eval', or None"):
        WITH_LOSS[name](net, cross_entropy, x, y, mode="test")


@pytest.mark.parametrize("name", ["gradients", "covariate shift"])
def test_a_net_without_gradients(name):
    net, x, y = reference.busy_net()
    with pytest.raises(ValueError, match=r"Call net.requires_grad_\(True\)"):
        WITH_LOSS[name](net.requires_grad_(False), cross_entropy, x, y)


@with_loss
def test_a_loss_that_does_not_depend_on_the_net(name):
    net, x, y = reference.busy_net()
    with pytest.raises(ValueError, match="the loss does not depend on a parameter"):
        WITH_LOSS[name](net, lambda a, b: cross_entropy(a.detach(), b), x, y)


def test_layers_that_give_no_tensor_or_are_not_called():
    class Strange(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.idle = nn.LSTM(3, 2, batch_first=True), nn.Linear(2, 2)
            self.flat = nn.Flatten(0)

        def forward(self, x):
            self.flat(x)
            return self.cell(x)[0]

    net, x = Strange(), torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=r"layer 'cell' must give one tensor.*'tuple'"):
        measure.measure_signals(net, None, x, layers="cell")
    with pytest.raises(ValueError, match=r"layer 'flat' must give one tensor.*\(60,\)"):
        measure.measure_signals(net, None, x, layers="flat")
    with pytest.raises(ValueError, match="none of the layers was called"):
        measure.measure_signals(net, None, x)
    with pytest.raises(ValueError, match="two or more"):
        measure.measure_signals(net, None, x[:1])


def test_outputs_that_overflow_are_named():
    net, x, _ = reference.busy_net()
    with pytest.raises(ValueError, match=r"output of layer '0' is not finite or too large"):
        measure.measure_signals(net, None, x * 1e30, layers=["0"])


# Figures


@pytest.fixture(scope="module")
def results():
    """One result of each kind, those included that are hard to draw."""
    net = make_net("mlp", (1, 4, 4), 10, 4, 6, "batch")
    x = torch.randn(12, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    y = torch.arange(12) % 10
    recorder = measure.ShiftRecorder(net, x, every=1)
    dead = measure.ShiftRecorder(nn.Sequential(nn.Linear(2, 2)), torch.ones(4, 2), every=1)
    for step in range(3):
        recorder(step)
        dead(step)
        net.body[1].weight.data.mul_(-1)
    found = {name: call(net, cross_entropy, x, y) for name, call in WITH_LOSS.items()}
    shift = measure.measure_input_shift(
        measure.layer_inputs(net, x), measure.layer_inputs(net, x + 1)
    )
    exploding = measure.measure_covariate_shift(
        make_net("mlp", (1, 4, 4), 10, 4, 6), cross_entropy, x, y, 1e30
    )
    return {
        **found,
        "forward only": measure.measure_signals(net, None, x),
        "power": measure.fit_growth([1.0, 2.1, 2.9, 4.0]),
        "exponential": measure.fit_growth([1.0, 2.1, 4.1, 8.0]),
        "flat": measure.fit_growth([1.0, 1.0, 1.0]),
        "input shift": shift,
        "history": recorder.history(),
        "dead history": dead.history(),
        "exploding": exploding,
    }


def plain(words):
    return not re.search(r"\b(nan|inf)\b", words)


def test_figures_are_whole_and_say_what_they_show(results):
    drawings = {name: result.plot("batch") for name, result in results.items()}
    for name, drawing in drawings.items():
        for svg in drawing.svgs:
            assert ElementTree.fromstring(svg).tag.endswith("svg")
        svgs, alt = "".join(drawing.svgs), drawing.alt
        assert len(alt.split()) > 12 and alt.endswith((".", "%).")), name
        assert plain(alt + drawing.caption + svgs), name
        assert "var(--bnlab-batch" in svgs or name == "dead history", name
    first, last = results["signals"].variance[[0, -1]]
    words = f"from {first:.3g} in the first layer to {last:.3g} in the last"
    assert words in drawings["signals"].alt
    exponential = drawings["exponential"].alt
    assert f"factor {results['exponential'].rate:.3g} per layer" in exponential
    assert "Exponential fits better" in exponential
    assert "Neither fits better" in drawings["flat"].alt
    std = results["gradients"].std[2]
    assert f"root mean square {std:.3g}" in drawings["gradients"].alt
    assert "infinite" in drawings["exploding"].alt
    assert "undefined, no input varies" in drawings["dead history"].alt


def test_several_nets_in_one_figure(results):
    from bnlab.measure.signals.figures import draw_signals

    signals = results["signals"]
    drawing = draw_signals({"none": signals, "batch": signals}, ["cosine"])
    assert len(drawing.svgs) == 1 and plain(drawing.alt)
    assert "var(--bnlab-none" in drawing.svgs[0] and "var(--bnlab-batch" in drawing.svgs[0]
    assert "(no normalizer); from" in drawing.alt and "(batch norm)." in drawing.alt


def test_a_histogram_of_a_named_layer(results):
    gradients = results["gradients"]
    assert "weights of layer head" in gradients.plot(layer="head").alt
    with pytest.raises(ValueError, match=r"no layer 'tail' was measured\. Known: body\.1"):
        gradients.plot(layer="tail")
