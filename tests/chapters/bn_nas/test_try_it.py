"""What chapter 12 lets its reader try does what the text says, at that seed."""

import itertools

import numpy as np

import tests.web.choices_reference as page


def scores(step, seed=1204):
    return page.scores(page.stored_scales("all", seed, step))


def test_the_score_ranks_best_in_the_end_and_worst_on_the_way():
    first, middle, last = (page.tau(scores(step)) for step in (0, 100, 400))
    assert middle < first - 0.05 and last > first + 0.05


def test_the_block_without_a_shortcut_has_the_longest_bars():
    scales, starts = page.stored_scales("all", 1204, 400), np.cumsum([0, *page.SIZES])
    blocks = [scales[a:b] for a, b in itertools.pairwise(starts)]
    assert min(blocks[2]) > 1.3 * max(max(block) for k, block in enumerate(blocks) if k != 2)
    assert page.space().choices[2][0].residual is False


def test_without_a_budget_one_supernet_finds_a_good_net_and_another_a_bad_one():
    right, every = page.right().sum(0), page.within(100)
    places = [page.rank(right, page.evolve(scores(400, s), every, s)[-1]) for s in (1204, 1208)]
    assert places[0] > 200 and places[1] < 60
