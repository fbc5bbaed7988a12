"""Profiles: the numbers, the stored file that holds them, and the messages that carry them."""

import base64
import gzip
import itertools
import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.lab import Profiles, site
from bnlab.lab.kit.images import batch
from bnlab.lab.kit.replay import make
from bnlab.lab.profiles.profile import QUANTITIES, SEEDS, Setting, profile, profiles, spread
from bnlab.lab.profiles.profile_grid import ProfileGrid, decades, log_codes, unit_codes
from bnlab.lab.profiles.profiles import check_state
from bnlab.verdicts.evidence import results_folder

FILE = results_folder().parent / "assets" / "replay" / "profiles.js"
TINY = ProfileGrid(("plain",), ("none", "group"), (2, 3), (8,), (2, 4))

# ---- the numbers -------------------------------------------------------------------------------


def outputs(net, x):
    """Blocks of the residual net, ReLUs of the plain one, in order; then the logits."""
    if hasattr(net, "blocks"):
        x, found = net.stem(x), []
        for block in net.blocks:
            found.append(block(x))
            x = found[-1]
        return [*found, net.head(x.mean((2, 3)))]
    found = []
    for module in net.body:
        x = module(x)
        if isinstance(module, nn.ReLU):
            found.append(x)
    return [*found, net.head(x.mean((2, 3)))]


def by_definition(net, x, y):
    """Variance, cosine and gradient norm of each layer, in float64, from their formulas."""
    *layers, logits = outputs(net.double().train(), x.double())
    chosen = logits.log_softmax(1)[torch.arange(len(y)), y]
    gradients = torch.autograd.grad(-chosen.mean(), layers)
    rows = {name: [] for name in QUANTITIES}
    for layer, gradient in zip(layers, gradients, strict=True):
        a = layer.detach()
        channels = a.transpose(0, 1).flatten(1)
        squares = (channels - channels.mean(1, keepdim=True)) ** 2
        rows["variance"].append(float(squares.mean()))
        flat = a.flatten(1)
        pairs = [
            float(flat[i] @ flat[j] / (flat[i] @ flat[i] * (flat[j] @ flat[j])).sqrt())
            for i, j in itertools.combinations(range(len(flat)), 2)
        ]
        rows["cosine"].append(np.mean(pairs))
        rows["gradient_norm"].append(float((gradient**2).sum().sqrt()))
    return rows


@pytest.mark.parametrize(
    "setting",
    [
        Setting("residual", "batch", 3, 8),
        Setting("residual", "group", 2, 8, 4),
        Setting("plain", "none", 4, 8),
        Setting("plain", "layer", 2, 8),
        Setting("residual", "scaled_weight_standardization", 2, 8),
    ],
    ids=Setting.key,
)
def test_profile_is_that_of_the_definitions(setting):
    found = profile(setting.make(3), setting.layers(), *batch())
    expected = by_definition(setting.make(3), *batch())
    for name in QUANTITIES:
        assert len(found[name]) == setting.depth
        assert found[name] == pytest.approx(expected[name], rel=2e-4)


def test_the_group_size_reaches_the_net():
    alone, pairs = (Setting("plain", "group", 2, 8, size).make(0) for size in (1, 2))
    instance = profile(
        Setting("plain", "instance", 2, 8).make(0),
        Setting("plain", "none", 2, 8).layers(),
        *batch(),
    )
    layers = Setting("plain", "group", 2, 8, 1).layers()
    assert profile(alone, layers, *batch())["variance"] == pytest.approx(instance["variance"])
    assert profile(pairs, layers, *batch())["variance"] != pytest.approx(instance["variance"])


def test_nets_of_a_seed_differ_in_the_normalizer_alone():
    nets = [Setting("residual", norm, 2, 8).make(100) for norm in ("none", "batch")]
    assert torch.equal(*(net.blocks[1].conv2.weight for net in nets))


