"""Bytes kept for the backward pass: by formula, by a walk through the graph, by what is refused."""

import weakref

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss
from torch.utils.checkpoint import checkpoint

from bnlab.measure import measure_memory
from bnlab.measure.cost.figures import MOST, readable_bytes, readable_count, shares
from bnlab.nets import make_net
from bnlab.norms import NORMS

OPTIONS = {"group": {"group_size": 4}, "evonorm_s0": {"group_size": 4}}
OPTIONS["ghost_batch"] = {"ghost_size": 4}

WRAPPED = {(torch.float64, 0), (torch.int64, 0)}  # what a Python number becomes


def batch(*shape, classes=10, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=generator)
    return x, torch.randint(classes, shape[:1], generator=generator)


def perceptron():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 3))


def graph_bytes(net, loss, x, y):
    """The same by another way: every saved tensor of every node of the graph of one loss."""
    sizes, waiting, seen = {}, [loss(net(x), y).grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        waiting += [following for following, _ in node.next_functions]
        saved = [getattr(node, name) for name in dir(node) if name.startswith("_saved_")]
        saved += list(getattr(node, "saved_tensors", ()))
        for item in saved:
            for tensor in item if isinstance(item, (tuple, list)) else [item]:
                # A Python number that autograd keeps as a tensor is no tensor of the net's.
                if isinstance(tensor, Tensor) and (tensor.dtype, tensor.ndim) not in WRAPPED:
                    sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
    own = {t.untyped_storage().data_ptr() for t in (*net.parameters(), *net.buffers())}
    given = {t.untyped_storage().data_ptr() for t in (x, y)}
    return (
        sum(size for key, size in sizes.items() if key not in own | given),
        sum(size for key, size in sizes.items() if key in own),
        sum(size for key, size in sizes.items() if key in given),
    )


# Right numbers


def test_a_perceptron_by_hand():
    x, y = batch(5, 6, classes=3)
    found = measure_memory(perceptron(), cross_entropy, x, y)
    norm = 4 * (5 * 4 + 4 + 4)  # input, mean and 1 / deviation of each channel
    relu = 4 * (5 * 4)  # its output, which the second Linear only saves again
    loss = 4 * (5 * 3 + 1)  # log-probabilities and the sum of the weights
    assert found.by_layer == {"1": norm, "2": relu, "(loss)": loss}
    assert found.by_kind == {"BatchNorm1d": norm, "ReLU": relu, "loss": loss}
    assert found.saved == norm + relu + loss
    assert found.inputs == 4 * 5 * 6 + 8 * 5
    assert found.parameters == 4 * (3 * 4 + 4 + 2 * 4)  # second weight, gamma, running mean and var
    assert found.peak is None


def test_a_view_counts_with_its_whole_storage_and_once():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(10, 10))

        def forward(self, x):
            wide = x @ self.weight
            return wide[:, :2].square().sum() + wide[:, 5:].square().sum()

    found = measure_memory(Net(), lambda output, _: output, torch.ones(7, 10), torch.zeros(7))
    assert found.by_layer == {"": 4 * 7 * 10}


def test_what_nothing_needs_any_more_does_not_count():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            self.layer(x).exp().square()  # a look aside, dropped at once
            return self.layer(x)

    x, y = torch.ones(8, 4), torch.zeros(8, 4)
    found = measure_memory(Net(), mse_loss, x, y)
    assert found.by_layer == {"(loss)": 4 * 8 * 4}


def test_checkpointing_saves_what_it_promises():
    class Net(nn.Module):
        def __init__(self, spare):
            super().__init__()
            self.spare = spare
            self.first, self.body = nn.Linear(6, 4), nn.Sequential(nn.Sigmoid(), nn.Tanh())

        def forward(self, x):
            x = self.first(x)
            return checkpoint(self.body, x, use_reentrant=False) if self.spare else self.body(x)

    x, y = torch.ones(5, 6), torch.zeros(5, 4)
    size = 4 * 5 * 4
    assert measure_memory(Net(False), mse_loss, x, y).saved == 2 * size  # sigmoid, tanh = output
    assert measure_memory(Net(True), mse_loss, x, y).saved == 2 * size  # input of body, output
    deep = Net(True)
    deep.body.extend([nn.Sigmoid(), nn.Tanh(), nn.Sigmoid()])
    assert measure_memory(deep, mse_loss, x, y).saved == 2 * size
    deep.spare = False
    assert measure_memory(deep, mse_loss, x, y).saved == 5 * size


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("norm", sorted(NORMS))
def test_it_agrees_with_a_walk_through_the_graph(norm, native):
    options = {"native": native, **OPTIONS.get(norm, {})}
    net = make_net("resnet", (1, 8, 8), 10, 3, 8, norm, options)
    x, y = batch(8, 1, 8, 8)
    found = measure_memory(net, cross_entropy, x, y)
    assert (found.saved, found.parameters, found.inputs) == graph_bytes(net, cross_entropy, x, y)
    assert sum(found.by_layer.values()) == sum(found.by_kind.values()) == found.saved > 0
    assert set(found.by_layer) - {"(loss)"} <= {name for name, _ in net.named_modules()}


