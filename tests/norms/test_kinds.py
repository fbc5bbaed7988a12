"""What sets each of the other normalizers apart: groups, missing means, norms, nonlinearities."""

import pytest
import torch

from bnlab.norms import NORMS, BatchNorm, EvoNormB0, FilterResponseNorm, GhostBatchNorm, make_norm
from tests.norms.norm_cases import REQUIRED, RUNNING, one_case

both_kernels = pytest.mark.parametrize("native", [False, True], ids=["primitive", "native"])


def data(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(shape, generator=generator, dtype=torch.float64) + 1


# Ghost batches


@both_kernels
@pytest.mark.parametrize("shape", [(12, 4), (12, 4, 3, 2)], ids=str)
def test_ghost_batch_norm_is_batch_norm_on_each_part(shape, native):
    x = data(*shape)
    ghost = GhostBatchNorm(4, 3, momentum=1.0, native=native).double()
    parts = [BatchNorm(4, momentum=1.0).double() for _ in range(4)]
    want = torch.cat([part(one) for part, one in zip(parts, x.split(3), strict=True)])
    torch.testing.assert_close(ghost(x), want)
    for name in ("running_mean", "running_var"):
        mean = torch.stack([part.get_buffer(name) for part in parts]).mean(0)
        torch.testing.assert_close(ghost.get_buffer(name), mean)


@both_kernels
def test_the_running_statistics_move_once_a_pass_and_not_once_a_group(native):
    x = data(12, 4)
    ghost = GhostBatchNorm(4, 3, momentum=0.25, native=native).double()
    ghost(x)
    means = torch.stack([part.mean(0) for part in x.split(3)]).mean(0)
    torch.testing.assert_close(ghost.running_mean, 0.25 * means)


@both_kernels
def test_a_ghost_of_the_whole_batch_is_batch_norm(native):
    x = data(6, 4, 2, 2)
    ghost, batch = GhostBatchNorm(4, 6, native=native).double(), BatchNorm(4).double()
    torch.testing.assert_close(ghost(x), batch(x))
    torch.testing.assert_close(ghost.running_var, batch.running_var)
    torch.testing.assert_close(ghost.eval()(x[:1]), batch.eval()(x[:1]))


# Which variance is kept


@pytest.mark.parametrize("name", RUNNING)
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 2, 1)], ids=str)
def test_the_output_has_the_biased_variance_and_the_buffer_what_the_docstring_says(name, shape):
    """m = 4, biased variance 4: unbiased 16/3. EvoNorm keeps the biased one, renorm a deviation."""
    x = torch.tensor([1.0, 1.0, 5.0, 5.0]).repeat(3, 1).T.reshape(4, 3)
    x = (x if len(shape) == 2 else x.reshape(2, 2, 3, 1).transpose(1, 2)).double()
    if name.startswith("l"):
        pytest.skip("it has no variance")
    options = {"ghost_batch": {"ghost_size": shape[0]}}.get(name, {})
    layer = make_norm(name, 3, eps=0.0, momentum=1.0, **options).double()
    y = layer(x)
    biased = name in ("evonorm_b0", "batch_renorm")
    assert layer.running_var.tolist() == pytest.approx([4 if biased else 16 / 3] * 3)
    if name in ("batch", "ghost_batch"):
        assert y.var(correction=0).item() == pytest.approx(1)


@pytest.mark.parametrize("name", RUNNING)
def test_in_eval_mode_no_sample_sees_another_and_nothing_moves(name):
    x = data(6, 4, 3, 2)
    layer = one_case(name, (6, 4, 3, 2)).layer()
    layer(x)
    before = {key: value.clone() for key, value in layer.state_dict().items()}
    layer.eval()
    torch.testing.assert_close(layer(x[:1]), layer(x)[:1], rtol=0, atol=1e-15)
    assert all(torch.equal(value, before[key]) for key, value in layer.state_dict().items())
    layer.train()(x)
    moved = [
        key for key, value in layer.state_dict().items() if not torch.equal(value, before[key])
    ]
    assert any(key.startswith("running_") for key in moved)


@pytest.mark.parametrize("name", [n for n in RUNNING if n != "batch_renorm"])
def test_without_running_statistics_eval_uses_the_batch(name):
    x = data(6, 4)
    options = {**REQUIRED.get(name, {}), "track_running_stats": False}
    if name == "ghost_batch":
        options["ghost_size"] = 3
    if name == "noisy_batch":  # its noise is for training in any case
        options |= {"n_mu": 0, "n_sigma": 1, "r_mu": 0, "r_sigma": 0}
    layer = make_norm(name, 4, **options).double()
    torch.testing.assert_close(layer(x), layer.eval()(x))
    assert not any(key.startswith("running_") for key in layer.state_dict())


@pytest.mark.parametrize("name", [n for n in NORMS if n not in RUNNING])
def test_all_others_do_the_same_in_training_and_evaluation(name):
    case = one_case(name, (4, 6, 3, 2))
    layer, x = case.layer(), data(4, 6, 3, 2)
    assert torch.equal(layer(x), layer.eval()(x))
    assert not list(layer.buffers())
    torch.testing.assert_close(layer(x[:1]), layer(x)[:1], rtol=0, atol=1e-14)


