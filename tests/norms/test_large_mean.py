"""Inputs whose mean is large against their spread: mean 1e4, variance 1e-2, float32.

Neighbouring float32 numbers near 1e4 are 1e-3 apart, which is 0.01 standard deviations. A mean that
is off by one or two such steps shifts every normalized value by 0.01 to 0.02: that is the tolerance
to expect, and the square of it, 4e-4, for the variance. E[x^2] - mean^2, from numbers near 1e8 that
are 8 apart, would have no digit right.
"""

import pytest
import torch

from bnlab.norms import make_norm
from bnlab.norms.functional import normalize
from tests.norms.norm_cases import RUNNING, Case, one_case

CASES = [
    ("batch", (256, 16), {}),
    ("batch", (16, 8, 8, 8), {}),
    ("layer", (16, 256), {}),
    ("layer", (16, 8, 8, 8), {}),
    ("group", (16, 256), {"group_size": 64}),
    ("instance", (16, 8, 16, 16), {}),
]


def inputs(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (1e4 + 0.1 * torch.randn(shape, generator=generator, dtype=torch.float64)).float()


@pytest.mark.parametrize("name, shape, options", CASES, ids=lambda v: str(v))
@pytest.mark.parametrize("seed", range(3))
def test_error_is_two_steps_of_float32_and_torchs_is_not_smaller_by_much(
    name, shape, options, seed
):
    x = inputs(shape, seed)
    want = make_norm(name, shape[1], **options).double()(x.double())
    primitive, native = (
        (make_norm(name, shape[1], native=native, **options)(x) - want).abs().max().item()
        for native in (False, True)
    )
    assert primitive < 0.025
    assert native < 0.1  # torch's kernel for (N, C) loses most
    assert primitive < 3 * native


@pytest.mark.parametrize("seed", range(3))
def test_the_variance_keeps_three_digits_where_the_one_pass_formula_keeps_none(seed):
    x = inputs((256, 16), seed)
    true = x.double().var(0, unbiased=False)
    two_pass = normalize(x, (0,), 0.0)[2].flatten().double()
    one_pass = (x.square().mean(0) - x.mean(0).square()).double()
    assert ((two_pass - true) / true).abs().max() < 4e-4
    assert ((one_pass - true) / true).abs().median() > 1


@pytest.mark.parametrize("native, tolerance", [(False, 4e-4), (True, 0.01)])
def test_running_variance_of_batch_norm_stays_right(native, tolerance):
    x = inputs((256, 16), 0)
    layer = make_norm("batch", 16, momentum=1.0, native=native)
    layer(x)
    want = x.double().var(0, unbiased=True)
    assert ((layer.running_var.double() - want) / want).abs().max() < tolerance


# Largest error, relative to the largest output: 0.025 where the mean is subtracted (its error is as
# large as above); 5e-4 where the input is divided by a deviation, which has three digits; elsewhere
# nothing cancels, and all digits of float32 stay.
CENTRED, DIVIDED, WHOLE = 0.025, 5e-4, 1e-6
TOLERANCES = {
    "ghost_batch": CENTRED,
    "batch_renorm": CENTRED,
    "l1_batch": CENTRED,
    "l2_batch": CENTRED,
    "linf_batch": CENTRED,
    "noisy_batch": CENTRED,
    "variance": DIVIDED,
    "evonorm_s0": DIVIDED,
    "evonorm_b0": WHOLE,
    "rms": WHOLE,
    "filter_response": WHOLE,
}


@pytest.mark.parametrize("name, tolerance", TOLERANCES.items())
@pytest.mark.parametrize("shape", [(256, 16), (16, 16, 8, 8)], ids=str)
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_all_others_keep_the_digits_that_their_formula_leaves(name, tolerance, shape, training):
    pooled = {"ghost_batch": {"ghost_size": 16}, "evonorm_s0": {"group_size": 8}}
    case = Case(name, shape, pooled.get(name, one_case(name, shape).options))
    x = inputs(shape, 0)
    got, want = case.layer(torch.float32), case.layer(torch.float64)
    if name in RUNNING:  # statistics of this very input, for evaluation mode
        for layer, values in ((got, x), (want, x.double())):
            layer.momentum = 1.0
            layer(values)
    y, true = got.train(training)(x).double(), want.train(training)(x.double())
    assert (y - true).abs().max() < tolerance * true.abs().max()
