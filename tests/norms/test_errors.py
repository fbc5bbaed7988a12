"""Bad input to normalizers gives an error that says what to do."""

import re

import pytest
import torch

from bnlab.norms import (
    NORMS,
    GroupNorm,
    LayerNorm,
    NoisyBatchNorm,
    RenormSchedule,
    check_options,
    make_norm,
    options_of,
    recompute_statistics,
)
from tests.norms.norm_cases import REQUIRED, RUNNING

every_norm = pytest.mark.parametrize("name", NORMS)
both_kernels = pytest.mark.parametrize("native", [False, True], ids=["primitive", "native"])


def norm(name: str, channels: int = 4, **options):
    return make_norm(name, channels, **{**REQUIRED.get(name, {}), **options})


@pytest.mark.parametrize("name", RUNNING)
@both_kernels
@pytest.mark.parametrize("shape", [(1, 4), (1, 4, 1, 1)], ids=str)
def test_one_value_a_channel_is_refused_in_training(name, native, shape):
    layer = norm(name, native=native)
    before = {key: value.clone() for key, value in layer.state_dict().items()}
    with pytest.raises(ValueError, match=r"more than one value a channel.*Use a larger batch, or "):
        layer(torch.ones(shape))
    after = layer.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())
    assert layer.eval()(torch.ones(shape)).shape == shape


@both_kernels
@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 2, 2), (1, 4, 2, 2)], ids=str)
def test_ghost_batches_must_divide_the_batch_in_training_mode(native, shape):
    layer = norm("ghost_batch", ghost_size=2, native=native)
    with pytest.raises(
        ValueError, match=r"ghost_size=2 does not divide the batch of [15] samples: 1"
    ):
        layer(torch.ones(shape))
    assert layer.eval()(torch.ones(shape)).shape == shape


@pytest.mark.parametrize("size", [None, 0, -1, 2.0, True, "2"])
def test_ghost_size_must_be_a_positive_integer(size):
    with pytest.raises(
        ValueError, match="takes ghost_size, the number of samples that share a mea"
    ):
        make_norm("ghost_batch", 4, ghost_size=size)


def test_ghost_batches_of_one_sample_need_positions():
    with pytest.raises(
        ValueError, match="GhostBatchNorm in training mode needs more than one value"
    ):
        norm("ghost_batch", ghost_size=1)(torch.ones(3, 4))


@pytest.mark.parametrize(
    "name, options, message",
    [
        ("batch_renorm", {"r_max": 0.5}, "r_max must be a number of 1 or more, got 0.5"),
        ("batch_renorm", {"r_max": float("nan")}, "r_max must be a number of 1 or more, got nan"),
        ("batch_renorm", {"r_max": "3"}, "r_max must be a number of 1 or more, got '3'"),
        ("batch_renorm", {"d_max": -1}, "d_max must be a number of 0 or more, got -1"),
        (
            "batch_renorm",
            {"schedule": 5},
            "schedule must be a RenormSchedule or a dict of warmup, ",
        ),
        ("batch_renorm", {"schedule": {"steps": 5}}, "dict of warmup, r_end, d_end, r_max, d_max"),
        (
            "batch_renorm",
            {"schedule": {"warmup": -1}},
            "warmup of a RenormSchedule must be a number",
        ),
        (
            "batch_renorm",
            {"schedule": {"r_end": 1.5}},
            "r_end of a RenormSchedule must be a number",
        ),
        (
            "batch_renorm",
            {"schedule": {"d_end": 10}},
            "must come after warmup=5000, got 40000 and 10",
        ),
        (
            "batch_renorm",
            {"schedule": {"r_max": 0.0}},
            "r_max of a RenormSchedule must be a finite number of 1 or more",
        ),
        (
            "batch_renorm",
            {"schedule": {"d_max": float("inf")}},
            "d_max of a RenormSchedule must be a finite",
        ),
        ("batch_renorm", {"schedule": {}, "r_max": 2.0}, "belong inside of the schedule"),
        ("noisy_batch", {"n_mu": -0.1}, "n_mu must be a finite number of 0 or more, got -0.1"),
        ("noisy_batch", {"n_sigma": 0.5}, "n_sigma must be a finite number of 1 or more, got 0.5"),
        (
            "noisy_batch",
            {"r_mu": float("inf")},
            "r_mu must be a finite number of 0 or more, got inf",
        ),
        (
            "noisy_batch",
            {"r_sigma": None},
            "r_sigma must be a finite number of 0 or more, got None",
        ),
        (
            "noisy_batch",
            {"noise_seed": -1},
            "seed must be an integer between 0 and 2**32 - 1, got -1",
        ),
        (
            "noisy_batch",
            {"noise_seed": 1.0},
            "seed must be an integer between 0 and 2**32 - 1, got 1.0",
        ),
        (
            "evonorm_s0",
            {"num_groups": 3, "group_size": None},
            "num_groups must divide num_features=4",
        ),
        (
            "evonorm_s0",
            {"num_groups": 2},
            "EvoNormS0 takes group_size (channels a group) or num_gro",
        ),
    ],
)
def test_options_out_of_range(name, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        norm(name, **options)


def test_a_schedule_checks_itself_too():
    with pytest.raises(ValueError, match="must come after warmup=10, got 10 and 20"):
        RenormSchedule(warmup=10, r_end=10, d_end=20)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1, 1)], ids=str)
def test_filter_response_of_one_position_needs_a_learned_eps(shape):
    with pytest.raises(
        ValueError, match=r"is the sign of the input\. Use learnable_eps=True, or inp"
    ):
        norm("filter_response")(torch.ones(shape))


def test_recomputing_statistics_needs_a_batch():
    with pytest.raises(ValueError, match="recompute_statistics needs at least one batch, got none"):
        recompute_statistics(norm("batch"), [])


def test_noise_needs_a_place_that_exists():
    with pytest.raises(ValueError, match="seed must be an integer"):
        NoisyBatchNorm(4).place(0, 0.5)


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
        (lambda **o: make_norm("evonorm_s0", 4, group_size=1, **o), (3, 4)),
    ],
)
def test_one_value_a_group_is_refused(native, layer, shape):
    with pytest.raises(ValueError, match=r"one value a group.*Use larger groups, or inputs with"):
        layer(native=native)(torch.ones(shape))


def test_an_unknown_name_lists_the_known_and_suggests_the_nearest():
    message = "unknown normalizer 'bacth'. Did you mean 'batch'? Known: none, batch, ghost_batch, "
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
@pytest.mark.parametrize("eps", [-1e-5, float("nan"), None, "1e-5"])
def test_eps_must_not_be_negative(name, eps):
    with pytest.raises(ValueError, match="eps must be a finite number of 0 or more, got "):
        norm(name, eps=eps)


@pytest.mark.parametrize("name", RUNNING)
@pytest.mark.parametrize("momentum", [-0.1, 1.5, float("nan"), None, "0.1"])
def test_momentum_must_be_a_share(name, momentum):
    with pytest.raises(ValueError, match="momentum must be a finite number between 0 and 1, got "):
        norm(name, momentum=momentum)


@every_norm
def test_repr_says_the_size(name):
    assert re.fullmatch(r"\w+\(4(, .*)?\)", repr(norm(name)))