def test_what_follows_an_overflow_is_none():
    setting = Setting("plain", "none", 4, 8)
    net = setting.make(0)
    with torch.no_grad():
        net.body[6].weight *= 1e30  # the third convolution
        net.body[9].weight *= 1e30  # the fourth: beyond float32
    found = profile(net, setting.layers(), *batch())
    before = profile(setting.make(0), setting.layers(), *batch())
    # The variance of the third is beyond float32 too.
    for name in ("variance", "cosine"):
        assert found[name] == [*before[name][:2], None, None]
    assert found["gradient_norm"] == [None] * 4


def test_a_loss_that_overflows_leaves_the_forward_signals():
    setting = Setting("plain", "none", 3, 8)
    net = setting.make(0)
    with torch.no_grad():
        net.head.weight *= math.inf
    found, before = (profile(n, setting.layers(), *batch()) for n in (net, setting.make(0)))
    assert found["variance"] == before["variance"] and found["cosine"] == before["cosine"]
    assert found["gradient_norm"] == [None] * 3


def test_a_net_that_overflows_at_once_has_no_value():
    setting = Setting("plain", "none", 2, 8)
    net = setting.make(0)
    with torch.no_grad():
        net.body[0].weight *= math.inf
    assert profile(net, setting.layers(), *batch()) == {name: [None] * 2 for name in QUANTITIES}


def test_spread_is_median_and_range():
    values = ([1.0, 2.0], [4.0, None], [2.0, 3.0], [10.0, 3.0])
    found = spread([{name: list(one) for name in QUANTITIES} for one in values])
    assert found["cosine"] == [[3.0, 1.0, 10.0], None]
    assert set(found) == set(QUANTITIES)


def test_profiles_are_over_all_seeds():
    setting = Setting("plain", "none", 2, 8)
    single = [profile(setting.make(seed), setting.layers(), *batch()) for seed in SEEDS]
    variances = np.array([one["variance"] for one in single])
    expected = np.stack([np.median(variances, 0), variances.min(0), variances.max(0)], 1)
    assert len(SEEDS) == 8
    assert profiles(setting)["variance"] == expected.tolist()


# ---- two bytes a number ------------------------------------------------------------------------


def test_codes_keep_three_digits_and_more():
    values = np.geomspace(2e-7, 4e9, 5001)
    low, high = decades(values)
    assert [low, high] == [-7, 10]
    codes = log_codes(values, low, high)
    assert codes.dtype == np.uint16 and codes.min() >= 1 and codes.max() <= 65534
    back = 10 ** (low + (high - low) * (codes.astype(float) - 1) / 65533)
    assert np.abs(back / values - 1).max() < 1e-3
    cosines = np.linspace(0, 1, 5001)
    assert np.abs((unit_codes(cosines).astype(float) - 1) / 65533 - cosines).max() < 1e-5


def test_zero_and_what_is_not_finite_have_codes_of_their_own():
    assert log_codes(np.array([0.0, 1e-2, 1e3, math.nan, math.inf]), -2, 3).tolist() == [
        0,
        1,
        65534,
        65535,
        65535,
    ]
    assert unit_codes(np.array([0.0, 1.0, 1.0000001, math.nan])).tolist() == [
        1,
        65534,
        65534,
        65535,
    ]


def test_values_too_far_apart_are_refused():
    assert decades(np.array([1e-20, 1e36, 0.0, math.nan])) == [-20, 36]
    with pytest.raises(ValueError, match="from 1e-20 to 1e38 do not fit"):
        decades(np.array([1e-20, 1e38]))


class Stored:
    """The file, read from its description alone."""

    def __init__(self, path):
        text = path.read_text(encoding="utf-8")
        head = "(globalThis.bnlabReplay ??= {}).profiles = "
        assert text.startswith(head) and text.endswith(";\n")
        self.data = json.loads(text[len(head) : -2])
        self.axes = self.data["axes"]

    def settings(self):
        return itertools.product(*self.axes.values())

    def codes(self, name):
        return np.frombuffer(base64.b64decode(self.data[name]), "<u2").astype(float)

    def values(self, name):
        q = self.codes(name)
        low, high = self.data["ranges"].get(name, (0, 0))
        share = (q - 1) / 65533
        found = (
            share if name == "cosine" else np.where(q == 0, 0, 10 ** (low + (high - low) * share))
        )
        return np.where(q == 65535, np.nan, found)

    def profile(self, name, wanted):
        at, values = 0, self.values(name)
        for setting in self.settings():
            depth = setting[0]
            if setting == wanted:
                return values[at : at + 3 * depth].reshape(3, depth).T
            at += 3 * depth
        raise AssertionError(f"{wanted} is not stored")


