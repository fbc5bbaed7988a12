"""The Python side of Family: what the page is given, and what is refused."""

import json

import numpy as np
import pytest

from bnlab.data import digits
from bnlab.lab.family.family import (
    BATCH_SIZES,
    CHANNELS,
    GROUPS,
    NORMS,
    PIXELS,
    POOL,
    POSITIONS,
    Family,
    activations,
    check_state,
)
from bnlab.nets import make_net
from bnlab.norms import NORMS as ALL
from bnlab.norms import make_norm


@pytest.fixture(scope="module")
def family():
    return Family()


def test_numbers_are_the_first_convolution_of_the_plain_net_in_one_decimal():
    """A convolution written out: each number is a sum over a window of 3 x 3 pixels."""
    net = make_net("plain", (1, 8, 8), 10, depth=2, width=6, seed=102)
    kernel = net.body[0].weight.detach().double().numpy()[:, 0]
    image = np.pad(digits().train_x[5, 0].astype(float), 1)
    for i, row in enumerate(POSITIONS):
        for j, column in enumerate(POSITIONS):
            window = image[row : row + 3, column : column + 3]
            exact = (kernel * window).sum((1, 2))
            shown = activations()[5, :, i, j].numpy()
            assert np.abs(shown - exact).max() < 0.0501
            assert np.abs(shown * 10 - np.rint(shown * 10)).max() < 1e-12


@pytest.mark.parametrize("channels", CHANNELS)
def test_pool_holds_the_first_training_images(channels):
    options = Family(channels=channels).options
    assert len(options["pool"]) == POOL
    assert options["shape"] == [channels, 2, 2]
    assert options["group_sizes"] == [d for d in range(1, channels + 1) if channels % d == 0]
    for i, sample in enumerate(options["pool"]):
        pixels = [PIXELS.index(sign) for sign in sample["pixels"]]
        assert np.array_equal(pixels, np.rint(digits().train_x[i].ravel() * 6 + 5))
        assert sample["digit"] == digits().train_y[i]
        assert sample["values"] == activations()[i, :channels].flatten().tolist()


def test_there_are_always_others_to_change_to():
    assert 2 * max(BATCH_SIZES) <= POOL


def test_stored_statistics_are_where_running_statistics_settle(family):
    """Batches of 64 training images, 400 steps: the running average comes near and stays."""
    norm = make_norm("batch", 6, momentum=0.02).double()
    x = activations()
    order = np.random.default_rng(0)
    for _ in range(400):
        norm(x[order.choice(len(x), 64, replace=False)])
    stored = family.options["stored"]["batch"]
    assert norm.running_mean.tolist() == pytest.approx(stored["mean"], abs=0.1)
    assert norm.running_var.tolist() == pytest.approx(stored["var"], rel=0.1)


def test_every_normalizer_is_offered_once_in_the_menu(family):
    assert sorted(NORMS) == sorted(ALL) and len(NORMS) == 16
    assert family.options["groups"] == [
        {"label": label, "norms": list(norms)} for label, norms in GROUPS.items()
    ]
    assert [n for one in family.options["groups"] for n in one["norms"]] == family.options["norms"]


def test_stored_statistics_are_those_of_all_images(family):
    x = activations().numpy().swapaxes(0, 1).reshape(6, -1)
    count = x.shape[1]
    mean = x.sum(1) / count
    squares = ((x - mean[:, None]) ** 2).sum(1)
    biased, unbiased = squares / count, squares / (count - 1)
    pair = {"mean": mean, "var": unbiased}
    wanted = {
        "batch": pair,
        "ghost_batch": pair,
        "noisy_batch": pair,
        "batch_renorm": {"mean": mean, "var": biased},
        "variance": {"var": unbiased},
        "evonorm_b0": {"var": biased},
        "l1_batch": {"mean": mean, "norm": np.abs(x).sum(1) / count},
        "l2_batch": {"mean": mean, "norm": np.sqrt((x**2).sum(1) / count)},
        "linf_batch": {"mean": mean, "norm": np.abs(x).max(1)},
    }
    stored = family.options["stored"]
    assert stored.keys() == wanted.keys()
    for norm, statistics in wanted.items():
        assert stored[norm].keys() == statistics.keys()
        for key, values in statistics.items():
            assert stored[norm][key] == pytest.approx(values.tolist(), abs=0.00502), (norm, key)
            assert [round(value, 2) for value in stored[norm][key]] == stored[norm][key]
    assert family.options["images"] == len(digits().train_x)


