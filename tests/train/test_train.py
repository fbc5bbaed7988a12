"""``train``: repeatable, faithful to a bare PyTorch loop, and divergence is a result."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import bnlab
from bnlab.data import batches, digits
from bnlab.nets import make_net
from bnlab.train import History, Run, Trainer, build, evaluate, train, training, training_data

SMALL = Run(depth=2, width=16, batch_size=32, steps=25, eval_every=10, lr=0.1)
NORMS = [
    ("none", {}),
    ("batch", {}),
    ("layer", {}),
    ("group", {"group_size": 4}),
]
every_norm = pytest.mark.parametrize("norm, options", NORMS, ids=[n for n, _ in NORMS])
ARRAYS = ("loss", "accuracy", "step", "val_accuracy", "val_accuracy_train_mode")


def assert_same_bits(one: History, other: History) -> None:
    for name in ARRAYS:
        a, b = getattr(one, name), getattr(other, name)
        assert a.tobytes() == b.tobytes(), f"{name} differs"
    assert one.test_accuracy == other.test_accuracy or math.isnan(one.test_accuracy)
    assert one.diverged_at == other.diverged_at


# --------------------------------------------------------------------------- repeatability


@pytest.mark.parametrize("net", ["mlp", "plain", "resnet"])
@pytest.mark.parametrize("native", [True, False], ids=["native", "primitive"])
def test_the_same_run_gives_the_same_bits_whatever_torchs_state(net, native):
    run = SMALL.replace(net=net, width=8, norm="batch", norm_options={"native": native}, steps=12)
    one = train(run, device="cpu")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(99)
        torch.set_num_threads(2)
        try:
            other = train(run, device="cpu")
        finally:
            torch.set_num_threads(1)
    assert_same_bits(one, other)


def test_torchs_random_state_is_neither_used_nor_changed(torch_random_state_stays):
    train(SMALL.replace(norm="batch"))


def test_another_seed_gives_another_history():
    one, other = train(SMALL), train(SMALL.replace(seed=1))
    assert not np.array_equal(one.loss, other.loss)


@every_norm
def test_it_learns(norm, options):
    run = SMALL.replace(steps=100, norm=norm, norm_options=options, width=32, lr=0.3)
    history = train(run)
    assert history.loss[-10:].mean() < 0.5 * history.loss[0]
    assert history.test_accuracy > 0.7 and history.val_accuracy[-1] > 0.7


# ------------------------------------------------------------------------------- against torch


def torch_norm(norm: str, options: dict[str, int], width: int) -> nn.Module:
    if norm == "group":
        return nn.GroupNorm(width // options["group_size"], width)
    return {"none": nn.Identity, "batch": nn.BatchNorm1d, "layer": nn.LayerNorm}[norm](width)


@every_norm
@pytest.mark.parametrize("native", [True, False], ids=["native", "primitive"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_first_steps_are_those_of_a_bare_pytorch_loop(norm, options, native, precision):
    run = SMALL.replace(
        norm=norm,
        norm_options={"native": native, **options},
        precision=precision,
        optimizer_options={"momentum": 0.9},
        steps=5,
    )
    dtype, data = getattr(torch, precision), digits(0)
    layers = [nn.Flatten()]
    with torch.random.fork_rng(devices=[]):
        for fan_in in (64, 16):
            layers += [nn.Linear(fan_in, 16), torch_norm(norm, options, 16), nn.ReLU()]
        net = nn.Sequential(*layers, nn.Linear(16, 10)).to(dtype)
    with torch.no_grad():
        linear = [m for m in net if isinstance(m, nn.Linear)]
        ours = [m for m in build(run).modules() if isinstance(m, nn.Linear)]
        for module, other in zip(linear, ours, strict=True):
            module.weight.copy_(other.weight)
            module.bias.zero_()
    optimizer = torch.optim.SGD(net.parameters(), lr=run.lr, momentum=0.9)
    x, y = torch.tensor(data.train_x, dtype=dtype), torch.tensor(data.train_y)
    losses, accuracies = [], []
    for index in batches(data.train_y, "iid", run.seed, run.batch_size, run.steps):
        logits = net(x[index])
        loss = cross_entropy(logits, y[index])
        losses.append(loss.item())
        accuracies.append((logits.argmax(1) == y[index]).double().mean().item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    history = train(run, device="cpu")
    tolerance = 1e-5 if precision == "float32" else 1e-12
    np.testing.assert_allclose(history.loss, losses, rtol=tolerance)
    np.testing.assert_allclose(history.accuracy, accuracies, rtol=1e-6)
    net.eval()
    val_x, val_y = torch.tensor(data.val_x, dtype=dtype), torch.tensor(data.val_y)
    val = (net(val_x).argmax(1) == val_y).double().mean().item()
    assert history.val_accuracy[-1] == pytest.approx(val, abs=1 / 300 + 1e-6)  # one image may tip


def test_float64_weights_are_the_float32_ones_and_the_losses_agree():
    one, other = (train(SMALL.replace(precision=p)) for p in ("float32", "float64"))
    np.testing.assert_allclose(one.loss[:5], other.loss[:5], rtol=1e-4)
    assert not np.array_equal(one.loss, other.loss)
    assert {p.dtype for p in build(SMALL.replace(precision="float64")).parameters()} == {
        torch.float64
    }


@pytest.mark.parametrize("seed, split_seed", [(0, 3), (3, 0)])
def test_weights_and_batches_follow_the_seed_and_the_images_the_split_seed(seed, split_seed):
    run = SMALL.replace(seed=seed, split_seed=split_seed)
    trainer, data = Trainer(run, "cpu"), digits(split_seed)
    for name in ("train", "val", "test"):
        x, y = trainer.part(name)
        assert np.array_equal(x, getattr(data, f"{name}_x"))
        assert np.array_equal(y, getattr(data, f"{name}_y"))
    want = make_net("mlp", (1, 8, 8), 10, 2, 16, seed=seed).state_dict()
    assert all(torch.equal(want[name], value) for name, value in trainer.net.state_dict().items())
    numbers = batches(data.train_y, "iid", seed, 32, 25)
    assert np.array_equal(list(trainer.batches), list(numbers))


def test_the_test_accuracy_is_that_of_the_trained_net_on_the_test_images():
    trainer = Trainer(SMALL.replace(norm="batch"), "cpu")
    list(trainer.steps())
    x, y = (torch.tensor(a) for a in (trainer.data.test_x, trainer.data.test_y))
    hits = (trainer.net.eval()(x).argmax(1) == y).float().mean().item()
    assert train(trainer.run, device="cpu").test_accuracy == pytest.approx(hits)


def test_a_run_is_built_with_torchs_kernels_unless_it_says_otherwise():
    def kernels(**options):
        net = build(SMALL.replace(norm="batch", norm_options=options))
        return {module.native for module in net.modules() if hasattr(module, "native")}

    assert kernels() == kernels(native=True) == {True} and kernels(native=False) == {False}


# ------------------------------------------------------------------------------------ records


@pytest.mark.parametrize("steps, looks", [(25, [0, 10, 20, 25]), (20, [0, 10, 20]), (1, [0, 1])])
def test_records_come_in_order_and_evaluations_where_they_should(steps, looks):
    records = []
    history = train(SMALL.replace(steps=steps, norm="batch"), on_step=records.append)
    assert [r.step for r in records] == list(range(steps + 1))
    assert math.isnan(records[0].loss) and math.isnan(records[0].accuracy)
    assert [r.step for r in records if r.val_accuracy is not None] == looks
    assert not any(r.diverged for r in records)
    assert history.loss.tolist() == [r.loss for r in records[1:]]
    assert history.accuracy.tolist() == [r.accuracy for r in records[1:]]
    assert history.step.tolist() == looks
    assert len(history.val_accuracy) == len(history.val_accuracy_train_mode) == len(looks)
    assert history.diverged_at is None and 0 <= history.test_accuracy <= 1


def test_training_yields_what_train_calls_back():
    called = []
    train(SMALL, device="cpu", on_step=called.append)
    assert called[1:] == list(training(SMALL, device="cpu"))[1:]  # the first one holds NaN


def test_the_history_says_where_it_comes_from():
    history = train(SMALL.replace(steps=1), device="cpu")
    assert history.run == SMALL.replace(steps=1) and history.device == "cpu"
    assert set(history.versions) == {"bnlab", "torch", "numpy"} and history.seconds > 0
    assert "mlp none, lr=0.1, 1 steps: test accuracy" in repr(history)


def test_batch_statistics_matter_for_batch_norm_alone():
    batch = train(SMALL.replace(norm="batch"))
    assert not np.array_equal(batch.val_accuracy, batch.val_accuracy_train_mode)
    layer = train(SMALL.replace(norm="layer"))
    assert np.array_equal(layer.val_accuracy, layer.val_accuracy_train_mode)


def test_train_mode_accuracy_takes_the_validation_images_as_one_batch():
    trainer = Trainer(SMALL.replace(norm="batch"), "cpu")
    first = next(trainer.steps())
    net = make_net("mlp", (1, 8, 8), 10, 2, 16, "batch").train()
    hits = (net(trainer.val_x).argmax(1) == trainer.val_y).float().mean().item()
    assert first.val_accuracy_train_mode == pytest.approx(hits)


@pytest.mark.parametrize("sampler, options", [("one_class", {}), ("k_classes", {"k": 2})])
def test_other_samplers_reach_the_training(sampler, options):
    run = SMALL.replace(sampler=sampler, sampler_options=options)
    assert not np.array_equal(train(run).loss, train(SMALL).loss)


def test_adam_is_torchs_adam():
    """Its first update has the size of the learning rate, whatever the gradient."""
    run = SMALL.replace(optimizer="adam", lr=0.01, steps=1, eval_every=5)
    trainer = Trainer(run, "cpu")
    before = [p.detach().clone() for p in trainer.net.parameters()]
    list(trainer.steps())
    moves = [
        (p - q).abs().max().item() for p, q in zip(trainer.net.parameters(), before, strict=True)
    ]
    assert moves == pytest.approx([0.01] * len(moves), rel=0.01)


# ----------------------------------------------------------------------------------- divergence


@pytest.mark.parametrize("steps", [2, 50])
def test_divergence_is_a_result(steps):
    records = []
    history = train(Run(lr=10.0, norm="none", steps=steps), on_step=records.append)
    assert history.diverged_at == 1 and records[-1].diverged and records[-1].step == 1
    assert not any(r.diverged for r in records[:-1])
    assert len(history.loss) == len(history.accuracy) == 2
    assert not history.loss[-1] <= 1000 * history.loss[0]
    assert math.isnan(history.test_accuracy) and history.step.tolist() == [0]
    assert "diverged at step 1" in repr(history)


def test_a_run_may_diverge_to_nan():
    history = train(Run(lr=1e30, steps=9, eval_every=1))
    assert history.diverged_at == 1 and math.isnan(history.test_accuracy)
    assert np.isfinite(history.loss[0])


def test_the_diverged_net_sends_nothing_more():
    count = sum(1 for _ in training(Run(lr=10.0, steps=50)))
    assert count == 3  # before any update, after one, and the event


# ------------------------------------------------------------------- leaving things as they were


@pytest.mark.parametrize("native", [True, False], ids=["native", "primitive"])
@pytest.mark.parametrize("batch_statistics", [True, False])
@pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
def test_evaluate_leaves_the_net_bit_for_bit(native, batch_statistics, mode):
    trainer = Trainer(SMALL.replace(norm="batch", norm_options={"native": native}), "cpu")
    list(trainer.steps())
    net = trainer.net.train(mode)
    frozen = net.body[2].train(not mode)  # one layer in another mode than the rest
    before = {name: value.clone() for name, value in net.state_dict().items()}
    loss, accuracy = evaluate(net, trainer.val_x, trainer.val_y, batch_statistics)
    assert 0 < loss < 10 and 0 < accuracy <= 1
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert net.training == mode and frozen.training != mode and net.head.training == mode


def test_evaluate_leaves_the_net_after_an_error_too():
    trainer = Trainer(SMALL.replace(norm="batch"), "cpu")
    with pytest.raises(ValueError, match="more than one value a channel"):
        evaluate(trainer.net.eval(), trainer.val_x[:1], trainer.val_y[:1], batch_statistics=True)
    assert not any(module.training for module in trainer.net.modules())


@pytest.mark.parametrize("batch_statistics", [True, False])
def test_evaluate_means_over_all_images_also_where_it_takes_them_in_slices(batch_statistics):
    trainer = Trainer(SMALL.replace(norm="batch"), "cpu")
    list(trainer.steps())
    net, x, y = trainer.net, trainer.train_x, trainer.train_y  # 1,197 images: three slices
    got = evaluate(net, x, y, batch_statistics)
    logits = net.train(batch_statistics)(x)
    hits = (logits.argmax(1) == y).float().mean().item()
    assert got == pytest.approx((cross_entropy(logits, y).item(), hits), rel=1e-5)


def test_without_looks_the_updates_are_the_same():
    run = SMALL.replace(norm="batch")
    with_looks, without = (list(Trainer(run, "cpu").steps(looks)) for looks in (True, False))
    assert [(r.step, r.loss) for r in without[1:]] == [(r.step, r.loss) for r in with_looks[1:]]
    assert len(without) == 26 and all(r.val_accuracy is None for r in without)


def test_evaluations_do_not_change_the_training():
    often, seldom = (train(SMALL.replace(norm="batch", eval_every=n)) for n in (1, 25))
    assert often.loss.tobytes() == seldom.loss.tobytes()
    assert often.test_accuracy == seldom.test_accuracy


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupt_in_the_callback_passes_through_and_restores_the_threads(error):
    def stop(record):
        assert torch.get_num_threads() == 1  # small nets train with one
        if record.step == 3:
            raise error("enough")

    torch.set_num_threads(2)
    try:
        with pytest.raises(error, match="enough"):
            train(SMALL, device="cpu", on_step=stop)
        assert torch.get_num_threads() == 2
        train(SMALL.replace(steps=1), device="cpu")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_a_progress_bar_counts_the_steps(capsys):
    shown = train(SMALL, progress=True)
    text = capsys.readouterr().err
    assert "mlp, none" in text and "26/26" in text
    assert_same_bits(shown, train(SMALL))
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(
    not torch.cuda.is_available(),
    reason="torch sees no CUDA GPU here: training on one is untested.",
)
@pytest.mark.parametrize("net", ["mlp", "plain", "resnet"])
def test_a_gpu_repeats_itself_and_agrees_with_the_cpu(net):
    run = SMALL.replace(net=net, norm="batch", width=8, steps=5)
    one, other, cpu = train(run, device="cuda"), train(run, device="cuda"), train(run, device="cpu")
    assert one.device.startswith("cuda")
    assert_same_bits(one, other)
    np.testing.assert_allclose(one.loss, cpu.loss, rtol=1e-3)


# ------------------------------------------------------------- everything that a Run can name


def bare_losses(run: Run, net: nn.Module, step, loss=cross_entropy, labels=None) -> list[float]:
    """The losses of a loop written here, on the batches of the Run."""
    data, losses = digits(), []
    y = torch.tensor(data.train_y if labels is None else labels)
    for numbers in batches(data.train_y, "iid", run.seed, run.batch_size, run.steps):
        net.zero_grad()
        value = loss(net(torch.tensor(data.train_x[numbers])), y[numbers])
        value.backward()
        step()
        losses.append(value.item())
    return losses


def plain_net(norm: str = "batch") -> nn.Module:
    return make_net("mlp", (1, 8, 8), 10, 2, 16, norm, {"native": True})


def test_weight_norm_of_a_run():
    run = SMALL.replace(weight_norm="weight_norm", weight_norm_options={"eligible": "hidden"})
    net = plain_net("none")
    linears = [m for m in net.modules() if isinstance(m, nn.Linear)]
    for layer in linears[:-1]:  # torch's own
        nn.utils.parametrizations.weight_norm(layer)
    step = torch.optim.SGD(net.parameters(), lr=run.lr).step
    np.testing.assert_allclose(train(run).loss, bare_losses(run, net, step), rtol=2e-4)


def test_gamma_of_a_run():
    net, run = plain_net(), SMALL.replace(norm="batch", gamma=0.1)
    for module in net.modules():
        if isinstance(module, bnlab.norms.BatchNorm):
            module.weight.data.fill_(0.1)
    step = torch.optim.SGD(net.parameters(), lr=run.lr).step
    np.testing.assert_allclose(train(run).loss, bare_losses(run, net, step), rtol=1e-5)


def test_squared_error_of_a_run():
    def loss(logits, y):
        return ((logits - torch.eye(10)[y]) ** 2).mean()

    net, run = plain_net(), SMALL.replace(norm="batch", loss="squared_error")
    step = torch.optim.SGD(net.parameters(), lr=run.lr).step
    np.testing.assert_allclose(train(run).loss, bare_losses(run, net, step, loss), rtol=1e-5)


def test_label_noise_of_a_run():
    run = SMALL.replace(norm="batch", label_noise=0.3, seed=4)
    labels = training_data(run).train_y
    wrong = (labels != digits().train_y).mean()
    assert 0.25 < wrong < 0.35
    assert set(labels.tolist()) == set(range(10))
    more = training_data(run.replace(label_noise=0.6)).train_y
    assert ((labels != digits().train_y) <= (more != digits().train_y)).all()
    net = make_net("mlp", (1, 8, 8), 10, 2, 16, "batch", {"native": True}, seed=4)
    step = torch.optim.SGD(net.parameters(), lr=run.lr).step
    mine = bare_losses(run, net, step, labels=labels)
    np.testing.assert_allclose(train(run).loss, mine, rtol=1e-5)
    all_wrong = training_data(run.replace(label_noise=1.0)).train_y
    assert not (all_wrong == digits().train_y).any()


@pytest.mark.parametrize("base", ["sgd", "adam"])
def test_lawn_of_a_run(base):
    options = {"free_steps": 10}
    run = SMALL.replace(optimizer=f"lawn_{base}", optimizer_options=options, lr=0.01)
    trainer, norms = Trainer(run, "cpu"), []
    for _ in trainer.steps(looks=False):
        norms.append([p.norm().item() for p in trainer.net.parameters() if p.ndim == 2])
    drift = np.abs(np.array(norms) / np.array(norms)[10] - 1).max(1)
    assert drift[:10].max() > 1e-3 and drift[10:].max() < 1e-5
    free = train(run.replace(optimizer=base, optimizer_options={})).loss
    assert train(run).loss[:11].tolist() == free[:11].tolist()


def test_clipping_of_a_run():
    net, run = plain_net(), SMALL.replace(norm="batch", clip=0.01)
    optimizer = torch.optim.SGD(net.parameters(), lr=run.lr)

    def step():
        weights = [p for p in net.parameters() if p.ndim == 2][:-1]
        for w in weights:
            limit = 0.01 * w.detach().norm(dim=1, keepdim=True).clamp_min(1e-3)
            w.grad.mul_((limit / w.grad.norm(dim=1, keepdim=True)).clamp_max(1))
        for p in list(net.parameters())[:-2]:
            if p.ndim == 1:
                p.grad.mul_((0.01 * p.detach().norm().clamp_min(1e-3) / p.grad.norm()).clamp_max(1))
        optimizer.step()

    losses = bare_losses(run, net, step)
    np.testing.assert_allclose(train(run).loss, losses, rtol=1e-4)
    assert losses[-1] > train(run.replace(clip=None)).loss[-1]


def test_branch_of_a_run():
    run = SMALL.replace(net="resnet", width=4, net_options={"branch": "skipinit"}, steps=3)
    assert any(isinstance(m, bnlab.nets.scalars.Scale) for m in build(run).modules())
    assert len(train(run).loss) == 3


def test_lawn_and_weight_norm_do_not_go_together():
    run = SMALL.replace(optimizer="lawn_sgd", weight_norm="weight_norm")
    with pytest.raises(ValueError, match="computes its weight from other tensors"):
        train(run)
