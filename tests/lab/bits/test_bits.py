"""Bits: what it offers, the trainings of its nets, and what it says of their signs."""

import itertools
import time

import numpy as np
import pytest
import torch

from bnlab.engines.compiled.catalogue import BINARY_DEPTHS, variants
from bnlab.engines.compiled.nets import Net
from bnlab.engines.compiled.stores import is_ready
from bnlab.lab import Bits
from bnlab.lab.bits.bits import (
    BATCH_SIZE,
    CHOICES,
    LOOKS,
    NETS,
    SEEDS,
    STEPS,
    bits_run,
    shapes,
    trainings,
)
from bnlab.lab.bits.signs import CURVES, EVERY, binary_trainings, look, probe, share_flipped
from bnlab.train import build, make_trainer, train
from tests.lab.kit.contrast import contrast
from tests.lab.kit.heard import Heard, collected

STATE = {
    **{"norms": ["batch", "signs", "none", "standardized"], "depth": 4, "shortcuts": "off"},
    **{"start": "positive", "clip": 0.0, "optimizer": "adam", "lr": 0.005, "seed": SEEDS[0]},
}


class Spoken(Heard, Bits):
    """A widget that is listened to."""


@pytest.fixture
def widget():
    made = Spoken()
    yield made
    made.close()


def unpacked(text):
    return np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8)).astype(bool)


# ---- the nets ------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", BINARY_DEPTHS)
@pytest.mark.parametrize("shortcuts", ["on", "off"])
def test_every_net_that_is_offered_is_compiled_whatever_its_start(shortcuts, depth):
    for name in NETS:
        if (name, shortcuts) == ("bn_free", "off"):
            continue
        key = ("bare_" if shortcuts == "off" else "") + name
        for start in CHOICES["start"]:
            state = {**STATE, "shortcuts": shortcuts, "depth": depth, "start": start}
            run = bits_run(name, state)
            assert Net.of(run).key == variants("binary")[key, depth].key and is_ready(run)


def test_from_its_defaults_signs_alone_stay_behind_and_a_scale_is_enough(widget):
    """So says the chapter of the widget as it is first seen."""
    for seed in SEEDS[:2]:
        state = {**widget.state, "norms": ["batch", "signs", "none"], "seed": seed}
        nets = collected(trainings(state, "compiled"))
        ends = {name: net["accuracy"][-1][1] for name, net in nets.items()}
        assert ends["signs"] < ends["none"] - 0.2 and ends["signs"] < ends["batch"] - 0.2
        assert ends["none"] == pytest.approx(ends["batch"], abs=0.1)
        inside = {name: net["inside"][-1][1] for name, net in nets.items()}
        assert inside["signs"] < 0.5 * inside["batch"]


def test_a_training_is_that_of_its_run():
    state = {**STATE, "norms": ["none"], "clip": 0.02}
    (found,) = collected(trainings(state, "compiled")).values()
    history = train(bits_run("none", state), "compiled")
    assert [value for _, value in found["accuracy"]] == history.val_accuracy[::2].tolist()
    assert found["loss"][-1] == [STEPS, sum(history.loss[-5:]) / 5]
    for key in ("flips", "inside"):
        steps = [step for step, _ in found[key]]
        assert steps == list(range(EVERY if key == "flips" else 0, STEPS + 1, EVERY))
        assert all(0 <= share <= 1 for _, share in found[key])
    assert found["done"] and found["diverged_at"] is None and found["bits"]["step"] == STEPS


def test_torch_and_the_compiled_nets_train_alike_from_the_same_start():
    one, other = (collected(trainings(STATE, e, steps=10)) for e in ("torch", "compiled"))
    for name in STATE["norms"]:
        first, last = ([net[name]["loss"][k][1] for k in (0, -1)] for net in (one, other))
        assert first == pytest.approx(last, rel=0.05), name  # rounding decides some signs


def test_positive_weights_start_as_plus_and_centred_ones_half_and_half():
    for start, share in (("positive", 1.0), ("centred", 0.5)):
        found = look(build(bits_run("none", {**STATE, "start": start})))[0]
        shares = [unpacked(text).mean() for text in found["weights"]]
        assert shares == pytest.approx([share] * 4, abs=0.06)
    standardized = look(build(bits_run("standardized", STATE)))[0]["weights"]
    assert [unpacked(text).mean() for text in standardized] == pytest.approx([0.5] * 4, abs=0.06)


# ---- the signs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["batch", "none", "standardized", "bn_free"])
@pytest.mark.parametrize("depth", BINARY_DEPTHS)
def test_the_bits_are_the_signs_that_the_net_takes(name, depth):
    net = build(bits_run(name, {**STATE, "shortcuts": "on", "depth": depth}))
    before = {key: value.clone() for key, value in net.state_dict().items()}
    found, inside = look(net)
    assert all(torch.equal(value, net.state_dict()[key]) for key, value in before.items())
    seen = []
    for block in net.blocks:
        block.sign.register_forward_hook(lambda *call: seen.append(call))
    with torch.no_grad():
        net.train()(torch.tensor(probe()[0]))
    for layer, (module, (x,), signs) in enumerate(seen):
        shape = shapes(depth)[layer]
        assert signs.shape[1:] == (shape["channels"], shape["side"], shape["side"])
        assert np.array_equal(unpacked(found["signs"][layer]), signs[:3].flatten().numpy() > 0)
        z = x + module.bias.reshape(-1, 1, 1)
        assert inside[layer] == pytest.approx(float((z.abs() < 1).double().mean()))
        filters = net.blocks[layer].conv.filters().detach()
        assert len(filters) == shape["filters"]
        assert np.array_equal(unpacked(found["weights"][layer]), filters.flatten().numpy() > 0)


