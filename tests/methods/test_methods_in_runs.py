"""A Run names each method, and every way to train reaches it."""

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.engines.stack import is_stackable
from bnlab.methods import head_norm
from bnlab.nets import make_net
from bnlab.norms import BatchNorm, NoNorm, Normalizer
from bnlab.train import Run, build, train, train_many
from bnlab.train.single import make_trainer

SMALL = {"depth": 3, "width": 8, "steps": 4, "eval_every": 2, "batch_size": 32}
MLP = {"net": "mlp", "method": "mimic_cifar"}
RUNS = {
    "MimicNorm for CIFAR": Run(net="resnet", method="mimic_cifar", **SMALL),
    "MimicNorm for ImageNet": Run(net="resnet", method="mimic_imagenet", **SMALL),
    "its projection": Run(
        net="plain", method="mimic_cifar", method_options={"weight_mean": "projection"}, **SMALL
    ),
    "weight mean alone": Run(
        **MLP, method_options={"eligible": "hidden", "part": "weight_mean"}, **SMALL
    ),
    "the last BatchNorm alone": Run(
        **MLP, method_options={"eligible": "hidden", "part": "last_norm"}, **SMALL
    ),
    "one BatchNorm before the head": Run(net="resnet", method="head_norm", **SMALL),
    "a binary net with BatchNorm": Run(net="binary", norm="batch", **SMALL),
    "a binary net without": Run(net="binary", **SMALL),
    "a binary net with clipping": Run(net="binary", clip=0.02, **SMALL),
    "a BN-free binary net": Run(
        net="binary", net_options={"branch": "bn_free"}, clip=0.02, optimizer="adam", **SMALL
    ),
    "a supernet": Run(net="supernet", norm="batch", **SMALL),
    "a path": Run(net="supernet", norm="batch", net_options={"path": [1, 0, 2]}, **SMALL),
    "Fixup, scalars slower": Run(
        net="resnet",
        net_options={"branch": "fixup"},
        optimizer_options={"scalar_lr": 0.1},
        **SMALL,
    ),
}
RUNS["the same without a rule"] = RUNS["the last BatchNorm alone"].replace(
    method_options={"part": "last_norm"}
)
STACKED = ("the same without a rule", "the last BatchNorm alone", "one BatchNorm before the head")
COMPILED = ("weight mean alone", *STACKED)
BINARY = ("a binary net with BatchNorm", "a binary net without", "a binary net with clipping")


@pytest.mark.parametrize("name", RUNS)
def test_train_and_train_many_reach_it(name):
    run = RUNS[name]
    assert Run.from_dict(run.to_dict()) == run
    history = train(run)
    assert len(history.loss) == 4 and np.isfinite(history.loss).all()
    (again,) = train_many([run], engine="torch")
    assert again.loss.tolist() == history.loss.tolist()


@pytest.mark.parametrize("name", RUNS)
def test_the_stack_takes_it_or_refuses_it(name):
    run = RUNS[name]
    assert is_stackable(run) == (name in STACKED)
    if name in STACKED:
        runs = [run, run.replace(seed=1)]
        for one, history in zip(runs, train_many(runs, engine="stack"), strict=True):
            np.testing.assert_allclose(history.loss, train(one).loss, rtol=1e-4)


@pytest.mark.parametrize("name", [*COMPILED, *BINARY])
def test_the_compiled_engine_computes_the_same(name):
    run = RUNS[name].replace(precision="float64")
    run = run if name in BINARY else run.replace(net="mlp")
    np.testing.assert_allclose(train(run, "compiled").loss, train(run).loss, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("its projection", "does not project weights after a step"),
        ("a supernet", "has no rule for the depthwise convolutions of a supernet"),
        ("Fixup, scalars slower", "does not take the option 'scalar_lr'"),
    ],
)
def test_the_compiled_engine_says_what_it_does_not_take(name, why):
    with pytest.raises(ValueError, match=why):
        train(RUNS[name], engine="compiled")
    assert train_many([RUNS[name]])[0].engine == "torch", "the fastest way passes it by"


def test_both_ways_of_weight_mean_are_one_training_with_sgd():
    options = {"momentum": 0.9}
    run = RUNS["its projection"].replace(optimizer_options=options, precision="float64", lr=0.02)
    other = run.replace(method_options={})
    np.testing.assert_allclose(train(run).loss, train(other).loss, rtol=1e-7)
    trainer = make_trainer(run)
    list(trainer.steps(looks=False))
    assert trainer.net.body[3].weight.flatten(1).mean(1).abs().max() < 1e-12