def test_eps_is_each_normalizers_own(family):
    smaller = {norm for norm, eps in family.options["eps"].items() if eps == 1e-6}
    assert smaller == {"filter_response"}
    others = set(NORMS) - smaller - {"none"}
    assert {norm for norm, eps in family.options["eps"].items() if eps == 1e-5} == others


def test_no_pool_of_the_block_is_constant(family):
    """Four equal numbers have the variance zero: nothing could be seen in them."""
    for sample in family.options["pool"]:
        assert np.reshape(sample["values"], (6, 4)).std(1).min() > 0.05


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_every_start_is_a_state(norm, batch_size):
    for mode in ("train", "eval"):
        for channels in CHANNELS:
            family = Family(norm, mode, batch_size, channels)
            json.dumps([family.options, family.state], allow_nan=False)
            assert check_state(family.state, family.options) == family.state
            assert family.state["ghost_size"] <= batch_size
            assert channels % family.state["group_size"] == 0


def test_state_is_what_was_asked_for():
    family = Family("group", "eval", 8, 6, 2, 4, cell=(7, 5, 1, 1), samples=range(8, 16))
    assert family.state == {
        "norm": "group",
        "mode": "eval",
        "batch_size": 8,
        "group_size": 2,
        "ghost_size": 4,
        "cell": [7, 5, 1, 1],
        "samples": list(range(8, 16)),
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"norm": "bach"}, "unknown normalizer 'bach'. Did you mean 'batch'"),
        ({"norm": "weight"}, "Known: batch, ghost_batch, batch_renorm, noisy_batch"),
        ({"mode": "test"}, "mode must be one of train, eval, got 'test'"),
        ({"batch_size": 3}, "batch_size must be one of 1, 2, 4, 8, got 3"),
        ({"batch_size": True}, "batch_size must be one of"),
        ({"batch_size": None}, "batch_size must be one of"),
        ({"channels": 5}, "channels must be one of 2, 3, 4, 6, got 5"),
        ({"group_size": 4}, "group_size must be one of 1, 2, 3, 6, got 4"),
        ({"ghost_size": 3}, "ghost_size must be one of 1, 2, 4, 8, got 3"),
        ({"ghost_size": 8}, "ghost_size must be at most batch_size=4, got 8"),
        ({"cell": (4, 0, 0, 0)}, r"block of shape \(4, 6, 2, 2\), got \[4, 0, 0, 0\]"),
        ({"cell": (0, 0, 0, -1)}, "counted from 0"),
        ({"cell": (0, 0)}, "sample, channel, row and column"),
        ({"cell": (0, 0, 0, 0.0)}, "cell must be a list"),
        ({"cell": "0000"}, "cell must be a list of integers"),
        ({"samples": (0, 1, 2)}, "samples must be a list of 8 different integers from 0 to 23"),
        ({"samples": [0] * 8}, "8 different integers"),
        ({"samples": range(17, 25)}, "from 0 to 23"),
        ({"samples": 5}, "samples must be a list of integers"),
    ],
)
def test_bad_arguments_list_what_is_offered(arguments, message):
    with pytest.raises(ValueError, match=message):
        Family(**arguments)


def test_state_set_from_python_is_checked(family):
    with pytest.raises(ValueError, match="mode must be one of"):
        family.state = {**family.state, "mode": "off"}
    with pytest.raises(ValueError, match="exactly the keys"):
        family.state = {"norm": "batch"}
    family.state = {**family.state, "mode": "eval"}
    assert family.state["mode"] == "eval"