@pytest.mark.parametrize("kind", ["transformer", "lstm"])
def test_nets_of_others(kind):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if kind == "transformer":
            net = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        else:
            net = nn.Sequential(nn.LSTM(8, 8, batch_first=True))
            net.append(Last())
        x = torch.randn(3, 5, 8)
    y = torch.zeros(3, 5, 8)
    found = measure_memory(net, mse_loss, x, y)
    assert (found.saved, found.parameters, found.inputs) == graph_bytes(net, mse_loss, x, y)


class Last(nn.Module):
    def forward(self, pair):
        return pair[0]


def test_batch_norm_costs_one_activation_a_layer():
    """What MimicNorm saves: every BatchNorm keeps its input, which nothing else needs."""
    x, y = batch(8, 1, 8, 8)
    nets = (make_net("plain", (1, 8, 8), 10, 4, 8, n, {"native": True}) for n in ("batch", "none"))
    with_norm, without = (measure_memory(net, cross_entropy, x, y).saved for net in nets)
    activations = 2 * 8 * 8 * 8 * 8 + 2 * 8 * 16 * 4 * 4  # two stages of two convolutions
    statistics = 2 * (2 * 8 + 2 * 16)
    assert with_norm - without == 4 * (activations + statistics)


def test_the_mode_is_set_for_the_measurement():
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)).eval()
    x, y = torch.ones(8, 4), torch.zeros(8, 4)
    mask = measure_memory(net, mse_loss, x, y, mode="train").by_layer.get("1", 0)
    assert mask > 0  # of the dropout
    assert "1" not in measure_memory(net.train(), mse_loss, x, y, mode="eval").by_layer
    net[1].eval()
    assert "1" not in measure_memory(net, mse_loss, x, y).by_layer  # as it is


# The net stays as it was


@pytest.mark.parametrize("fails", [False, True])
def test_the_net_is_left_as_it_was(fails, torch_random_state_stays):
    net = perceptron()
    x, y = batch(5, 6, classes=3)
    net(x).sum().backward()
    net[1].eval()
    net.append(nn.Dropout())
    state = {name: value.clone() for name, value in net.state_dict().items()}
    gradients = [p.grad for p in net.parameters()]
    values = [g.clone() for g in gradients]
    modes = [module.training for module in net.modules()]

    def loss(output, target):
        if fails:
            raise KeyboardInterrupt
        return cross_entropy(output, target)

    if fails:
        with pytest.raises(KeyboardInterrupt):
            measure_memory(net, loss, x, y)
    else:
        measure_memory(net, loss, x, y)
    assert all(torch.equal(state[name], value) for name, value in net.state_dict().items())
    assert all(p.grad is g for p, g in zip(net.parameters(), gradients, strict=True))
    assert all(torch.equal(g, v) for g, v in zip(gradients, values, strict=True))
    assert modes == [module.training for module in net.modules()]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())


def test_nothing_of_it_stays_in_memory():
    net, outputs = nn.Sequential(perceptron(), nn.Sigmoid()), []

    def loss(output, target):
        outputs.append(weakref.ref(output.untyped_storage()))
        return cross_entropy(output, target)

    measure_memory(net, loss, *batch(5, 6, classes=3))
    assert outputs[0]() is None


def test_the_users_own_hooks_still_run_and_stay():
    net, calls = perceptron(), []
    net[0].register_forward_hook(lambda *_: calls.append(1))
    measure_memory(net, cross_entropy, *batch(5, 6, classes=3))
    assert calls == [1] and len(net[0]._forward_hooks) == 1


# CUDA


class FakeCuda:
    """Counters of an allocator that every step moves by 100 and whose first step keeps 7."""

    def __init__(self):
        self.held, self.most, self.log = 50, 999, []

    def step(self):
        self.log.append("step")
        if self.log == ["step"]:
            self.held += 7
        self.most = max(self.most, self.held + 100)

    def reset_peak_memory_stats(self, device):
        self.log.append("reset")
        self.most = self.held

    def memory_allocated(self, device):
        return self.held

    def max_memory_allocated(self, device):
        return self.most