def test_a_flip_is_a_bit_that_differs():
    assert share_flipped(["f0", "00"], ["f0", "00"]) == 0
    assert share_flipped(["f0", "00"], ["0f", "01"]) == 9 / 16
    trainer = make_trainer(bits_run("none", STATE), "torch", "cpu")
    before = look(trainer.net)[0]["weights"]
    with torch.no_grad():
        trainer.net.blocks[0].conv.weight[0].neg_()
    sizes = [block.conv.weight.numel() for block in trainer.net.blocks]
    flipped = share_flipped(before, look(trainer.net)[0]["weights"])
    assert flipped == pytest.approx(trainer.net.blocks[0].conv.weight[0].numel() / sum(sizes))


def test_what_is_new_comes_every_ten_steps_with_the_bits_of_two_looks():
    contents = [c for _, c in trainings({**STATE, "norms": ["none"]}, "compiled", 30) if c]
    bits = [content["bits"] for content in contents]
    assert [one["step"] for one in bits] == [0, 10, 20, 30] and bits[0]["before"] is None
    for one, other in itertools.pairwise(bits):
        assert other["before"] == one["now"]


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_divergence_is_a_result_and_no_number_is_missing(engine):
    run = bits_run("none", {**STATE, "optimizer": "sgd", "clip": 0.0}, 40).replace(lr=1e6)
    (net,) = collected(binary_trainings({"none": run}, engine)).values()
    assert net["done"] and net["diverged_at"] is not None
    for key in CURVES:
        assert np.isfinite([value for _, value in net[key]]).all()


# ---- the widget ----------------------------------------------------------------------------------


def test_looks_can_be_read_and_told_apart():
    assert set(LOOKS) == set(NETS)
    for theme, ground in (("light", "#ffffff"), ("dark", "#14181e")):
        assert all(contrast(look[theme], ground) >= 4.5 for look in LOOKS.values())
        assert len({look[theme] for look in LOOKS.values()}) == len(NETS)
    assert len({(tuple(look["dash"]), look["marker"]) for look in LOOKS.values()}) == len(NETS)


def test_the_kernel_answers_soon_and_the_newest_request_wins(widget):
    assert widget.wait(60)
    widget.sent.clear()
    begun = time.perf_counter()
    for number in range(1, 20):
        message = {"type": "train", "id": number, "state": {**widget.state, "lr": 0.01}}
        widget._handle_custom_msg(message, [])

    def answered() -> list[int]:
        return [m["id"] for m in list(widget.sent) if m["type"] == "points"]

    while 19 not in answered() and time.perf_counter() < begun + 30:
        time.sleep(0.005)
    widget._handle_custom_msg({"type": "stop", "id": 19}, [])
    assert widget.wait(60)
    assert 19 in answered() and len(set(answered())) < 19
    assert widget.sent[-1]["stopped"] is True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"norms": ["layer"]}, "unknown normalizer 'layer'"),
        ({"norms": []}, "one or more different ones"),
        ({"norms": ["bn_free"], "shortcuts": "off"}, "the BN-free block needs its shortcuts"),
        ({"depth": 3}, "depth must be one of 4, 8"),
        ({"shortcuts": True}, "shortcuts must be one of on, off"),
        ({"start": "negative"}, "start must be one of centred, positive"),
        ({"clip": 0.5}, "clip must be one of 0, 0.02"),
        ({"optimizer": "lawn_adam"}, "optimizer must be one of adam, sgd"),
        ({"lr": 7.0}, "lr must be one of 0.0005"),
        ({"seed": 1}, "seed must be one of 1204"),
        ({"net": "layer"}, "net must be one of batch, signs"),
        ({"layer": 2}, "layer must be one of first, middle, last"),
        ({"predict": 1}, "True or False"),
    ],
)
def test_a_wrong_state_says_what_is_offered(widget, change, message):
    with pytest.raises(ValueError, match=message):
        widget.state = {**widget.state, **change}


def test_what_the_page_is_told_is_what_python_trains(widget):
    options = widget.options
    assert (options["steps"], options["batch_size"]) == (STEPS, BATCH_SIZE)
    assert options["compiled"] == "binary" and options["job"] == "bits"
    assert set(options["shapes"]) == {str(depth) for depth in BINARY_DEPTHS}
    x, labels = probe()
    assert np.array_equal(np.array(options["digits"], np.float32), x[:3].reshape(3, -1))
    assert options["labels"] == labels[:3].tolist() and len(set(options["labels"])) == 3
