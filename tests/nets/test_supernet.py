"""The supernet: paths, shared weights, score, cost and statistics of a path."""

import copy
import itertools
import math
import pickle
import re

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from bnlab.nets import initialize
from bnlab.nets.architecture import (
    bn_indicator,
    indicator_table,
    macs,
    macs_table,
    recalibrated,
    train_only_norms,
)
from bnlab.nets.supernet import OPS, MBConv, Supernet, make_op

SMALL = ("k3e1", "k5e2", "identity")
SHAPES = [(1, 8, 8), (3, 32, 32), (2, 7, 5)]


def supernet(shape=(1, 8, 8), depth=3, width=4, seed=0, **options) -> Supernet:
    with torch.random.fork_rng(devices=[]):
        net = Supernet(shape, 10, depth, width, **{"ops": SMALL, **options})
    initialize(net, seed)
    return net.double()


def randomize(net: nn.Module, seed: int = 5) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in net.parameters():
            if p.ndim == 1:
                p.add_(torch.randn(p.shape, generator=generator, dtype=p.dtype) / 3)


def images(*shape: int, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


# Operations


def batch_norm(x: torch.Tensor, norm: nn.Module) -> torch.Tensor:
    mean = x.mean((0, 2, 3), keepdim=True)
    var = (x - mean).square().mean((0, 2, 3), keepdim=True)
    u = (x - mean) / (var + norm.eps).sqrt()
    return u * norm.weight.view(1, -1, 1, 1) + norm.bias.view(1, -1, 1, 1)


def mbconv(x: torch.Tensor, op: MBConv, stride: int) -> torch.Tensor:
    """The block as matrix products: 1x1 convolutions by einsum, the depthwise one by patches."""
    y = batch_norm(torch.einsum("nchw,oc->nohw", x, op.expand.weight[:, :, 0, 0]), op.norm1)
    y = y.clamp(min=0)
    k = op.depthwise.weight.shape[-1]
    patches = nn.functional.unfold(y, k, padding=k // 2, stride=stride)
    patches = patches.view(len(x), y.shape[1], k * k, -1)
    h, w = (math.ceil(n / stride) for n in x.shape[2:])
    y = torch.einsum("nckp,ck->ncp", patches, op.depthwise.weight.flatten(1)).view(
        -1, y.shape[1], h, w
    )
    y = batch_norm(y, op.norm2).clamp(min=0)
    y = torch.einsum("nchw,oc->nohw", y, op.project.weight[:, :, 0, 0])
    y = batch_norm(y, op.norm3)
    return y + x if y.shape == x.shape else y


@pytest.mark.parametrize("name, kernel, inner", [("k3e6", 3, 24), ("k5e1", 5, 4), ("k7e3", 7, 12)])
@pytest.mark.parametrize("width, stride", [(4, 1), (6, 1), (6, 2), (4, 2)])
def test_operations_follow_the_formula(name, kernel, inner, width, stride):
    op = make_op(name, 4, width, stride, "batch").double()
    randomize(op)
    assert op.depthwise.weight.shape == (inner, 1, kernel, kernel)
    x = images(3, 4, 5, 6)
    torch.testing.assert_close(op(x), mbconv(x, op, stride), rtol=1e-9, atol=1e-9)


def test_the_search_space_of_the_paper():
    assert OPS == ("k3e3", "k3e6", "k5e3", "k5e6", "k7e3", "k7e6")
    assert isinstance(make_op("identity", 4, 4, 1, "batch"), nn.Identity)


# Paths


def test_forward_computes_the_path_and_nothing_else():
    net = supernet()
    randomize(net)
    x = images(5, 1, 8, 8)
    called = []
    for layer, choice in enumerate(net.choices):
        for number, op in enumerate(choice):
            at = (layer, number)
            op.register_forward_hook(lambda m, args, y, at=at: called.append(at))
    for path in net.paths():
        y = net.stem(x)
        for choice, number in zip(net.choices, path, strict=True):
            y = choice[number](y)
        want = net.head(y.mean((2, 3)))
        called.clear()
        torch.testing.assert_close(net(x, path), want)
        assert sorted(set(called)) == list(enumerate(path))


def test_identity_is_offered_only_where_the_shape_stays():
    net = supernet(depth=4)
    assert net.names == [SMALL, SMALL, SMALL[:2], SMALL]
    assert len(list(net.paths())) == len(set(net.paths())) == 3 * 3 * 2 * 3
    assert net.named((2, 0, 1, 2)) == ("identity", "k3e1", "k5e2", "identity")


def test_without_a_path_the_nets_own_is_taken():
    net = supernet().eval()
    x = images(5, 1, 8, 8)
    assert torch.equal(net(x), net(x, (0, 0, 0)))
    net.path = (1, 1, 1)
    assert torch.equal(net(x), net(x, (1, 1, 1)))
    assert not torch.equal(net(x), net(x, (0, 0, 0)))


def test_a_step_on_a_path_touches_what_lies_on_it():
    net = supernet()
    randomize(net)
    path = (1, 0, 1)
    before = copy.deepcopy(net.state_dict())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    optimizer.zero_grad()
    net(images(5, 1, 8, 8), path).square().sum().backward()
    optimizer.step()
    on_path = ("stem.", "head.", *(f"choices.{i}.{op}." for i, op in enumerate(path)))
    for key, value in net.state_dict().items():
        assert torch.equal(value, before[key]) != key.startswith(on_path), key


def test_paths_share_weights():
    net = supernet()
    x = images(5, 1, 8, 8)
    before = net(x, (0, 1, 1))
    with torch.no_grad():
        net.choices[1][1].project.weight.add_(images(4, 8, 1, 1))
    assert not torch.allclose(net(x, (0, 1, 1)), before)
    assert not torch.allclose(net(x, (1, 1, 0)), net(x, (1, 0, 0)))


def test_sampled_paths_are_repeatable_and_each_step_has_its_own(torch_random_state_stays):
    net = supernet(depth=6)
    first = [net.sample(3, step) for step in range(20)]
    assert first[::-1] == [net.sample(3, step) for step in reversed(range(20))]
    assert first == [supernet(depth=6, seed=4).sample(3, step) for step in range(20)]
    assert len(set(first)) > 15
    assert first != [net.sample(4, step) for step in range(20)]
    assert all(net.check_path(path) == path for path in first)
    assert all(type(op) is int for path in first for op in path)


def test_one_steps_path_is_not_the_last_one_shifted():
    net = supernet((1, 4, 4), depth=6)  # the same three operations everywhere
    drawn = [net.sample(0, step) for step in range(20)]
    assert sum(a[1:] == b[:-1] for a, b in itertools.pairwise(drawn)) < 3


def test_sampled_paths_are_uniform():
    net = supernet(depth=4)
    paths = list(net.paths())
    counts = dict.fromkeys(paths, 0)
    total = 200 * len(paths)
    for step in range(total):
        counts[net.sample(0, step)] += 1
    chi_squared = sum((n - 200) ** 2 / 200 for n in counts.values())
    assert chi_squared < len(paths) - 1 + 5 * math.sqrt(2 * (len(paths) - 1))


# Subnets


@pytest.mark.parametrize("path", [(0, 0, 0), (2, 1, 1), (1, 2, 0)])
def test_a_subnet_is_its_path_and_shares_nothing(path):
    net = supernet(depth=3, shape=(1, 4, 4))  # no transition: every operation everywhere
    randomize(net)
    before = copy.deepcopy(net.state_dict())
    alone = net.subnet(path)
    x = images(5, 1, 4, 4)
    assert torch.equal(alone(x), copy.deepcopy(net)(x, path))
    assert alone.names == [(name,) for name in net.named(path)]
    assert list(alone.paths()) == [(0, 0, 0)]
    with torch.no_grad():
        for p in alone.parameters():
            p.zero_()
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
    kept = sum(p.numel() for p in net.stem.parameters()) + sum(
        p.numel() for p in net.head.parameters()
    )
    kept += sum(
        p.numel() for c, op in zip(net.choices, path, strict=True) for p in c[op].parameters()
    )
    assert sum(p.numel() for p in alone.parameters()) == kept


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("norm", ["batch", "group", "none"])
def test_logits_and_gradients(shape, norm):
    options = {"num_groups": 1} if norm == "group" else {}
    net = supernet(shape, norm=norm, **options)
    for path in [(0, 0, 0), (1, 1, 1)]:
        net.zero_grad()
        logits = net(images(4, *shape), path)
        assert logits.shape == (4, 10)
        logits.square().sum().backward()
        grads = [p.grad for p in net.parameters() if p.grad is not None]
        assert grads and all(g.isfinite().all() for g in grads)


def test_copies_pickles_state_dicts_and_functional_calls():
    net = supernet()
    randomize(net)
    net.path = (1, 0, 1)
    net(images(5, 1, 8, 8))
    net.eval()
    x = images(3, 1, 8, 8)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(other(x), net(x))
    other = supernet(seed=7).eval()
    other.load_state_dict(net.state_dict())
    assert torch.equal(other(x, net.path), net(x))
    state = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    each = torch.func.vmap(lambda sample: functional_call(net, state, (sample[None],))[0])(x)
    torch.testing.assert_close(each, net(x))


# Score


def test_the_indicator_is_the_sum_of_mean_absolute_scales():
    net = supernet(depth=4)
    randomize(net)
    with torch.no_grad():
        net.choices[0][0].norm3.weight.copy_(torch.tensor([1.0, -2.0, 3.0, 0.0]))
    table = indicator_table(net)
    assert table[0][0] == 1.5
    assert [len(row) for row in table] == [3, 3, 2, 3]
    assert table[0][2] == table[1][2] == table[3][2] == 0
    for path in [(0, 0, 0, 0), (2, 1, 1, 2), (1, 2, 0, 1)]:
        want = 0.0
        for layer, (choice, number) in enumerate(zip(net.choices, path, strict=True)):
            if net.names[layer][number] != "identity":
                gamma = choice[number].norm3.weight.tolist()
                want += sum(abs(g) for g in gamma) / len(gamma)
        assert bn_indicator(net, path) == pytest.approx(want, rel=1e-12)
        assert bn_indicator(net.subnet(path), (0,) * 4) == pytest.approx(want, rel=1e-12)


def test_an_untrained_supernet_scores_one_for_each_operation():
    net = supernet()
    assert bn_indicator(net, (0, 1, 0)) == 3.0
    assert bn_indicator(net, (2, 2, 0)) == 1.0


@pytest.mark.parametrize("options", [{"norm": "none"}, {"affine": False}])
def test_without_scales_there_is_no_indicator(options):
    with pytest.raises(
        ValueError, match="reads the weights of the normalizers, and these have non"
    ):
        bn_indicator(supernet(**options), (0, 0, 0))


@pytest.mark.parametrize("part", ["last", "all"])
def test_training_only_normalizers_moves_nothing_else(part):
    net = supernet()
    before = copy.deepcopy(dict(net.named_parameters()))
    trained = train_only_norms(net, part)
    optimizer = torch.optim.SGD(trained, lr=0.1)
    for step in range(8):
        optimizer.zero_grad()
        path = net.sample(0, step)
        net(images(6, 1, 8, 8, seed=step), path).square().sum().backward()
        optimizer.step()
    moved = {key for key, p in net.named_parameters() if not torch.equal(p, before[key])}
    pattern = r"choices\.\d\.\d\.norm3\..*" if part == "last" else r".*norm\d\..*|stem\.1\..*"
    allowed = {key for key in before if re.fullmatch(pattern, key)}
    assert moved <= allowed and len(moved) > len(allowed) // 2
    assert {key for key, p in net.named_parameters() if p.requires_grad} == allowed
    assert len(trained) == len(allowed)


# Cost


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_multiply_accumulates_are_what_torch_counts(shape):
    net = supernet(shape, ops=("k3e1", "k7e2", "identity")).eval()
    for path in itertools.islice(net.paths(), 0, None, 2):
        with FlopCounterMode(display=False) as counter:
            net(images(1, *shape), path)
        assert 2 * macs(net, path, shape) == counter.get_total_flops()


def test_multiply_accumulates_of_one_operation_by_hand():
    net = supernet((1, 8, 8), depth=2, width=4)
    inner, pixels = 2 * 4, 64
    at_size_8 = pixels * (4 * inner + 25 * inner + inner * 4)
    assert macs_table(net, (1, 8, 8))[0] == [pixels * (4 * 4 + 9 * 4 + 4 * 4), at_size_8, 0]
    halved = 64 * 4 * 4 + 16 * (9 * 4 + 4 * 8)  # the depthwise convolution has the stride
    assert macs_table(net, (1, 8, 8))[1][0] == halved
    assert macs(net, (2, 0), (1, 8, 8)) == 64 * 9 * 4 + halved + 8 * 10


# Statistics


def test_recalibrated_statistics_are_means_over_batches():
    net = supernet()
    randomize(net)
    for step in range(6):  # statistics of many paths
        net(images(5, 1, 8, 8, seed=10 + step), net.sample(0, step))
    before = copy.deepcopy(net.state_dict())
    path = (1, 0, 1)
    batches = [images(6, 1, 8, 8, seed=seed) for seed in range(3)]
    alone = recalibrated(net, path, iter(batches))
    inputs = {}
    spy = net.subnet(path).train()
    for name, module in spy.named_modules():
        if hasattr(module, "running_mean"):
            module.register_forward_hook(
                lambda m, args, y, name=name: inputs.setdefault(name, []).append(args[0].detach())
            )
    for x in batches:
        spy(x)
    assert len(inputs) == 1 + 3 * 3
    for name, seen in inputs.items():
        rows = [x.transpose(0, 1).flatten(1) for x in seen]
        norm = alone.get_submodule(name)
        mean = torch.stack([r.mean(1) for r in rows]).mean(0)
        var = torch.stack(
            [((r - r.mean(1, keepdim=True)) ** 2).sum(1) / (r.shape[1] - 1) for r in rows]
        ).mean(0)
        torch.testing.assert_close(norm.running_mean, mean)
        torch.testing.assert_close(norm.running_var, var)
        assert norm.momentum == 0.1
    assert not alone.training and net.training
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in alone.parameters())


def test_recalibration_repairs_a_path_whose_statistics_are_of_other_paths():
    net = supernet(depth=4, width=8)
    data = images(256, 1, 8, 8)
    for _ in range(30):
        net(data, (0, 0, 0, 0))
    path = (1, 0, 0, 0)  # the first operation was never used: mean 0, variance 1
    in_training_mode = net.subnet(path).train()(data)
    as_found = net.subnet(path).eval()(data)
    repaired = recalibrated(net, path, [data])(data)
    error = (as_found - in_training_mode).square().mean()
    left = (repaired - in_training_mode).square().mean()
    assert left < 1e-3 * error


# Bad input


@pytest.mark.parametrize(
    "path",
    [(0, 0), (0, 0, 0, 0), (0, 0, 2), (0, -1, 0), (3, 0, 0), (0, 1.0, 0), (True, 0, 0), "012"],
)
def test_paths_that_are_none(path):
    net = supernet()
    message = r"a path of this net has 3 integers, each from 0 and below \[3, 3, 2\], got \("
    calls = [
        lambda: net(images(2, 1, 8, 8), path),
        lambda: net.subnet(path),
        lambda: bn_indicator(net, path),
        lambda: macs(net, path, (1, 8, 8)),
        lambda: recalibrated(net, path, [images(2, 1, 8, 8)]),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    "ops, message",
    [
        ("k3e1", "ops must be values in a row, such as a list, each of them text, got 'k3e1'"),
        ((), "ops must be a list of different operations, got ()"),
        (("k3e1", "k3e1"), "ops must be a list of different operations, got ('k3e1', 'k3e1')"),
        (("k4e1",), "unknown operation 'k4e1': take 'identity' or a name such as 'k3e6'"),
        (("k3e0",), "unknown operation 'k3e0'"),
        (("conv",), "unknown operation 'conv'"),
        (("identity",), "a block that changes the shape needs another operation: add one."),
    ],
)
def test_operations_that_are_none(ops, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        supernet(ops=ops)


def test_other_bad_input():
    net = supernet()
    with pytest.raises(ValueError, match="recompute_statistics needs at least one batch"):
        recalibrated(net, (0, 0, 0), [])
    with pytest.raises(ValueError, match="part must be one of last, all, got 'first'"):
        train_only_norms(net, "first")
    with pytest.raises(ValueError, match="a stream has"):
        net.sample(0, -1)
    with pytest.raises(ValueError, match="seed must be an integer"):
        net.sample(-1, 0)
    with pytest.raises(ValueError, match="unknown normalizer 'bacth'"):
        supernet(norm="bacth")
