"""Products with the Hessian, Gauss-Newton and Fisher matrices, against dense ones."""

import contextlib

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from bnlab.measure import curvature_products, extreme_eigenvalues
from bnlab.norms import make_norm
from tests.measure.curvature.curvature_reference import (
    CASES,
    at,
    dense_hessian,
    dense_jacobian,
    flat_parameters,
    small_batch,
    small_net,
)

HELD = ("batch", "BatchNorm2d", "variance", "l1_batch", "l2_batch", "linf_batch", "evonorm_b0")


def dense(net, *batch, **options):
    loss = options.pop("loss", cross_entropy)
    with curvature_products(net, loss, *batch, **options) as product:
        return product.dense()


def assert_close(found, wanted, rel):
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= rel * np.abs(wanted).max()


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_the_hessian_and_its_extreme_eigenvalues_are_those_of_the_dense_one(name, mode):
    x, y = small_batch()
    wanted = dense_hessian(small_net(name, mode), cross_entropy, x, y)
    assert np.abs(wanted).max() > 0.01
    with curvature_products(small_net(name), cross_entropy, x, y, mode=mode) as product:
        found = product.dense()
        ends = extreme_eigenvalues(product, tolerance=1e-9)
    assert_close(found, wanted, 1e-9)
    assert_close(found, found.T, 1e-12)
    values = np.linalg.eigvalsh(wanted)
    assert ends.top == pytest.approx(values[::-1][:3], rel=1e-6)
    assert ends.bottom == pytest.approx(values[:3], rel=1e-6)
    assert max(ends.top_residuals.max(), ends.bottom_residuals.max()) < 1e-8 * values[-1]


def hold_correction(norm, z):
    mean, var = z.mean((0, 2, 3), keepdim=True), z.var((0, 2, 3), unbiased=False, keepdim=True)
    mu, sd = norm.running_mean.reshape(1, 4, 1, 1), (norm.running_var + 1e-5).sqrt()
    r = ((var + 1e-5).sqrt() / sd.reshape(1, 4, 1, 1)).clamp(1 / 1.2, 1.2).detach()
    d = ((mean - mu) / sd.reshape(1, 4, 1, 1)).clamp(-0.3, 0.3).detach()
    norm._correction = lambda *_: (r, d)


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_the_hessian_is_the_change_of_the_gradient(name, mode):
    x, y = small_batch()
    net = small_net(name, mode)
    here = flat_parameters(net)
    if name == "batch_renorm":  # no gradient passes through its r and d: they are numbers
        hold_correction(net[1], net[0](x))
    along = torch.randn(here.shape, generator=torch.Generator().manual_seed(3)).double()

    def gradient(step):
        w = (here + step * along).requires_grad_()
        (slope,) = torch.autograd.grad(cross_entropy(at(net, w, x), y), w)
        return slope

    wanted = (gradient(1e-6) - gradient(-1e-6)) / 2e-6
    with curvature_products(small_net(name), cross_entropy, x, y, mode=mode) as product:
        found = product(along)
    assert (found - wanted).norm() <= 1e-5 * wanted.norm()


@pytest.mark.parametrize("name", ["batch", "ghost_batch", "layer", "group", "instance"])
def test_a_net_that_uses_torchs_kernels_is_measured_exactly_too(name):
    x, y = small_batch()
    wanted = dense_hessian(small_net(name), cross_entropy, x, y)
    net = small_net(name, native=True)
    assert_close(dense(net, x, y), wanted, 1e-9)
    assert net[1].native


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("name", ["none", "batch", "layer", "BatchNorm2d", "GroupNorm"])
def test_gauss_newton_and_fisher_are_made_of_the_jacobian(name, mode):
    x, y = small_batch()
    net = small_net(name, mode)
    jacobian = dense_jacobian(net, x)
    p = net(x).softmax(1).detach().numpy()
    blocks = [np.diag(row) - np.outer(row, row) for row in p]
    curved = np.zeros((24, 24))
    for n, block in enumerate(blocks):
        curved[3 * n : 3 * n + 3, 3 * n : 3 * n + 3] = block / 8
    net = small_net(name)
    options = {"mode": mode}
    found = dense(net, x, y, kind="gauss_newton", **options)
    assert_close(found, jacobian.T @ curved @ jacobian, 1e-9)
    found = dense(net, x, kind="fisher", loss=None, **options)
    assert_close(found, jacobian.T @ jacobian / 8, 1e-9)


