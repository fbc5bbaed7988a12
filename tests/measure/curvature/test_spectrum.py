"""Eigenvalues, trace and density, of matrices that are known."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.measure import (
    Product,
    extreme_eigenvalues,
    hutchinson_trace,
    lanczos_density,
    measure_curvature,
)
from bnlab.measure.curvature.curvature import Curvature
from tests.measure.curvature.curvature_reference import dense_hessian, small_batch, small_net


def product_with(values, seed=0, dtype=torch.float64):
    """A matrix with these eigenvalues and random eigenvectors, as a product; and itself."""
    size = len(values)
    basis, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))
    matrix = basis @ np.diag(values) @ basis.T
    matrix = (matrix + matrix.T) / 2
    a = torch.from_numpy(matrix).to(dtype)
    return Product([torch.zeros(size, dtype=dtype)], lambda v: [a @ v[0]]), matrix


SPREAD = np.concatenate([np.linspace(-1, 1, 194), [-3.0, -2.5, -2.0, 8.0, 9.0, 10.0]])


@pytest.mark.parametrize("size", [12, 200])
def test_the_extreme_eigenvalues_and_their_vectors(size):
    product, matrix = product_with(SPREAD[-size:])
    found = extreme_eigenvalues(product, 3, 2, tolerance=1e-10)
    assert found.top == pytest.approx([10, 9, 8], rel=1e-12)
    assert found.bottom == pytest.approx([-3, -2.5], rel=1e-12)
    rows = zip(
        [*found.top, *found.bottom],
        [*found.top_vectors, *found.bottom_vectors],
        [*found.top_residuals, *found.bottom_residuals],
        strict=True,
    )
    for value, vector, residual in rows:
        assert np.linalg.norm(vector) == pytest.approx(1)
        assert residual == pytest.approx(
            np.linalg.norm(matrix @ vector - value * vector), abs=1e-13
        )
        assert residual < 1e-9


def test_a_loose_tolerance_is_kept_and_costs_less():
    counts = []
    for tolerance in (1e-2, 1e-12):
        product, _ = product_with(np.linspace(-1, 1, 300) ** 3)
        found = extreme_eigenvalues(product, 2, 0, tolerance=tolerance)
        assert 0 < found.top_residuals.max() <= tolerance
        counts.append(product.count)
    assert counts[0] < counts[1]


def test_eigenvalues_near_zero_are_found_to_the_size_of_the_matrix():
    product, _ = product_with(np.concatenate([np.zeros(90), np.linspace(1, 2, 30)]))
    found = extreme_eigenvalues(product, 1, 3, tolerance=1e-8)
    assert found.bottom == pytest.approx([0, 0, 0], abs=1e-8)
    assert found.top == pytest.approx([2])


def test_the_many_zeros_of_a_gauss_newton_matrix():
    x, y = small_batch()
    net = small_net("batch")
    options = {"kind": "gauss_newton", "probes": 0, "top": 0, "bottom": 5}
    found = measure_curvature(net, cross_entropy, x[:4], y[:4], **options)
    assert np.abs(found.bottom).max() < 1e-6  # 4 samples of 3 outputs: a rank of at most 12


def test_equal_eigenvalues_are_all_found():
    product, _ = product_with(np.concatenate([np.linspace(0, 1, 60), [3.0, 3.0, 3.0]]))
    assert extreme_eigenvalues(product, 3, 0).top == pytest.approx([3, 3, 3])


def test_a_matrix_of_zeros():
    product, _ = product_with(np.zeros(50))
    found = extreme_eigenvalues(product, 2, 1)
    assert found.top.tolist() == [0, 0]
    assert found.bottom.tolist() == [0]


def test_the_same_seed_gives_the_same_numbers():
    def once(seed):
        product, _ = product_with(SPREAD)
        return (
            extreme_eigenvalues(product, seed=seed).top_vectors,
            hutchinson_trace(product, seed=seed).samples,
            lanczos_density(product, seed=seed).nodes,
        )

    first, second, third = once(1), once(1), once(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, third, strict=True))


def test_too_few_restarts_are_an_error():
    product, _ = product_with(np.linspace(0, 1, 400))
    with pytest.raises(RuntimeError, match=r"eigenvalues have converged .*raise max_"):
        extreme_eigenvalues(product, 6, 0, tolerance=1e-14, max_restarts=1)


BAD = [
    (extreme_eigenvalues, {"top": -1}, "top must be"),
    (extreme_eigenvalues, {"bottom": 1.5}, "bottom must be a whole number"),
    (extreme_eigenvalues, {"top": 201}, "201 eigenvalues of a matrix with 200 rows"),
    (extreme_eigenvalues, {"tolerance": 0}, "tolerance must be"),
    (extreme_eigenvalues, {"max_restarts": 0}, "max_restarts must be"),
    (hutchinson_trace, {"probes": 1}, "probes must be"),
    (lanczos_density, {"probes": 1}, "probes must be"),
    (lanczos_density, {"steps": 0}, "steps must be"),
    (lanczos_density, {"smoothing": 0}, "smoothing must be"),
    (lanczos_density, {"points": 1}, "points must be"),
]


@pytest.mark.parametrize(("function", "options", "message"), BAD)
def test_numbers_out_of_range_are_refused(function, options, message):
    product, _ = product_with(SPREAD)
    with pytest.raises(ValueError, match=message):
        function(product, **options)


def test_the_trace_of_a_diagonal_matrix_is_exact():
    values = torch.linspace(-1, 3, 20, dtype=torch.float64)
    product = Product([values], lambda v: [values * v[0]])
    found = hutchinson_trace(product, 3)
    assert found.trace == pytest.approx(20, rel=1e-12)
    assert found.error < 1e-12


def test_the_trace_is_right_within_its_error_and_the_error_is_right():
    product, matrix = product_with(SPREAD)
    found = hutchinson_trace(product, 600)
    wanted = np.sqrt(2 * ((matrix**2).sum() - (np.diag(matrix) ** 2).sum()) / 600)
    assert found.error == pytest.approx(wanted, rel=0.15)
    assert abs(found.trace - SPREAD.sum()) < 3 * wanted
    assert found.samples.shape == (600,)


def test_the_quadrature_is_exact_for_polynomials():
    product, matrix = product_with(SPREAD[-30:] / 10)
    found = lanczos_density(product, 2, 5)
    # The probes are sign vectors: of their quadratic forms the quadrature is made.
    signs = [hutchinson_samples(matrix, i) for i in range(2)]
    for nodes, weights, v in zip(found.nodes, found.weights, signs, strict=True):
        for degree in range(10):
            exact = v @ np.linalg.matrix_power(matrix, degree) @ v / 30
            assert (weights * nodes**degree).sum() == pytest.approx(exact, rel=1e-10)


def hutchinson_samples(matrix, number):
    from bnlab import random

    words = random.bits(0, 41, len(matrix), number * len(matrix))
    return np.where(words < 2**31, 1.0, -1.0)


def test_with_all_steps_the_nodes_are_the_eigenvalues():
    product, _ = product_with(SPREAD[-15:])
    found = lanczos_density(product, 2, 50)
    assert found.nodes.shape == (2, 15)
    for nodes in found.nodes:
        assert nodes == pytest.approx(np.sort(SPREAD[-15:]), abs=1e-10)


def test_the_density_is_that_of_the_eigenvalues():
    product, _ = product_with(SPREAD)
    found = lanczos_density(product, 40, 60, smoothing=0.05)
    step = found.grid[1] - found.grid[0]
    assert found.density.sum() * step == pytest.approx(1, abs=1e-3)
    bells = np.exp(-0.5 * ((found.grid[:, None] - SPREAD) / found.width) ** 2)
    wanted = bells.mean(1) / (found.width * np.sqrt(2 * np.pi))
    assert np.abs(found.density - wanted).sum() * step < 0.05
    assert (np.abs(found.density - wanted) < 4 * found.error + 1e-3).mean() > 0.95


def test_an_invariant_subspace_ends_the_steps_early():
    product, _ = product_with(np.repeat([1.0, 2.0], 20))
    found = lanczos_density(product, 2, 10)
    assert np.isnan(found.nodes[:, 2:]).all()
    assert found.nodes[:, :2] == pytest.approx(np.array([[1.0, 2.0]] * 2))
    assert found.weights.sum(1) == pytest.approx([1, 1])
    assert np.isfinite(found.density).all()


def test_the_measurement_puts_all_together():
    x, y = small_batch()
    values = np.linalg.eigvalsh(dense_hessian(small_net("batch"), cross_entropy, x, y))
    found = measure_curvature(small_net("batch"), cross_entropy, x, y, top=2, bottom=1, probes=4)
    assert (found.kind, found.mode, found.batch_statistics) == (
        "hessian",
        "train",
        "backpropagated",
    )
    assert found.top == pytest.approx(values[:-3:-1], rel=1e-6)
    assert found.bottom == pytest.approx(values[:1], rel=1e-6)
    assert found.size == len(values)
    assert abs(found.trace.trace - values.sum()) < 5 * found.trace.error
    assert found.density.nodes.shape == (4, 60)
    assert found.products > 4 * 61


def test_eval_mode_and_the_fisher_matrix_can_be_asked_for():
    x, _ = small_batch()
    options = {"kind": "fisher", "mode": "eval", "batch_statistics": "constant", "probes": 0}
    found = measure_curvature(small_net("batch"), None, x, top=1, bottom=0, **options)
    assert (found.kind, found.mode, found.batch_statistics) == ("fisher", "eval", "constant")
    assert found.trace is None
    assert found.density is None
    assert found.bottom.shape == (0,)


def test_to_ask_for_nothing_is_refused():
    x, y = small_batch()
    with pytest.raises(ValueError, match="nothing to measure"):
        measure_curvature(small_net("none"), cross_entropy, x, y, top=0, bottom=0, probes=0)


def test_float32_gives_nearly_the_same():
    x, y = small_batch()
    exact = measure_curvature(small_net("layer"), cross_entropy, x, y, probes=0)
    net = small_net("layer").float()
    found = measure_curvature(net, cross_entropy, x.float(), y, probes=0)
    assert found.top == pytest.approx(exact.top, rel=1e-4)
    assert 0 < found.top_residuals.max() < 1e-5 * exact.top[0]


@pytest.mark.parametrize("probes", [0, 3])
def test_the_figure_says_what_it_shows(probes):
    x, y = small_batch()
    found = measure_curvature(small_net("batch"), cross_entropy, x, y, probes=probes, steps=20)
    for name, text in (("batch", "batch norm"), ("a net of mine", "a net of mine")):
        drawing = found.plot(name)
        assert drawing.alt.startswith(f"Hessian matrix of {text} ({found.size} parameters)")
        assert f"largest eigenvalue {found.top[0]:.3g}" in drawing.alt
        assert f"smallest eigenvalue {found.bottom[0]:.3g}" in drawing.alt
        assert ("trace" in drawing.alt) == (probes > 0)
        assert "batch statistics backpropagated" in drawing.caption
        assert len(drawing.svgs) == 1


def test_the_figure_of_a_trace_alone():
    x, y = small_batch()
    options = {"top": 0, "bottom": 0, "probes": 2, "steps": 5}
    drawing = measure_curvature(small_net("none"), cross_entropy, x, y, **options).plot()
    assert "trace" in drawing.alt


def test_a_net_that_is_not_ours():
    net = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True).double()
    x = torch.randn(4, 3, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found: Curvature = measure_curvature(
        net, lambda out, target: (out - target).square().mean(), x, x.flip(0), probes=0, top=1
    )
    assert found.top[0] > 0
    assert found.top_residuals[0] < 1e-6 * found.top[0]
