"""N1 to N5: rows, effects and facts, from tables whose order is known and from tiny nets."""

import itertools
import math
import statistics

import numpy as np
import pytest

from bnlab.chapters.bn_nas import n1_early_rank as n1
from bnlab.chapters.bn_nas import n2_norms_only as n2
from bnlab.chapters.bn_nas import n3_shorter as n3
from bnlab.chapters.bn_nas import n4_stopwatch as n4
from bnlab.chapters.bn_nas import n5_found as n5
from bnlab.chapters.bn_nas import ranked as ranked_module
from bnlab.chapters.bn_nas import trainings
from bnlab.chapters.bn_nas.ranked import COLUMNS, ranked, seen
from bnlab.chapters.bn_nas.space import BASE, costs, drawn, named, paths
from bnlab.chapters.bn_nas.trainings import MARKS, Search, score
from bnlab.verdicts import evidence
from bnlab.verdicts.interval import interval
from bnlab.verdicts.work import HERE

TINY = BASE.replace(width=2, batch_size=8, steps=2, eval_every=2)
SEEDS = [1, 2]


def rows(kind, order, truth):
    """Nets whose score at mark k is ``order(path, k)``, and whose accuracy alone is ``truth``."""
    return [
        [kind, named(path), seed, *costs(path), [truth(path)] * 2, scores, scores[::-1]]
        for seed in SEEDS
        for path in drawn(seed)
        for scores in [[float(order(path, mark)) for mark in range(len(MARKS))]]
    ]


def data(*tables, **more):
    return {
        "base": BASE.to_dict(),
        "seeds": SEEDS,
        "marks": list(MARKS),
        "columns": list(COLUMNS),
        "rows": list(itertools.chain(*tables)),
        **more,
    }


def layers(path, mark=0):
    return costs(path)[2]


def kernels(path, mark=0):
    """Something that has little to do with the number of layers, another one for each path."""
    return sum(op in (3, 4) for op in path) + sum(op / 10 ** (k + 1) for k, op in enumerate(path))


def untied(seed):
    """The share of a unit's pairs of nets that differ in their number of layers."""
    pairs = itertools.combinations([layers(path) for path in drawn(seed)], 2)
    return np.mean([one != other for one, other in pairs])


def test_a_score_that_is_the_number_of_layers_ranks_all_nets_and_none_that_are_alike():
    found = n1.values(data(rows("all", layers, layers)))
    assert found["early"] == pytest.approx([untied(seed) for seed in SEEDS])
    assert found["alike"] == pytest.approx(0)
    assert found["beyond_layers"] == pytest.approx(0)


def test_a_score_that_knows_the_nets_is_beyond_all_sizes():
    found = n1.values(data(rows("all", kernels, kernels)))
    assert found["early"] == pytest.approx(1) and found["alike"] == pytest.approx(1)
    assert min(found[f"beyond_{size}"].min() for size in n1.SIZES) > 0.1


def test_facts_of_n1_have_the_ceiling_and_each_mark():
    found = n1.facts(data(rows("all", layers, layers)))
    share = np.mean([untied(seed) for seed in SEEDS])
    told = [found[name] for name in ("ceiling", "tau_layers", "score_100")]
    assert told == pytest.approx([share] * 3)
    assert found["score_with_layers_40"] == pytest.approx(1)
    assert found["seen_beyond_layers"] == pytest.approx(0)


def test_n2_compares_each_kind_with_all_weights_and_with_layers():
    table = data(
        rows("all", kernels, kernels),
        rows("norms", layers, kernels),
        rows("last", lambda path, _: -kernels(path), kernels),
        widths=[["norms", 32, 1, 0.25], ["norms", 32, 2, 0.35], ["last", 32, 1, 0.1]],
    )
    found = n2.values(table)
    assert found["norms_learned"] == pytest.approx(0) and found["norms_less"].min() > 0.5
    assert found["last_less"] == pytest.approx(2)
    told = n2.facts(table)
    assert told["score_norms_400"] == pytest.approx(told["tau_layers"])
    assert told["val_norms_width_32"] == pytest.approx(30)


def test_n3_compares_a_tenth_with_all_steps():
    def later(path, mark):
        return kernels(path) if mark == 3 else layers(path)

    found = n3.values(data(rows("all", later, kernels)))  # accuracies: the scores, reversed
    layers_tau = n1.values(data(rows("all", layers, kernels)))["early"]
    assert found["learned"] == pytest.approx(0)
    assert found["grows"] == pytest.approx(1 - layers_tau)
    assert found["tenth"] == pytest.approx(0)


def test_the_power_is_half_of_an_interval():
    values = np.array([0.0, 0.1, 0.2, 0.4])
    low, high = interval(values)
    assert seen({"one": values}) == {"seen_one": pytest.approx((high - low) / 2)}
    assert seen({"one": values[:1]}) == {}, "one unit has no interval"


@pytest.fixture
def few(monkeypatch):
    """Few nets a unit, and short supernets."""
    for module in (ranked_module, trainings, n2):
        monkeypatch.setattr(module, "drawn", lambda seed, count=3: drawn(seed, 3))
    monkeypatch.setattr(ranked_module, "MARKS", (1, 2))
    monkeypatch.setattr(ranked_module, "FEW", 1)
    monkeypatch.setattr(
        ranked_module, "Search", lambda kind, lr: Search(kind, lr, steps=2, width=2)
    )