class Frozen(nn.Module):
    """A normalizer whose batch statistics were computed beforehand, from the formulas."""

    def __init__(self, name, norm, z):
        super().__init__()
        self.name, self.weight, self.bias = name, norm.weight, norm.bias
        if name == "evonorm_b0":
            self.v = norm.v
        z = z.detach()
        self.mean = z.mean((0, 2, 3))
        self.size = {
            "l1_batch": z.abs().mean((0, 2, 3)) + 1e-5,
            "l2_batch": (z.square().mean((0, 2, 3)) + 1e-5).sqrt(),
            "linf_batch": z.abs().amax((0, 2, 3)) + 1e-5,
        }.get(name, (z.var((0, 2, 3), unbiased=False) + 1e-5).sqrt())

    def forward(self, z):
        mean, size, w, b = (
            v.reshape(1, 4, 1, 1) for v in (self.mean, self.size, self.weight, self.bias)
        )
        if self.name in ("variance", "evonorm_b0"):
            mean = 0 * mean
        if self.name == "evonorm_b0":
            own = (z.var((2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
            size = torch.maximum(size, self.v.reshape(1, 4, 1, 1) * z + own)
        return w * (z - mean) / size + b


@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize("options", [{}, {"track_running_stats": False}])
def test_batch_statistics_can_be_held_constant(name, options):
    x, y = small_batch()
    net = small_net(name)
    if options:
        kind = nn.BatchNorm2d if name == "BatchNorm2d" else type(net[1])
        bare = kind(4, **options).double()
        bare.load_state_dict(
            {k: v for k, v in net[1].state_dict().items() if k in dict(bare.named_parameters())}
        )
        net[1] = bare
    reference = small_net(name)
    reference[1] = Frozen(name, reference[1], reference[0](x))
    wanted = dense_hessian(reference, cross_entropy, x, y)
    found = dense(net, x, y, batch_statistics="constant")
    names = [k for k, _ in reference.named_parameters()]
    assert names == [k for k, _ in net.named_parameters()]
    assert_close(found, wanted, 1e-9)
    backpropagated = dense(net, x, y)
    assert np.abs(found - backpropagated).max() > 0.01 * np.abs(wanted).max()
    if options:
        modes = {
            mode: dense(net, x, y, mode=mode, batch_statistics="constant")
            for mode in ("train", "eval")
        }
        assert_close(modes["eval"], modes["train"], 1e-12)
        assert net[1].track_running_stats is False


def test_in_evaluation_mode_batch_statistics_make_no_difference():
    x, y = small_batch()
    net = small_net("batch")
    found = [
        dense(net, x, y, mode="eval", batch_statistics=s) for s in ("constant", "backpropagated")
    ]
    assert np.array_equal(*found)


@pytest.mark.parametrize("name", ["ghost_batch", "noisy_batch", "batch_renorm"])
def test_statistics_that_cannot_be_held_are_refused(name):
    x, y = small_batch()
    with pytest.raises(ValueError, match="statistics of 1 cannot be held constant"):
        dense(small_net(name), x, y, batch_statistics="constant")


def state(net):
    objects = [*net.parameters(), *net.buffers(), *(p.grad for p in net.parameters())]
    kept = [t for t in objects if t is not None]
    flags = [
        (m.training, getattr(m, "native", None), getattr(m, "track_running_stats", None))
        for m in net.modules()
    ]
    flags += [len(m._forward_pre_hooks) for m in net.modules()]
    flags += [p.requires_grad for p in net.parameters()]
    return kept, [t.clone() for t in kept], flags, torch.get_rng_state()


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("statistics", ["constant", "backpropagated"])
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_the_net_stays_bit_for_bit(error, statistics, mode):
    x, y = small_batch()
    net = small_net("batch", native=True)
    net.insert(2, nn.BatchNorm2d(4).double())
    net.insert(3, nn.Dropout(0.2))
    cross_entropy(net(x), y).backward()
    net[0].bias.requires_grad_(False)
    net[1].eval()
    objects, values, flags, generator = state(net)
    products = curvature_products(net, cross_entropy, x, y, mode=mode, batch_statistics=statistics)
    with contextlib.suppress(ValueError, KeyboardInterrupt), products as product:
        product(torch.ones(product.size))
        if error:
            raise error("stop")
    after, _, flags_after, generator_after = state(net)
    assert all(a is b for a, b in zip(after, objects, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(after, values, strict=True))
    assert flags_after == flags
    assert torch.equal(generator_after, generator)


def test_an_error_in_the_forward_pass_leaves_the_net_as_it_was():
    x, y = small_batch()
    net = small_net("batch", native=True).eval()
    with pytest.raises(RuntimeError):
        dense(net, x[:, :1], y, batch_statistics="constant")
    assert not net.training
    assert net[1].native
    assert not net[1]._forward_pre_hooks


def test_noise_is_the_same_in_all_products():
    x, y = small_batch()
    net = nn.Sequential(small_net("noisy_batch")[0:4], nn.Dropout(0.5), nn.Linear(16, 3).double())
    matrix = dense(net, x, y)
    assert_close(matrix, matrix.T, 1e-12)


def test_only_parameters_that_require_a_gradient_count():
    x, y = small_batch()
    whole = dense(small_net("batch"), x, y)
    net = small_net("batch")
    net[0].requires_grad_(False)
    count = sum(p.numel() for p in net[0].parameters())
    assert_close(dense(net, x, y), whole[count:, count:], 1e-12)


@pytest.mark.parametrize("kind", ["hessian", "gauss_newton", "fisher"])
def test_a_parameter_that_is_not_used_has_zeros(kind):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.idle, self.used = nn.Linear(2, 1), nn.Linear(2, 1, bias=False)

        def forward(self, x):
            return self.used(x)

    x = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    found = dense(Net(), x, torch.zeros(2, 1), kind=kind, loss=mse_loss)
    factor = 1 if kind == "fisher" else 2
    wanted = np.zeros((5, 5))
    wanted[3:, 3:] = factor * (x.T @ x / 2).numpy()
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize("kind", ["hessian", "gauss_newton"])
def test_a_loss_that_is_linear_has_no_curvature(kind):
    net, x = nn.Linear(2, 1), torch.ones(3, 2)
    found = dense(net, x, None, kind=kind, loss=lambda output, _: output.sum())
    assert np.array_equal(found, np.zeros((3, 3)))


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_it_works_where_gradients_are_switched_off(context):
    x, y = small_batch()
    wanted = dense(small_net("batch"), x, y)
    net = small_net("batch")
    with context():
        assert_close(dense(net, x, y), wanted, 1e-12)


def test_products_have_the_type_of_the_parameters():
    x, y = small_batch()
    net = small_net("batch")
    wanted = dense(net, x, y)
    with curvature_products(net.float(), cross_entropy, x.float(), y) as product:
        v = product(torch.ones(product.size, dtype=torch.float64))
        assert v.dtype == torch.float32
    assert v.numpy() == pytest.approx(wanted.sum(1), abs=1e-5 * np.abs(wanted).sum())


def normalized(kind, norm, rows):
    net = nn.Sequential(nn.Linear(2, 3), norm, nn.Linear(3, 1))
    return dense(net, torch.ones(rows, 2), torch.zeros(rows, 1), loss=mse_loss, **kind)


@pytest.mark.parametrize("kind", [{}, {"batch_statistics": "constant"}])
@pytest.mark.parametrize("norm", [make_norm("batch", 3), nn.BatchNorm1d(3)])
def test_a_batch_of_one_is_refused_in_training_mode(kind, norm):
    with pytest.raises(ValueError, match="more than "):
        normalized(kind, norm, 1)


def bad(**options):
    settings = {"loss": cross_entropy, "kind": "hessian", "mode": "train", **options}
    net = settings.pop("net", None) or small_net("batch")
    return dense(net, *small_batch(), **settings)


def nan_net():
    net = small_net("none")
    nn.init.constant_(net[0].bias, float("nan"))
    return net


ERRORS = {
    "vector": ({"loss": lambda a, b: cross_entropy(a, b, reduction="none")}, "must give a scalar"),
    "number": ({"loss": lambda a, b: 1.0}, "must give a scalar"),
    "nan loss": ({"loss": lambda a, b: cross_entropy(a, b) * float("nan")}, "loss is nan"),
    "constant": ({"loss": lambda a, b: torch.tensor(1.0)}, "does not depend on"),
    "nan": ({"net": nan_net()}, "'0.bias' holds NaN"),
    "nan, fisher": ({"net": nan_net(), "kind": "fisher"}, "'0.bias' holds NaN"),
    "no parameter": ({"net": nn.Flatten()}, "requires a gradient"),
    "frozen": ({"net": small_net("batch").requires_grad_(False)}, "requires a gradient"),
    "kind": ({"kind": "Hessian"}, "Did you mean 'hessian'"),
    "mode": ({"mode": "test"}, "'train' or 'eval'"),
    "statistics": ({"batch_statistics": "held"}, "Known: backpropagated, constant"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_bad_input_is_refused(case):
    options, message = ERRORS[case]
    with pytest.raises(ValueError, match=message):
        bad(**options)


def test_a_loss_is_needed_but_for_fisher():
    with pytest.raises(TypeError, match=r"gauss_newton needs a loss"):
        bad(loss=None, kind="gauss_newton")


@pytest.mark.parametrize("kind", ["gauss_newton", "fisher"])
def test_an_output_that_is_no_tensor_is_refused_but_for_the_hessian(kind):
    class Pair(nn.Linear):
        def forward(self, x):
            return super().forward(x), None

    net, x = Pair(2, 1), torch.ones(2, 2)

    def loss(pair, _):
        return pair[0].square().mean()

    with pytest.raises(TypeError, match="one tensor with a sample in each row, got tuple"):
        dense(net, x, None, kind=kind, loss=loss)
    assert dense(net, x, None, loss=loss) == pytest.approx(2 * np.ones((3, 3)))


def test_an_output_that_is_not_finite_is_refused():
    x = torch.full((2, 2), float("inf"))
    with pytest.raises(ValueError, match="output is not finite"):
        dense(nn.Linear(2, 1), x, kind="fisher", loss=None)


def test_a_derivative_that_is_not_finite_is_refused():
    net = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(net.weight)

    def loss(output, _):
        return (output**2).sqrt().sum()  # at 0 its second derivative is 0 / 0

    with (
        curvature_products(net, loss, torch.ones(1, 1)) as product,
        pytest.raises(ValueError, match="not finite"),
    ):
        product(torch.ones(1))


def test_a_matrix_too_large_to_be_dense_is_refused():
    net = nn.Linear(100, 51)
    with (
        curvature_products(net, mse_loss, torch.ones(2, 100), torch.ones(2, 51)) as product,
        pytest.raises(ValueError, match="5151 x 5151 numbers is too large"),
    ):
        product.dense()


def test_a_vector_of_another_length_is_refused():
    x, y = small_batch()
    with (
        curvature_products(small_net("none"), cross_entropy, x, y) as product,
        pytest.raises(ValueError, match=r"v must have shape \(87,\), got \(3,\)"),
    ):
        product(torch.ones(3))