@pytest.fixture(scope="module")
def stored():
    return Stored(FILE)


def test_a_file_holds_what_was_computed(tmp_path):
    size = make("profiles", TINY, tmp_path / "profiles.js", tmp_path / "kept")
    assert size == len(gzip.compress((tmp_path / "profiles.js").read_bytes(), mtime=0))
    found = Stored(tmp_path / "profiles.js")
    assert found.axes["variant"] == ["none", "group-2", "group-4"]
    for depth, net, width, variant in found.settings():
        norm, _, group_size = variant.partition("-")
        own = profiles(Setting(net, norm, depth, width, int(group_size) if group_size else None))
        for name in QUANTITIES:
            close = {"abs": 1e-5} if name == "cosine" else {"rel": 1e-3}
            table = found.profile(name, (depth, net, width, variant))
            assert table == pytest.approx(np.array(own[name]), **close)


def test_layers_without_a_finite_value_are_stored_as_such(tmp_path):
    results = [
        {name: [[0.5, 0.25, 0.75]] * (run.depth - 1) + [None] for name in QUANTITIES}
        for run in TINY.runs()
    ]
    path = tmp_path / "profiles.js"
    text = json.dumps(TINY.pack(results), allow_nan=False)
    path.write_text(f"(globalThis.bnlabReplay ??= {{}}).profiles = {text};\n")
    for name in QUANTITIES:
        table = Stored(path).profile(name, (2, "plain", 8, "none"))
        assert table[0] == pytest.approx([0.5, 0.25, 0.75], rel=1e-3)
        assert np.isnan(table[1]).all()


SAMPLE = [
    (4, "residual", 16, "none"),
    (4, "residual", 64, "group-16"),
    (8, "plain", 32, "batch"),
    (12, "residual", 16, "group-1"),
    (12, "plain", 16, "rms"),
    (18, "residual", 16, "batch"),
    (18, "plain", 16, "instance"),
    (18, "residual", 32, "scaled_weight_standardization"),
    (18, "plain", 32, "layer"),
]


@pytest.mark.parametrize("wanted", SAMPLE, ids=lambda one: "-".join(map(str, one)))
def test_the_stored_profiles_are_this_code_s(stored, wanted):
    depth, net, width, variant = wanted
    norm, _, group_size = variant.partition("-")
    own = profiles(Setting(net, norm, depth, width, int(group_size) if group_size else None))
    for name in QUANTITIES:
        close = {"abs": 1e-4} if name == "cosine" else {"rel": 1e-3}
        assert stored.profile(name, wanted) == pytest.approx(np.array(own[name]), **close)


def test_the_stored_grid_is_what_the_widget_offers(stored):
    widget = Profiles()
    offered, grid = widget.options, site.stored()["profiles"]
    widget.close()
    axes = {"depth": "depths", "net": "nets", "width": "widths"}
    assert {axis: offered[key] for axis, key in axes.items()} == {
        axis: stored.axes[axis] for axis in axes
    }
    groups = [f"group-{size}" for size in offered["group_sizes"]]
    others = [norm for norm in offered["norms"] if norm != "group"]
    assert sorted(stored.axes["variant"]) == sorted([*others, *groups])
    assert stored.data["seeds"] == offered["seeds"] and stored.data["images"] == offered["images"]
    numbers = sum(9 * setting[0] for setting in stored.settings())
    assert sum(len(stored.codes(name)) for name in QUANTITIES) == numbers
    assert len(grid.runs()) == len(list(stored.settings()))
    assert len(gzip.compress(FILE.read_bytes())) < 100_000


# ---- the widget --------------------------------------------------------------------------------