def test_what_is_measured_are_scores_beside_nets_alone(few):
    found = ranked([1], HERE, TINY, ["all", "last"])
    assert len(found["rows"]) == 6 and found["columns"] == list(COLUMNS)
    row = dict(zip(COLUMNS, found["rows"][3], strict=True))
    path = drawn(1)[0]
    assert (row["trained"], row["path"], row["seed"]) == ("last", named(path), 1)
    assert [len(row[-1]) for row in found["rows"]] == [2, 2, 2, 2, 0, 0]
    looked = trainings.searched(TINY, Search("last", 0.5, 2, 2), 1, [1, 2], [path])
    assert row["scores"] == [score(table, path) for table in looked["tables"]]
    assert row["accuracies"] == [one[0] for one in looked["accuracies"]]
    assert row["alone"] == [trainings.alone(TINY, path, trainings.own(1, k)) for k in (1, 2)]


def test_what_an_earlier_measurement_has_is_taken_over(few):
    earlier = ranked([1], HERE, TINY, ["all"])
    for row in earlier["rows"]:
        row[6] = [0.5, 0.25]
    found = ranked([1, 2], HERE, TINY, ["all", "norms"], earlier)
    assert found["rows"][:3] == earlier["rows"]
    new = [row for row in found["rows"] if row[0] == "norms" and row[2] == 1]
    assert [row[6] for row in new] == [[0.5, 0.25]] * 3
    whole = ranked([2], HERE, TINY, ["all"])
    assert found["rows"][3:6] == whole["rows"]
    with pytest.raises(ValueError, match="another Run"):
        ranked([1], HERE, TINY.replace(lr=0.2), ["all"], earlier)


def test_n4_has_the_factor_with_the_table_made_once_and_made_anew():
    table = {
        "seeds": [1, 2],
        "timed": list(n4.TIMED),
        "times": [
            [3.0, 1e-2, 1e-4, 9e-5, 1e-6, 2.0, 1.5],
            [3.0, 1e-2, 1e-5, 9e-6, 1e-6, 2.0, 1.5],
        ],
        "columns": list(n4.COLUMNS),
        "rows": [[1, 556, 300, 3], [2, 556, 300, 3]],
    }
    assert n4.values(table)["lookup"] == pytest.approx(4)
    assert n4.values(table)["indicator"] == pytest.approx([2, 3])
    told = n4.facts(table)
    assert told["search"] == pytest.approx(13 / 3, rel=1e-3)
    assert told["search_tenth"] == pytest.approx(13 / 0.3, rel=0.01)
    assert told["indicator"] == pytest.approx(math.sqrt(1e5))
    assert told["counted"] == pytest.approx(100)
    assert told["shorter_norms"] == pytest.approx(1.5)


def test_n4_counts_the_same_each_time_and_times_every_part():
    first, second = (n4.measure([1], base=TINY) for _ in range(2))
    assert first["rows"] == second["rows"] == [[1, 4 * 64 + 300, first["rows"][0][2], 3]]
    assert not set(first) & {*evidence.META, *evidence.LATER}, "else it could not be kept"
    assert min(first["times"][0]) > 0 and len(first["times"][0]) == len(n4.TIMED)


def test_both_searches_look_at_all_nets_of_at_most_the_median_size():
    limit = statistics.median(costs(path)[0] for path in paths())
    asked = n5.candidates()
    assert len(asked) == 250 and max(costs(path)[0] for path in asked) <= limit


def test_the_random_net_is_another_one_of_the_same_size():
    asked = n5.candidates()
    for seed, path in enumerate(asked[::25]):
        found = n5.random_like(seed, path, asked)
        near = [p for p in asked if p != path and abs(costs(p)[0] / costs(path)[0] - 1) <= 0.05]
        assert found != path and (found in near or not near)
    assert len({n5.random_like(seed, asked[-1], asked) for seed in range(20)}) > 1


def test_n5_trains_what_each_search_finds(monkeypatch):
    asked = n5.candidates()[100:103]
    monkeypatch.setattr(n5, "candidates", lambda base: asked)
    monkeypatch.setattr(n5, "STEPS", 2)
    monkeypatch.setattr(n5, "Search", lambda: Search(steps=2, width=2))
    found = n5.measure([1], base=TINY)
    rows = {row[0]: dict(zip(n5.COLUMNS, row, strict=True)) for row in found["rows"]}
    scores = [score(found["tables"][0], path) for path in asked]
    assert rows["score"]["path"] == named(asked[int(np.argmax(scores))])
    assert rows["accuracy"]["accuracy"] == max(found["accuracies"][0])
    assert len(rows["random"]["alone"]) == 6
    means = {name: np.mean(row["alone"]) for name, row in rows.items()}
    assert n5.values(found)["lost"] == pytest.approx(means["accuracy"] - means["score"])
    assert n5.facts(found)["test_random"] == pytest.approx(100 * means["random"])
