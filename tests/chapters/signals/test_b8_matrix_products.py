"""The chains of B8 against products by hand, and the theory against large matrices."""

import pytest
import torch

from bnlab.chapters.signals import b8_matrix_products as b8


@pytest.fixture
def chain():
    """Four random matrices and a batch of samples."""
    generator = torch.Generator().manual_seed(0)
    draw = {"generator": generator, "dtype": torch.float64}
    return torch.randn(4, 8, 8, **draw) / 8**0.5, torch.randn(32, 8, **draw)


def test_a_product_is_that_of_all_matrices_in_their_order(chain):
    matrices, x = chain
    by_hand = matrices[0] @ matrices[1] @ matrices[2] @ matrices[3]
    torch.testing.assert_close(b8._product(matrices), by_hand)
    assert torch.equal(b8._product(matrices[:1]), matrices[0])
    torch.testing.assert_close(b8._chain(x, matrices, norm=False), x @ by_hand)


def test_a_chain_with_batchnorm_forgets_the_scale_of_its_matrices(chain):
    matrices, x = chain
    plain, doubled = (b8._chain(x, factor * matrices, norm=False) for factor in (1, 2))
    torch.testing.assert_close(doubled, 16 * plain)
    kept, same = (b8._chain(x, factor * matrices, norm=True) for factor in (1, 2))
    torch.testing.assert_close(same, kept, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(kept.mean(0), torch.zeros(8, dtype=torch.float64))


def test_the_spread_is_that_of_the_singular_values_in_decades():
    assert b8._spread(torch.diag(torch.tensor([100.0, 1.0, 0.1]))) == pytest.approx(2)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_products_of_large_matrices_reach_the_largest_value_of_theory(count):
    generator = torch.Generator().manual_seed(1)
    matrices = torch.randn(count, 300, 300, generator=generator, dtype=torch.float64) / 300**0.5
    found = torch.linalg.svdvals(b8._product(matrices))[0]
    assert float(found) == pytest.approx(b8.largest(count), rel=0.05)


def test_a_row_has_a_number_for_each_count_and_chain():
    seed, quantiles, condition, spread, doubled = b8._row(400)
    assert seed == 400 and [len(q) for q in quantiles] == [b8.KEPT] * len(b8.COUNTS)
    assert all(q == sorted(q) for q in quantiles)
    assert condition == sorted(condition)
    assert len(spread) == len(doubled) == 2
    decades = b8.COUNTS[-1] * torch.tensor(2.0).log10().item()
    assert doubled == pytest.approx([decades, 0], abs=1e-3)