class Heard(Profiles):
    """A Profiles that keeps what it sends."""

    def __init__(self, **arguments):
        self.sent = []
        super().__init__(**arguments)
        assert self.wait(60)

    def send(self, content, buffers=None):
        json.dumps(content, allow_nan=False)  # what the browser cannot read must not leave
        self.sent.append(content)

    def ask(self, number, **state):
        message = {"type": "train", "id": number, "state": {**self.state, **state}}
        self._handle_custom_msg(message, [])

    def of(self, number, kind=None):
        return [m for m in self.sent if m["id"] == number and kind in (None, m["type"])]


@pytest.fixture
def heard():
    widget = Heard(norms=("none", "group"), depth=4)
    yield widget
    widget.close()
    assert widget.wait(10)


def test_kernel_tells_each_seed_and_ends_with_the_stored_numbers(heard, stored):
    heard.ask(1, group_size=4)
    assert heard.wait(60)
    told = heard.of(1, "points")
    expected = [(norm, count) for count in range(1, 9) for norm in ("none", "group")]
    assert [(m["norm"], m["seeds"]) for m in told] == expected
    assert heard.of(1)[-1]["type"] == "finished" and not heard.of(1)[-1]["stopped"]
    for message, variant in zip(told[-2:], ("none", "group-4"), strict=True):
        for name in QUANTITIES:
            table = stored.profile(name, (4, "residual", 16, variant))
            close = {"abs": 1e-4} if name == "cosine" else {"rel": 1e-3}
            assert table == pytest.approx(np.array(message[name]), **close)
    first = told[0]["variance"]
    assert all(median == low == high for median, low, high in first)


def test_the_newest_request_wins(heard):
    for number in range(50):
        heard.ask(number, width=(16, 32)[number % 2], depth=(4, 8)[number % 2])
    assert heard.wait(120)
    ended = [m["id"] for m in heard.sent if m["type"] == "finished" and not m["stopped"]]
    assert ended == [49]
    assert [m["id"] for m in heard.sent][-17:] == [49] * 17
    assert len(heard.of(49, "points")[-1]["variance"]) == 8


def test_a_stopped_request_sends_no_more(heard):
    heard.ask(1, depth=18, width=64)
    heard._handle_custom_msg({"type": "stop", "id": 1}, [])
    assert heard.wait(60)
    assert heard.of(1)[-1]["type"] == "finished" and heard.of(1)[-1]["stopped"]


def test_a_bad_request_is_answered_with_a_sentence(heard):
    heard.ask(7, depth=5)
    (answer,) = heard.of(7)
    assert answer["type"] == "error" and "depth must be one of 4, 8, 12, 18" in answer["text"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"net": "resnet"}, "unknown net 'resnet'.*residual, plain"),
        ({"norms": ("none", "bach")}, "unknown normalizer 'bach'.*'batch'"),
        ({"norms": "weight"}, "unknown normalizer 'weight'.*none, batch, layer"),
        ({"norms": ()}, "one or more different ones of none, batch"),
        ({"norms": ("none", "none")}, "one or more different ones"),
        ({"depth": 5}, "depth must be one of 4, 8, 12, 18, got 5"),
        ({"depth": True}, "depth must be one of"),
        ({"width": "16"}, "width must be one of 16, 32, 64, got '16'"),
        ({"group_size": 3}, "group_size must be one of 1, 2, 4, 8, 16, got 3"),
        ({"predict": 1}, "predict must be True or False"),
    ],
)
def test_bad_values_are_refused_with_what_is_offered(arguments, message):
    with pytest.raises(ValueError, match=message):
        Profiles(**arguments)


def test_a_state_is_checked_when_it_is_set(heard):
    with pytest.raises(ValueError, match="width must be one of 16, 32, 64"):
        heard.state = {**heard.state, "width": 17}
    with pytest.raises(ValueError, match="must have exactly the keys net, norms"):
        check_state({"net": "plain"}, heard.options)
    with pytest.raises(ValueError, match="norms must be a list"):
        check_state({**heard.state, "norms": "none"}, heard.options)
    heard.state = {**heard.state, "norms": ["batch", "none"]}
    assert heard.state["norms"] == ["none", "batch"]


def test_one_name_is_a_list_of_one():
    widget = Profiles(norms="batch")
    assert widget.state["norms"] == ["batch"]
    widget.close()