def test_the_peak_is_that_of_a_second_step(monkeypatch):
    from bnlab.measure.cost import memory

    fake, net = FakeCuda(), perceptron()
    for name in ("reset_peak_memory_stats", "memory_allocated", "max_memory_allocated"):
        monkeypatch.setattr(torch.cuda, name, getattr(fake, name))
    x, y = batch(5, 6, classes=3)

    def forward():
        fake.step()
        return cross_entropy(net(x), y)

    assert memory.peak_of_step(net, forward, [torch.device("cuda", 0)]) == 100
    assert fake.log == ["step", "reset", "step"]
    assert memory.peak_of_step(net, forward, []) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_peak_on_a_gpu_is_at_least_what_is_saved():
    net = make_net("resnet", (3, 32, 32), 10, 3, 16, "batch", {"native": True}).cuda()
    x, y = (t.cuda() for t in batch(64, 3, 32, 32))
    found = measure_memory(net, cross_entropy, x, y)
    on_cpu = measure_memory(net.cpu(), cross_entropy, x.cpu(), y.cpu())
    assert found.peak > found.saved > 0.9 * on_cpu.saved


# Bad input


def diverged():
    net = perceptron()
    with torch.no_grad():
        net[3].weight[0, 0] = torch.nan
    return net


@pytest.mark.parametrize(
    "net, loss, options, message",
    [
        (perceptron, lambda o, y: o, {}, r"a scalar, got shape \(5, 3\)"),
        (perceptron, lambda o, y: 3.0, {}, "a scalar, got 3.0"),
        (perceptron, lambda o, y: o.sum() * torch.inf, {}, "although all weights are finite"),
        (perceptron, lambda o, y: o.sum().detach(), {}, "does not depend on a parameter"),
        (diverged, cross_entropy, {}, "parameter '3.weight' holds NaN"),
        (perceptron, cross_entropy, {"mode": "test"}, "mode must be 'train' or 'eval'"),
        (lambda: perceptron().requires_grad_(False), cross_entropy, {}, "requires_grad_"),
        (nn.ReLU, cross_entropy, {}, "no parameter of this net requires a gradient"),
    ],
)
def test_bad_input_is_refused(net, loss, options, message):
    with pytest.raises(ValueError, match=message):
        measure_memory(net(), loss, *batch(5, 6, classes=3), **options)


def test_a_batch_whose_parts_do_not_fit_is_refused():
    x, y = batch(5, 6, classes=3)
    with pytest.raises(ValueError, match="5 samples and y has 4 targets"):
        measure_memory(perceptron(), mse_loss, x, y[:4])


def test_a_batch_of_one_in_training_mode_is_the_normalizers_error():
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        measure_memory(perceptron(), cross_entropy, *batch(1, 6, classes=3))
    measure_memory(perceptron(), cross_entropy, *batch(1, 6, classes=3), mode="eval")


# Figure


def test_the_figure_says_what_it_shows():
    x, y = batch(5, 6, classes=3)
    figure = measure_memory(perceptron(), cross_entropy, x, y).plot()
    assert "256 bytes in all" in figure.alt
    assert "BatchNorm1d 112 bytes (44 %); ReLU 80 bytes (31 %); loss 64 bytes (25 %)" in figure.alt
    assert "BatchNorm1d keeps 44 % of the memory" in figure.svgs[0]


def test_many_kinds_share_the_last_bar_and_none_is_no_error():
    sizes = {f"k{i}": 100 - i for i in range(MOST + 3)}
    figure = shares(sizes, readable_count, "What", "has", "of it")
    others = sum(100 - i for i in range(MOST - 1, MOST + 3))
    assert f"all others {others}" in figure.alt and figure.alt.count("(") == MOST
    uneven = shares({"most": 999, "least": 1}, readable_count, "What", "has", "of it")
    assert "most 999 (>99 %); least 1 (<1 %)" in uneven.alt
    assert "Nothing has" in shares({}, readable_bytes, "What", "has", "of it").svgs[0]


@pytest.mark.parametrize(
    "size, text",
    [
        (0, "0 bytes"),
        (1536, "1.5 KiB"),
        (512123, "500 KiB"),
        (2**21, "2 MiB"),
        (3 * 2**30, "3 GiB"),
    ],
)
def test_readable_bytes(size, text):
    assert readable_bytes(size) == text


@pytest.mark.parametrize(
    "count, text", [(7, "7"), (1500, "1.5 thousand"), (2e6, "2 million"), (5e9, "5 billion")]
)
def test_readable_counts(count, text):
    assert readable_count(count) == text