def test_a_supernet_trains_what_lies_on_the_path_of_the_step():
    run = RUNS["a supernet"].replace(net_options={"ops": ["k3e3", "k5e3", "identity"]}, steps=1)
    trainer = make_trainer(run)
    before = {k: v.clone() for k, v in trainer.net.named_parameters()}
    path = trainer.net.sample(run.seed, 0)
    list(trainer.steps(looks=False))
    changed = {k for k, v in trainer.net.named_parameters() if not torch.equal(v, before[k])}
    for block, op in enumerate(path):
        assert {k.split(".")[2] for k in changed if k.startswith(f"choices.{block}.")} <= {str(op)}
    assert "stem.0.weight" in changed and "head.weight" in changed


def test_a_path_is_a_net_of_its_own_with_the_first_weights_of_the_supernet():
    path = RUNS["a path"]
    alone, whole = build(path), build(path.replace(net_options={}))
    x = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(alone(x), whole(x, (1, 0, 2)))
    assert [len(choice) for choice in alone.choices] == [1, 1, 1]


def test_scalars_have_a_rate_of_their_own():
    run = RUNS["Fixup, scalars slower"]
    groups = make_trainer(run).optimizer.param_groups
    assert [group["lr"] for group in groups] == [run.lr, pytest.approx(0.1 * run.lr)]
    assert all(p.ndim == 0 for p in groups[1]["params"]) and len(groups[1]["params"]) == 17
    count = sum(len(group["params"]) for group in groups)
    assert count == len(list(build(run).parameters()))


def test_the_head_norm_normalizes_what_the_classifier_reads():
    net = make_net("plain", (1, 8, 8), 10, 3, 8)
    out = head_norm(net)
    norm, head = out.head
    norms = [m for m in out.modules() if isinstance(m, Normalizer) and not isinstance(m, NoNorm)]
    assert norms == [norm]
    assert (
        isinstance(norm, BatchNorm)
        and norm.weight is not None
        and norm.num_features == head.in_features
    )
    assert torch.equal(head.weight, net.head.weight) and isinstance(net.head, nn.Linear)
    x = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    features = net.body(x).mean((2, 3))
    want = (features - features.mean(0)) / (features.var(0, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(out(x), net.head(want), rtol=1e-4, atol=1e-5)


# Bad input


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"method": "mimik_cifar"}, "unknown method 'mimik_cifar'. Did you mean 'mimic_cifar'"),
        ({"method": "mimic_cifar"}, "convolutions, and the net 'mlp' has none. Choose net='plain'"),
        ({"method": "head_norm", "norm": "batch"}, "norm must be 'none', got 'batch'"),
        ({**MLP, "method_options": {"parts": 1}}, "'parts'. Did you mean 'part'"),
        ({**MLP, "method_options": {"part": "last"}}, "unknown part 'last'"),
        ({"method_options": {"part": "both"}}, "unknown option of method 'none': 'part'"),
        ({"net": "supernet", "method": "mimic_cifar"}, "defined for the nets mlp, plain, resnet"),
        ({"net": "binary", "width": 0}, "width must be an integer between 1"),
        ({"net": "binary", "net_options": {"ops": []}}, "unknown option of net 'binary': 'ops'"),
        (
            {"optimizer": "lawn_sgd", "optimizer_options": {"free_steps": 201}},
            "free_steps=201 of 'lawn_sgd' is longer than the run of 200 steps",
        ),
    ],
)
def test_a_run_refuses_at_once(fields, message):
    with pytest.raises(ValueError, match=message):
        Run(**fields)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (RUNS["one BatchNorm before the head"].replace(batch_size=1), "more than one value"),
        (RUNS["the last BatchNorm alone"].replace(batch_size=1), "more than one value"),
        (RUNS["a path"].replace(net_options={"path": [9, 0, 0]}), "a path of this net has 3"),
        (RUNS["a path"].replace(net_options={"path": 3}), r"integers, each from 0 .*, got \(3,\)"),
        (RUNS["its projection"].replace(width=1), "takes no layer of this PlainConvNet"),
        (RUNS["a binary net without"].replace(optimizer_options={"scalar_lr": 0.1}), "nothing to"),
        (RUNS["Fixup, scalars slower"].replace(optimizer_options={"scalar_lr": -1}), "scalar_lr"),
        (
            RUNS["MimicNorm for CIFAR"].replace(net_options={"branch": "fixup"}),
            "does without normalizers already",
        ),
        (
            RUNS["MimicNorm for CIFAR"].replace(weight_norm="weight_mean"),
            "has a parametrization already",
        ),
    ],
)
def test_a_training_refuses_before_its_first_step(run, message):
    with pytest.raises(ValueError, match=message):
        make_trainer(run)