# What is subtracted, and what it is divided by


@pytest.mark.parametrize("name", ["variance", "rms", "filter_response", "evonorm_b0", "evonorm_s0"])
def test_these_leave_the_mean(name):
    layer, x = one_case(name, (4, 6, 3, 2)).layer(), data(4, 6, 3, 2) + 3
    assert layer(x).mean() > 0.3


@pytest.mark.parametrize("name, power", [("l1_batch", 1), ("l2_batch", 2), ("linf_batch", 40)])
def test_lp_norms_are_of_the_uncentred_input_and_ignore_the_batch_size(name, power):
    x = data(64, 4) + 5
    layer = make_norm(name, 4, eps=0.0, momentum=1.0).double()
    y = layer(x)
    assert y.mean(0).abs().max() < 1e-12
    norm = (x.abs() ** power).mean(0) ** (1 / power)
    torch.testing.assert_close(
        layer.running_norm, norm, rtol=0.12 if power == 40 else 1e-12, atol=0
    )
    torch.testing.assert_close(layer(torch.cat([x, x])), torch.cat([y, y]))
    centred = BatchNorm(4, eps=0.0).double()(x)
    assert (y.abs() < 0.8 * centred.abs()).all(), "a variance would be smaller than such a norm"


def test_lp_norms_of_zeros_are_finite_with_their_gradients():
    for name in ("l1_batch", "l2_batch", "linf_batch"):
        x = torch.zeros(4, 3, requires_grad=True)
        y = make_norm(name, 3)(x)
        y.sum().backward()
        assert not y.any() and x.grad.isfinite().all()


def test_rms_has_no_bias():
    layer = make_norm("rms", 4)
    assert list(layer.state_dict()) == ["weight"] and layer.bias is None
    assert not make_norm("rms", 4, affine=False).state_dict()


@both_kernels
def test_rms_is_torchs_on_flat_inputs(native):
    if not hasattr(torch.nn, "RMSNorm"):
        pytest.skip("torch 2.4 brought RMSNorm")
    x, layer = data(5, 4), make_norm("rms", 4, eps=0.1, native=native).double()
    other = torch.nn.RMSNorm(4, eps=0.1).double()
    with torch.no_grad():
        layer.weight.copy_(data(4))
        other.weight.copy_(layer.weight)
    torch.testing.assert_close(layer(x), other(x))


def test_scaling_a_sample_changes_nothing_where_it_is_divided_by_its_own_size():
    x = data(4, 6, 3, 2)
    for name in ("rms", "filter_response"):
        layer = make_norm(name, 6, eps=0.0).double()
        torch.testing.assert_close(layer(7 * x), layer(x))


# Nonlinearities


@pytest.mark.parametrize("name", NORMS)
def test_only_the_activating_ones_are_not_linear_in_what_they_normalized(name):
    """Doubling weight and bias doubles the output, unless a threshold stands behind them."""
    activating = {"filter_response", "evonorm_b0", "evonorm_s0"}
    assert NORMS[name].activates == (name in activating)
    layer = one_case(name, (4, 6, 3, 2)).layer()
    assert ("tau" in layer.state_dict()) == (name == "filter_response")
    assert ("v" in layer.state_dict()) == name.startswith("evonorm")


def test_the_threshold_of_filter_response_is_learned():
    x = data(4, 3, 5, 5)
    layer = FilterResponseNorm(3).double()
    assert (layer(x) >= 0).all() and (layer(x) == 0).any()
    with torch.no_grad():
        layer.tau.fill_(-0.5)
    assert layer(x).min().item() == -0.5
    layer(x).sum().backward()
    below = (x / x.square().mean((2, 3), keepdim=True).sqrt() < -0.5).sum((0, 2, 3))
    torch.testing.assert_close(layer.tau.grad, below.double())


def test_the_learned_eps_starts_at_the_papers_and_enters_by_its_size():
    layer = FilterResponseNorm(3, learnable_eps=True)
    assert layer.learned_eps.item() == pytest.approx(1e-4) and layer.eps == 1e-6
    x = data(4, 3).float()
    y = layer(x)
    with torch.no_grad():
        layer.learned_eps.neg_()
    assert torch.equal(layer(x), y)
    assert "learned_eps" not in FilterResponseNorm(3).state_dict()


def test_evonorm_b0_takes_the_larger_divisor():
    x = torch.tensor([[3.0, 3.0], [-1.0, -1.0]], dtype=torch.float64)
    layer = EvoNormB0(2, eps=0.0).double()  # batch deviation 2
    with torch.no_grad():
        layer.v.copy_(torch.tensor([1.0, 0.1]))
    assert layer(x).tolist() == [[1.0, 1.5], [-0.5, -0.5]]


@pytest.mark.parametrize("name", NORMS)
def test_affine_false_leaves_out_weight_and_bias_only(name):
    if name == "none":
        pytest.skip("it has neither")
    case = one_case(name, (4, 6, 3, 2))
    with_affine, without = case.layer(), case.layer(affine=False)
    left = set(with_affine.state_dict()) - set(without.state_dict())
    assert left == ({"weight"} if name == "rms" else {"weight", "bias"})
    x = data(4, 6, 3, 2)
    torch.testing.assert_close(with_affine(x), without(x))
