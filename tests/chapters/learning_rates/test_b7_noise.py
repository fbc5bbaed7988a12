"""B7: the instruments against known answers, and what follows from the trainings."""

import numpy as np
import pytest
import torch
from torch import nn

from bnlab import claims
from bnlab.chapters.learning_rates import b7_noise as b7
from bnlab.chapters.learning_rates.b7_curvature import LOSS, sharpness, squared_noise
from bnlab.train import build

RUN = b7.BASE.replace(depth=1, width=2, steps=16, batch_size=4)


@pytest.fixture
def batch():
    torch.manual_seed(0)
    return torch.randn(40, 1, 8, 8, dtype=torch.float64), torch.randint(10, (40,))


def hessian(net, x, y):
    """All second derivatives, the plain way."""
    names, values = zip(*net.named_parameters(), strict=True)
    sizes = [p.numel() for p in values]

    def loss(vector):
        parts = vector.split(sizes)
        given = {n: p.view_as(v) for n, p, v in zip(names, parts, values, strict=True)}
        return LOSS(torch.func.functional_call(net, given, (x,)), y)

    start = nn.utils.parameters_to_vector(values).detach()
    return torch.autograd.functional.hessian(loss, start)


def test_the_sharpness_is_the_largest_eigenvalue_also_in_own_units(batch):
    net = build(RUN.replace(precision="float64"))
    matrix = hessian(net, *batch)
    units = torch.cat(
        [
            p.detach().square().flatten(1).mean(1).sqrt().repeat_interleave(p[0].numel())
            if p.ndim > 1
            else torch.zeros(p.numel(), dtype=p.dtype)
            for p in net.parameters()
        ]
    )
    top, own = sharpness(net.train(), *batch)
    assert top == pytest.approx(float(torch.linalg.eigvalsh(matrix)[-1]), rel=0.01)
    in_units = units[:, None] * matrix * units
    assert own == pytest.approx(float(torch.linalg.eigvalsh(in_units)[-1]), rel=0.01)


def test_in_own_units_the_length_of_a_normalized_filter_does_not_count(batch):
    net = build(RUN.replace(norm="batch", precision="float64")).train()
    for module in net.modules():
        if hasattr(module, "eps"):
            module.eps = 0.0
    before = sharpness(net, *batch)
    with torch.no_grad():
        net.blocks[0].conv1.weight *= 0.1
        net.blocks[0].conv2.weight *= 0.1
        net.stem[0].weight *= 0.1
    after = sharpness(net, *batch)
    assert after[1] == pytest.approx(before[1], rel=0.02)
    assert after[0] > 2 * before[0]


def test_without_batchnorm_squared_noise_is_the_variance_of_an_image_over_the_batch_size(batch):
    net, (x, y) = build(RUN.replace(precision="float64")), batch
    one = [torch.autograd.grad(LOSS(net(x[[i]]), y[[i]]), [*net.parameters()]) for i in range(40)]
    each = torch.stack([torch.cat([part.flatten() for part in parts]) for parts in one])
    variance = float((each - each.mean(0)).square().sum(1).mean())
    for size, found in zip((2, 20), squared_noise(net, x, y, (2, 20), 400, 0), strict=True):
        assert found == pytest.approx(variance / size, rel=0.2)


def test_a_training_keeps_its_ratio_and_is_looked_at_where_the_loss_is_reached(monkeypatch):
    runs = {name: b7.run_of(RUN, "batch", name, 3) for name in b7.TRAININGS}
    ratio = {name: run.lr / run.batch_size for name, run in runs.items()}
    assert ratio["small"] == pytest.approx(ratio["ratio"])
    assert ratio["large"] == pytest.approx(b7.TIMES * ratio["small"])
    for name, value in {"LOOK": 4, "IMAGES": 64, "SIZES": (4, 8), "BATCHES": 2}.items():
        monkeypatch.setattr(b7, name, value)
    monkeypatch.setattr(b7, "TARGET", 100.0)
    row = dict(zip(b7.COLUMNS, b7._row(RUN, "batch", "small", 3), strict=True))
    assert row["step"] == 4 and len(row["noise"]) == 2
    assert row["steps"] == [2 * k for k in range(1, b7.TIMES + 1)]
    monkeypatch.setattr(b7, "TARGET", 0.0)
    row = dict(zip(b7.COLUMNS, b7._row(RUN, "batch", "small", 3), strict=True))
    assert row["step"] == RUN.steps  # never reached: the end


def test_a_net_that_diverged_scores_chance_and_is_nowhere_flat(monkeypatch):
    monkeypatch.setattr(b7, "SMALL_LRS", {"none": 1e4})
    row = dict(zip(b7.COLUMNS, b7._row(RUN, "none", "large", 3), strict=True))
    assert row["sharpness"] is None and row["accuracies"] == [0.1] * b7.TIMES


@pytest.fixture
def data():
    """Two seeds: eight times as flat with a larger rate, of which half by the noise."""
    size, rows = np.array(b7.SIZES), []
    places = {"small": (80.0, 1.0), "ratio": (40.0, 0.9), "large": (10.0, 0.98)}
    for norm in b7.NORMS:
        for name, (top, accuracy) in places.items():
            noise = list(3.0 / size if name != "large" else 12.0 / size)
            curve = [accuracy - 0.1, *[accuracy] * (b7.TIMES - 1)]
            rows += [
                [norm, name, seed, 100, 0.1, top, top / 2, noise, accuracy, [], curve]
                for seed in (1, 2)
            ]
    return {
        "base": b7.BASE.to_dict(),
        "seeds": [1, 2],
        "columns": list(b7.COLUMNS),
        "rows": rows,
    }


def test_effects_of_trainings_that_are_known(data):
    found = b7.values(data)
    assert found["flat_batch"] == pytest.approx(np.log10([8, 8]))
    assert found["own_units"] == pytest.approx(np.log10([8, 8]))
    assert found["noise"] == pytest.approx(np.log10([4, 4]))
    assert found["batch_none"] == pytest.approx([-1, -1])
    assert found["rate"] == pytest.approx([2 + np.log(4) / np.log(b7.TIMES)] * 2)
    assert found["images_batch"] == pytest.approx([-0.2, -0.2])  # 0.8 against 1.0
    assert found["steps_none"] == pytest.approx([-0.1, -0.1])  # 0.9 against 1.0
    facts = b7.facts(data)
    assert facts["batch_small_bound"] == pytest.approx(2 / b7.SMALL_LRS["batch"])
    assert facts["batch_small_above"] == 2 and facts["batch_large_missed"] == 0


def test_a_seed_that_diverged_counts_as_no_flatter(data):
    at = [row[:3] == ["batch", "large", 1] for row in data["rows"]].index(True)
    data["rows"][at][3:9] = [None] * 6
    found = b7.values(data)
    assert found["flat_batch"] == pytest.approx([0, np.log10(8)])
    assert found["rate"][0] == 2
    assert found["batch_batch"] == pytest.approx([-1, -1])
    assert b7.facts(data)["batch_large_missed"] == 1


def test_all_trainings_of_the_evidence_reached_the_loss():
    facts = claims.load("B7").facts
    assert all(facts[f"{norm}_{name}_missed"] == 0 for norm in b7.NORMS for name in b7.TRAININGS)
