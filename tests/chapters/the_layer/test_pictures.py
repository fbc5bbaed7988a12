"""The two figures that are computed on the page: three bowls, and the line in a gradient."""

import numpy as np
import pytest
import torch

from bnlab.chapters.the_layer import residual, wells


def test_the_features_have_the_moments_that_the_page_names():
    x, _ = wells.features()
    np.testing.assert_allclose(x.mean(0), (2, 10))
    np.testing.assert_allclose(x.std(0), (1, 5))
    assert np.corrcoef(x.T)[0, 1] == pytest.approx(0.6)


def test_curvature_is_covariance_plus_means_and_what_standardizing_leaves_is_correlation():
    x, _ = wells.features()
    found = wells.descents()
    mean = x.mean(0)
    whole = np.cov(x.T, bias=True) + np.outer(mean, mean)  # equation 1
    np.testing.assert_allclose(found["raw"].hessian, whole)
    np.testing.assert_allclose(found["standardized"].hessian, np.corrcoef(x.T), atol=1e-12)
    np.testing.assert_allclose(found["whitened"].hessian, np.eye(2), atol=1e-12)
    assert found["standardized"].condition == pytest.approx((1 + 0.6) / (1 - 0.6))


@pytest.mark.parametrize("name", wells.KINDS)
def test_the_steps_are_those_of_gradient_descent_by_autograd(name):
    x, y = wells.features()
    found = wells.descents()[name]
    inputs = torch.tensor(wells.KINDS[name](x))
    target = torch.tensor(y if name == "raw" else y - y.mean())
    rate = 2 / np.linalg.eigvalsh(found.hessian).sum()
    w, losses = torch.zeros(2, dtype=torch.float64, requires_grad=True), []
    for _ in range(found.steps + 1):
        loss = (inputs @ w - target).square().mean() / 2
        losses.append(loss.item())
        (slope,) = torch.autograd.grad(loss, w)
        w.data -= rate * slope
    assert losses[-1] <= 0.01 * losses[0] < losses[-2]


def test_the_slowest_part_shrinks_by_the_condition_number():
    """By (kappa - 1) / (kappa + 1) a step, and no other constant rate is better."""
    for one in wells.descents().values():
        curvatures = np.linalg.eigvalsh(one.hessian)
        kappa = one.condition

        def slowest(rate, curvatures=curvatures):
            return np.abs(1 - rate * curvatures).max()

        best = slowest(2 / curvatures.sum())
        assert best == pytest.approx((kappa - 1) / (kappa + 1), abs=1e-9)
        assert all(slowest(f * 2 / curvatures.sum()) >= best for f in (0.9, 0.99, 1.01, 1.1))


def test_standardizing_helps_and_whitening_ends_it():
    found = wells.descents()
    assert found["raw"].steps > 20 * found["standardized"].steps
    assert found["whitened"].steps == 1  # "a single step is enough"
    figure = wells.three_wells()
    assert len(figure.svgs) == 3 and f"raw {found['raw'].steps} steps" in figure.alt


@pytest.fixture(scope="module")
def channel():
    return residual.one_channel()


def test_level_and_slope_are_those_of_least_squares_and_none_is_left(channel):
    x_hat, dy = channel
    level, slope = residual.line_of(x_hat, dy)
    assert np.polyfit(x_hat, dy, 1) == pytest.approx([slope, level], rel=1e-3)  # "but for epsilon"
    left = dy - level - slope * x_hat
    assert residual.line_of(x_hat, left) == pytest.approx((0, 0), abs=1e-4 * np.abs(dy).max())


def test_many_samples_in_the_left_half_have_no_gradient_and_get_one(channel):
    x_hat, dy = channel
    level, slope = residual.line_of(x_hat, dy)
    closed = (dy == 0) & (x_hat < 0)
    assert closed.sum() > 0.8 * (x_hat < 0).sum() and closed.sum() >= 15
    assert np.abs(level + slope * x_hat[closed]).max() > 0.1 * np.abs(dy).max()


def test_the_figure_shows_both_and_is_the_same_each_time():
    figure, again = residual.before_and_after(), residual.before_and_after()
    assert len(figure.svgs) == 2 and figure.svgs == again.svgs
    assert "positive slope" in figure.alt or "negative slope" in figure.alt
