"""Each block of PyTorch on the page of chapter 14 does on a small net what the page says of it."""

import copy
import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from tests.chapters.clinic.page_of_the_clinic import repairs

BLOCKS = repairs()


def run(card, number=0, **names):
    """Run a block of a card as a reader does; what it defines."""
    names |= {"torch": torch, "nn": nn}
    exec(BLOCKS[card][number], names)
    return names


def convolutional(dropout=0.0):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Flatten(),
        nn.Linear(288, 16),
        nn.BatchNorm1d(16),
        nn.ReLU(),
        nn.Linear(16, 10),
    ).train()


def images(count=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 1, 8, 8, generator=generator) + 2
    return x, torch.randint(10, (count,), generator=generator)


def loader(count=64, batch_size=32):
    return DataLoader(TensorDataset(*images(count)), batch_size)


def norms(model):
    return [m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]


def test_every_card_has_a_block():
    assert sorted(BLOCKS) == [f"T{k}" for k in range(1, 9)]
    assert all(BLOCKS.values())


# ---- T1 ----


def far_apart(model):
    """Largest difference between the outputs in both modes, without dropout."""
    x, model = images()[0], copy.deepcopy(model)
    with torch.no_grad():
        evaluated = model.eval()(x)
        for norm in norms(model):
            norm.train()
        return (model(x) - evaluated).abs().max().item()


def test_t1_new_statistics_bring_both_modes_together():
    model = convolutional()
    before = far_apart(model)
    run("T1", loader=loader(batch_size=64), model=model)
    assert before > 0.1 and far_apart(model) < 0.05 * before


def test_t1_update_bn_leaves_dropout_on_and_the_other_function_does_not():
    from bnlab.norms import recompute_statistics

    found = []
    for repair in (lambda m: run("T1", loader=loader(batch_size=64), model=m), None):
        model = convolutional(dropout=0.5)
        if repair:
            repair(model)
        else:
            recompute_statistics(model, loader(batch_size=64))
        found.append(far_apart(model))
    assert found[1] < found[0] / 4


# ---- T2 ----


def test_t2_no_batch_of_one_is_left():
    data = TensorDataset(*images(65))
    sizes = [len(x) for x, _ in run("T2", data=data)["loader"]]
    assert sizes == [32, 32] and len(list(DataLoader(data, 32))[-1][0]) == 1


def test_t2_a_model_without_batches_takes_a_single_image():
    model = convolutional()
    with pytest.raises(ValueError, match="Expected more than 1 value per channel when training"):
        model(images(1)[0])
    run("T2", 1)["without_batches"](model)
    assert not norms(model)
    groups = [m for m in model.modules() if isinstance(m, nn.GroupNorm)]
    assert [(one.num_groups, one.num_channels) for one in groups] == [(1, 8), (2, 16)]
    x = images(8)[0]
    together = model(x)
    torch.testing.assert_close(
        together, torch.cat([model(one) for one in x.split(1)]), atol=1e-5, rtol=1e-4
    )


def test_t2_channels_that_are_no_multiple_of_eight():
    model = nn.Sequential(nn.Sequential(nn.BatchNorm2d(12)), nn.BatchNorm1d(7), nn.BatchNorm1d(36))
    run("T2", 1)["without_batches"](model)
    assert [model[0][0].num_groups, model[1].num_groups, model[2].num_groups] == [1, 1, 4]


# ---- T3 ----


def test_t3_requires_grad_alone_does_not_stop_running_statistics():
    model = convolutional()
    for parameter in model.parameters():
        parameter.requires_grad = False
    before = norms(model)[0].running_mean.clone()
    model(images()[0])
    assert not torch.equal(before, norms(model)[0].running_mean)


def test_t3_the_block_freezes_batch_norms_and_nothing_else():
    model = convolutional(dropout=0.5)
    run("T3", model=model)
    before = {name: one.clone() for name, one in model.state_dict().items()}
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = images()
    F.cross_entropy(model(x), y).backward()
    sgd.step()
    moved = {name for name, one in model.state_dict().items() if not torch.equal(one, before[name])}
    assert moved == {f"{layer}.{part}" for layer in (0, 5, 8) for part in ("weight", "bias")}
    assert model[3].training
    model.train()
    assert norms(model)[0].training  # "after each model.train()"


