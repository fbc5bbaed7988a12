"""LAWN's tail, AGC's head and hidden layers go by the order of use, or it is refused."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from bnlab.nets import make_net
from bnlab.norms import make_norm
from bnlab.norms.order import order_of_use
from bnlab.norms.weight import eligible_layers
from bnlab.optim import LAWN, adaptive_clip_grad, constrained_weights
from tests.norms.foreign_norms import LlamaRMSNorm


class Unnamed(nn.Module):
    """Called a norm, and without parameters."""

    def forward(self, x):
        return x / x.norm(dim=-1, keepdim=True)


class UnnamedNorm(Unnamed):
    pass


NORMALIZERS = {
    "LayerNorm": lambda: nn.LayerNorm(8),
    "BatchNorm1d": lambda: nn.BatchNorm1d(8),
    "own": lambda: make_norm("rms", 8),
    "LlamaRMSNorm": lambda: LlamaRMSNorm(8),
    "unknown": UnnamedNorm,
}
if hasattr(nn, "RMSNorm"):
    NORMALIZERS["RMSNorm"] = lambda: nn.RMSNorm(8)


class HeadFirst(nn.Module):
    """Registered in the opposite order of use."""

    def __init__(self, norm):
        super().__init__()
        self.head, self.norm = nn.Linear(8, 3), norm
        self.second, self.first = nn.Linear(8, 8), nn.Linear(4, 8)

    def forward(self, x):
        return self.head(self.second(self.norm(self.first(x))).relu())


class Branching(HeadFirst):
    """torch.fx cannot follow it."""

    def forward(self, x):
        return super().forward(x if x.sum() > -1e9 else -x)


def names_of(model, weights):
    by_id = {id(p): name for name, p in model.named_parameters()}
    return [by_id[id(weight)].removesuffix(".weight") for weight in weights]


def sequential(norm):
    return nn.Sequential(nn.Linear(4, 8), norm, nn.Sequential(nn.ReLU(), nn.Linear(8, 3)))


@pytest.mark.parametrize("norm", NORMALIZERS)
def test_any_normalizer_is_known_in_a_sequential(norm):
    model = sequential(NORMALIZERS[norm]())
    assert names_of(model, constrained_weights(model, "tail")) == ["2.1"]


@pytest.mark.parametrize("norm", NORMALIZERS)
def test_the_tail_follows_the_order_of_use(norm):
    model = HeadFirst(NORMALIZERS[norm]())
    before = copy.deepcopy(model.state_dict())
    assert sorted(names_of(model, constrained_weights(model, "tail"))) == ["head", "second"]
    x = torch.randn(6, 4)
    for one in (model, Branching(NORMALIZERS[norm]())):
        found = constrained_weights(one, "tail", inputs=(x, torch.zeros(6)))
        assert sorted(names_of(one, found)) == ["head", "second"]
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    with pytest.raises(ValueError, match=r"the order in which this Branching uses its layers can"):
        constrained_weights(Branching(NORMALIZERS[norm]()), "tail")
    assert len(constrained_weights(Branching(NORMALIZERS[norm]()))) == 3


class Functions(HeadFirst):
    def forward(self, x):
        x = functional.layer_norm(self.first(x), (8,))
        return self.head(self.second(x).relu())


def test_functions_that_normalize_count():
    model = Functions(nn.Identity())
    assert sorted(names_of(model, constrained_weights(model, "tail"))) == ["head", "second"]


def test_without_a_normalizer_all_is_the_tail():
    for model in (HeadFirst(nn.Identity()), Branching(nn.Identity()), HeadFirst(nn.Dropout())):
        assert len(constrained_weights(model, "tail")) == 3


@pytest.mark.parametrize("net", ["mlp", "plain", "resnet"])
@pytest.mark.parametrize("norm", ["none", "batch", "group"])
def test_the_nets_of_bnlab_are_used_as_they_are_registered(net, norm):
    more = {"group_size": 4} if norm == "group" else {}
    model = make_net(net, (1, 8, 8), 10, 8, 8, norm, seed=0, **more)
    traced = order_of_use(model, torch.randn(4, 1, 8, 8))
    layers = [n for n, m in model.named_modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    assert order_of_use(model).last.keys() >= traced.last.keys()
    assert max(layers, key=traced.last.get) == layers[-1]


def test_nothing_after_the_last_normalizer():
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    with pytest.raises(ValueError, match=r"no Linear or Conv is used after the last normalizer"):
        constrained_weights(model, "tail")


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.norm = nn.Embedding(9, 8), nn.LayerNorm(8)
        self.inner, self.head = nn.Linear(8, 8), nn.Linear(8, 9, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, x):
        return self.head(self.norm(self.inner(self.embed(x))))


def test_tied_weights():
    model = Tied()
    with pytest.raises(ValueError, match="weight of layer 'head' is that of 'embed' too"):
        constrained_weights(model, "tail")
    assert len(constrained_weights(model)) == 2
    both = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    both[1].weight = both[0].weight
    assert len(constrained_weights(both)) == 1
    base = torch.optim.SGD(both.parameters(), lr=0.1)
    assert len(LAWN(base, [both[0].weight, both[1].weight], 0).constrained) == 1
    model(torch.arange(9)).sum().backward()
    assert not {"embed.weight", "head.weight"} & set(adaptive_clip_grad(model))


def test_the_head_is_the_last_linear_that_is_used():
    model = HeadFirst(nn.LayerNorm(8))
    model(torch.randn(6, 4)).sum().backward()
    taken = adaptive_clip_grad(model)
    assert "head.weight" not in taken and {"first.weight", "second.bias"} <= set(taken)
    assert list(eligible_layers(model, "hidden")) == ["second", "first"]


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 1)),
        nn.Sequential(nn.Linear(8, 8), nn.Unflatten(1, (1, 8)), nn.Conv1d(1, 3, 1)),
    ],
    ids=["no linear", "linear inside"],
)
def test_a_head_that_is_no_linear_has_to_be_named(model):
    x = torch.randn(2, 1, 8, 8) if isinstance(model[0], nn.Conv2d) else torch.randn(2, 8)
    model(x).sum().backward()
    with pytest.raises(ValueError, match=r"the last layer here is '2' \(Conv.d\). Say which"):
        adaptive_clip_grad(model)
    assert "2.weight" not in adaptive_clip_grad(model, exclude=["2.*"])
    assert "2.weight" in adaptive_clip_grad(model, exclude=[])


def test_sparse_gradients_are_clipped_row_by_row():
    dense = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 4), nn.Linear(4, 3))
    sparse = copy.deepcopy(dense)
    sparse[0].sparse = True
    tokens = torch.tensor([0, 1, 1, 5])
    for net in (dense, sparse):
        net(tokens).square().sum().backward()
    assert adaptive_clip_grad(dense, 1e-3) == adaptive_clip_grad(sparse, 1e-3)
    for p, q in zip(dense.parameters(), sparse.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad.to_dense() if q.grad.is_sparse else q.grad)
    assert sparse[0].weight.grad.is_sparse
    torch.optim.SGD(sparse.parameters(), lr=0.1).step()


def test_lawn_says_that_it_cannot_project_a_sparse_gradient():
    embedding = nn.Embedding(9, 4, sparse=True)
    before = embedding.weight.detach().clone()
    base = torch.optim.SGD(embedding.parameters(), lr=0.1)
    optimizer = LAWN(base, [embedding.weight], 0)
    embedding(torch.arange(3)).sum().backward()
    with pytest.raises(ValueError, match=r"sparse gradient, which cannot be projected"):
        optimizer.step()
    assert torch.equal(embedding.weight, before)


# What is loaded


def lawn(model, lr=0.1):
    base = torch.optim.SGD(
        [{"params": [model[0].weight]}, {"params": [model[0].bias], "lr": 0.5}], lr=lr
    )
    return LAWN(base, [model[0].weight], 1)


def train(model, optimizer, scheduler=None, steps=3):
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    for _ in range(steps):
        optimizer.zero_grad()
        (model(x) - 1).square().mean().backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()


def test_a_state_goes_on_with_its_model_and_not_with_another():
    model = nn.Sequential(nn.Linear(4, 3))
    optimizer = lawn(model)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    train(model, optimizer, scheduler)
    other = copy.deepcopy(model)
    again = lawn(other)
    rates = torch.optim.lr_scheduler.StepLR(again, 1, 0.5)
    again.load_state_dict(optimizer.state_dict())
    rates.load_state_dict(scheduler.state_dict())
    for one, of, rate in ((model, optimizer, scheduler), (other, again, rates)):
        train(one, of, rate)
    assert torch.equal(model[0].weight, other[0].weight)
    assert [g["lr"] for g in again.param_groups] == [0.1 / 64, 0.5 / 64]
    wrong = nn.Sequential(nn.Linear(4, 3))
    with torch.no_grad():
        wrong[0].weight.mul_(3)
    before = wrong[0].weight.detach().clone()
    loaded = lawn(wrong)
    loaded.load_state_dict(optimizer.state_dict())
    with pytest.raises(ValueError, match="Load the state of the model that belongs to it too"):
        train(wrong, loaded)
    assert torch.equal(wrong[0].weight, before)


def test_a_scheduler_goes_on_when_the_base_was_loaded_by_itself():
    model = nn.Sequential(nn.Linear(4, 3))
    optimizer = lawn(model)
    optimizer.base.load_state_dict(optimizer.base.state_dict())
    train(model, optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5), 2)
    assert [group["lr"] for group in optimizer.base.param_groups] == [0.025, 0.125]


def test_a_loaded_weight_decay_is_refused():
    model = nn.Sequential(nn.Linear(4, 3))
    optimizer, state = lawn(model), lawn(model).state_dict()
    state["base"]["param_groups"][0]["weight_decay"] = 0.1
    with pytest.raises(ValueError, match="stands in for weight decay"):
        optimizer.load_state_dict(state)
