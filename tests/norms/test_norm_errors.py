"""Bad input to normalizers gives an error that says what to do."""

import re

import pytest
import torch

from bnlab.norms import NORMS, BatchNorm, GroupNorm, LayerNorm, check_options, make_norm, options_of

every_norm = pytest.mark.parametrize("name", NORMS)
both_kernels = pytest.mark.parametrize("native", [False, True], ids=["primitive", "native"])


def norm(name: str, channels: int = 4, **options):
    return make_norm(name, channels, **({"group_size": 2} if name == "group" else {}), **options)


@both_kernels
@pytest.mark.parametrize("shape", [(1, 4), (1, 4, 1, 1)], ids=str)
def test_batch_norm_refuses_to_train_on_one_value_a_channel(native, shape):
    layer = norm("batch", native=native)
    with pytest.raises(ValueError, match=r"more than one value a channel.*Use a larger batch, or "):
        layer(torch.ones(shape))
    assert layer.running_mean.tolist() == [0] * 4, "a refused batch must not move statistics"
    assert layer.eval()(torch.ones(shape)).shape == shape


def test_batch_norm_without_statistics_refuses_one_value_in_eval_mode_too():
    with pytest.raises(ValueError, match="more than one value a channel"):
        norm("batch", track_running_stats=False).eval()(torch.ones(1, 4))


@pytest.mark.parametrize(
    "options, message",
    [
        (
            {"group_size": 3},
            "group_size must divide num_features=8, got 3. Possible: [1, 2, 4, 8].",
        ),
        ({"num_groups": 16}, "num_groups must divide num_features=8, got 16. Possible: ["),
        ({"group_size": 0}, "group_size must divide num_features=8, got 0."),
        ({"group_size": -2}, "group_size must divide num_features=8, got -2."),
        ({"group_size": 2.0}, "group_size must divide num_features=8, got 2.0."),
        ({"group_size": 2, "num_groups": 4}, "give exactly one of them"),
        ({}, "GroupNorm takes group_size (channels a group) or num_groups (number of groups)"),
    ],
)
def test_group_sizes_must_fit(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make_norm("group", 8, **options)


@both_kernels
@pytest.mark.parametrize(
    "layer, shape",
    [
        (lambda **o: make_norm("instance", 4, **o), (3, 4)),
        (lambda **o: make_norm("instance", 4, **o), (3, 4, 1, 1)),
        (lambda **o: GroupNorm(4, group_size=1, **o), (3, 4)),
        (lambda **o: LayerNorm(1, **o), (3, 1)),
    ],
)
def test_one_value_a_group_is_refused(native, layer, shape):
    with pytest.raises(ValueError, match=r"one value a group.*Use larger groups, or inputs with"):
        layer(native=native)(torch.ones(shape))


def test_an_unknown_name_lists_the_known_and_suggests_the_nearest():
    message = "unknown normalizer 'bacth'. Did you mean 'batch'? Known: none, batch, layer, group, "
    with pytest.raises(ValueError, match=re.escape(message)):
        make_norm("bacth", 4)
    with pytest.raises(ValueError, match=r"unknown normalizer 'zzz'\. Known: none"):
        options_of("zzz")


def test_an_unknown_option_lists_the_known_and_suggests_the_nearest():
    with pytest.raises(ValueError, match=r"'momentun'\. Did you mean 'momentum'\? Known: eps, "):
        make_norm("batch", 4, momentun=0.1)
    with pytest.raises(ValueError, match="unknown option of normalizer 'layer': 'momentum'"):
        check_options("layer", {"momentum": 0.1})


@every_norm
def test_options_of_names_what_make_norm_takes(name):
    assert "native" in options_of(name)
    assert not {"self", "num_features"} & set(options_of(name))


@every_norm
@both_kernels
@pytest.mark.parametrize(
    "x, error, message",
    [
        (torch.ones(3, 5), ValueError, r"was made for 4 channels \(axis 1\), got shape \(3, 5\)"),
        (torch.ones(4), ValueError, r"takes \(N, C\) or \(N, C, H, W\), got shape \(4,\)"),
        (torch.ones(2, 4, 3), ValueError, r"takes \(N, C\) or \(N, C, H, W\)"),
        (torch.ones(2, 4, 3, 3, 3), ValueError, r"takes \(N, C\) or \(N, C, H, W\)"),
        (torch.ones(3, 4, dtype=torch.int64), TypeError, r"got torch.int64; use x.float\(\)"),
        (torch.ones(0, 4), ValueError, r"got an empty input, shape \(0, 4\)"),
        (torch.ones(2, 4, 0, 3), ValueError, r"got an empty input, shape \(2, 4, 0, 3\)"),
    ],
    ids=["channels", "1 axis", "3 axes", "5 axes", "integers", "no samples", "no positions"],
)
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_inputs_that_do_not_fit(name, native, x, error, message, training):
    with pytest.raises(error, match=message):
        norm(name, native=native).train(training)(x)


@every_norm
@pytest.mark.parametrize("channels", [0, -1, 2.0, True, "4", None])
def test_num_features_must_be_a_positive_integer(name, channels):
    with pytest.raises(ValueError, match="num_features must be a positive integer, got "):
        norm(name, channels)


@pytest.mark.parametrize("name", [n for n in NORMS if n != "none"])
@pytest.mark.parametrize("eps", [-1e-5, float("nan"), float("inf"), "1e-5", None, True])
def test_eps_must_be_a_number_of_zero_or_more(name, eps):
    with pytest.raises(ValueError, match="eps must be a finite number of 0 or more, got "):
        norm(name, eps=eps)


@pytest.mark.parametrize("momentum", [-0.1, 1.5, float("nan"), None, "0.1", True])
def test_momentum_must_be_a_share(momentum):
    with pytest.raises(ValueError, match="momentum must be a finite number between 0 and 1, got "):
        BatchNorm(4, momentum=momentum)


@every_norm
def test_repr_says_the_size(name):
    assert re.fullmatch(r"\w+\(4(, .*)?\)", repr(norm(name)))