# ---- T4 ----


def one_step(model, accumulated):
    """The weights after one step on 32 images, in eight parts or at once."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    if accumulated:
        names = {"model": model, "optimizer": optimizer, "loss": F.cross_entropy}
        run("T4", loader=loader(32, 4), **names)
    else:
        x, y = images(32)
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def distance(model):
    start = torch.cat([p.detach().flatten() for p in model.parameters()])
    ends = [one_step(copy.deepcopy(model), how) for how in (True, False)]
    return ((ends[0] - ends[1]).norm() / (ends[1] - start).norm()).item()


def test_t4_accumulation_is_the_large_batch_only_without_batch_norm():
    model = convolutional()
    assert distance(model) > 0.1
    run("T2", 1)["without_batches"](model)
    assert distance(model) < 1e-4


# ---- T5 ----


def test_t5_only_matrices_decay():
    model = convolutional()
    optimizer = run("T5", model=model)["optimizer"]
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, p in model.named_parameters():
        share = 1 - 0.1 * 0.01 if p.ndim >= 2 else 1.0
        torch.testing.assert_close(p.detach(), share * before[name])
    listed = [p for group in optimizer.param_groups for p in group["params"]]
    assert len(listed) == len(set(listed)) == len(list(model.parameters()))


# ---- T6 ----


def test_t6_a_bias_before_batch_norm_changes_nothing():
    block = run("T6")["block"].train()
    assert block[0].bias is None and isinstance(block[1], nn.BatchNorm2d)
    x = torch.randn(8, 16, 8, 8)
    biased = copy.deepcopy(block)
    biased[0].bias = nn.Parameter(torch.randn(16))
    torch.testing.assert_close(block(x), biased(x), atol=1e-4, rtol=1e-4)
    assert block(x).min() == 0  # the ReLU comes last


# ---- T7 ----


def test_t7_behind_the_last_batch_norm_dropout_shifts_no_variance():
    torch.manual_seed(0)
    head = run("T7", features=64, classes=10)["head"]
    body = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU())
    shifted = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5), nn.BatchNorm1d(64))
    x = torch.randn(4096, 64)
    ratios = []
    for model in (nn.Sequential(body, head), nn.Sequential(shifted)):
        (norm,) = norms(model)
        norm.momentum = 1.0
        model.train()(x)
        met = []
        norm.register_forward_hook(lambda _m, inputs, _out, met=met: met.append(inputs[0].var(0)))
        model.eval()(x)
        ratios.append((norm.running_var / met[0]).mean().item())
    assert ratios[0] == pytest.approx(1, abs=1e-4) and ratios[1] > 1.5


# ---- T8 ----


def own_gradients(critic, x):
    """d f_j / d x_j alone: the gradient of each sample's own output, in the whole batch."""
    outputs = critic(x)
    return torch.stack(
        [
            torch.autograd.grad(f, x, retain_graph=True)[0][j]
            for j, f in enumerate(outputs.flatten())
        ]
    )


def test_t8_the_penalty_is_that_of_each_samples_own_gradient_and_trains():
    torch.manual_seed(0)
    x = images(16)[0].requires_grad_()
    names = run("T8", x=x)
    own = own_gradients(names["critic"], x)
    torch.testing.assert_close(names["grad"], own, atol=1e-6, rtol=1e-4)
    right = (own.flatten(1).norm(dim=1) - 1).square().mean()
    torch.testing.assert_close(names["penalty"], right)
    names["penalty"].backward()
    assert all(p.grad is not None for p in itertools.islice(names["critic"].parameters(), 4))


def test_t8_with_batch_norm_it_is_not():
    torch.manual_seed(0)
    x = images(16)[0].requires_grad_()
    critic = run("T8", x=x)["critic"]
    critic[1] = nn.BatchNorm2d(16)
    (summed,) = torch.autograd.grad(critic(x).sum(), x)
    own = own_gradients(critic, x)
    assert ((summed - own).norm() / own.norm()).item() > 0.05
