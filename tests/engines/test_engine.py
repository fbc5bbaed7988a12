"""Whoever holds an engine need not ask which: the same questions, the same answers."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch

import bnlab
from bnlab.engines.engine import Engine
from bnlab.engines.stack import StackTrainer
from bnlab.train import Run, evaluate, make_trainer
from bnlab.train.single import ENGINES
from tests.train.bad_runs import BAD_RUNS

RUN = Run(depth=4, batch_size=16, steps=30, eval_every=7, lr=0.05, precision="float64")
NORMS = ["none", "batch", "batch_renorm", "noisy_batch"]
each_engine = pytest.mark.parametrize("engine", ENGINES)


def images(trainer: Engine, part: str = "val") -> tuple[torch.Tensor, torch.Tensor]:
    x, y = getattr(trainer.data, f"{part}_x"), getattr(trainer.data, f"{part}_y")
    return torch.tensor(x, dtype=torch.float64), torch.tensor(y)


@pytest.fixture(autouse=True)
def has_wasmtime(request):
    if "compiled" in request.node.name:
        pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")


@each_engine
@pytest.mark.parametrize("norm", NORMS)
def test_the_net_has_the_weights_and_statistics_of_now(engine, norm):
    trainer = make_trainer(RUN.replace(norm=norm), engine, "cpu")
    seen = 0
    for record in trainer.steps():
        if record.val_accuracy is None:
            continue
        seen += 1
        assert evaluate(trainer.net, *images(trainer))[1] == record.val_accuracy
        mode = record.val_accuracy_train_mode
        if norm != "noisy_batch":  # whose noise in training mode is that of the next batch
            assert evaluate(trainer.net, *images(trainer), batch_statistics=True)[1] == mode
        loss, _ = evaluate(trainer.net, *images(trainer))
        assert trainer.evaluate(*trainer.part("val"))[0] == pytest.approx(loss, rel=1e-10)
    assert seen == 6
    assert evaluate(trainer.net, *images(trainer, "test"))[1] == trainer.test_accuracy()


@each_engine
def test_the_net_follows_each_update_and_is_one_module(engine):
    trainer = make_trainer(RUN.replace(norm="batch"), engine, "cpu")
    net, weights = trainer.net, []
    for step, numbers in enumerate(trainer.batches, start=1):
        trainer.update(numbers, step)
        assert trainer.net is net and trainer.net is net
        weights.append(torch.cat([p.detach().flatten() for p in trainer.net.parameters()]))
    moves = [(a - b).norm() for a, b in zip(weights[1:], weights, strict=False)]
    assert len(moves) == RUN.steps - 1 and all(move > 0 for move in moves)


def test_what_is_changed_in_the_compiled_engine_s_net_lasts_until_the_next_update():
    trainer, other = (make_trainer(RUN, "compiled") for _ in range(2))
    with torch.no_grad():
        trainer.net.head.weight.zero_()
    assert trainer.net.head.weight.abs().max() == 0
    numbers = np.arange(16)
    assert trainer.update(numbers) == other.update(numbers)
    assert torch.equal(trainer.net.head.weight, other.net.head.weight)


def test_gradients_agree_and_move_the_statistics_alone():
    run = RUN.replace(norm="batch")
    one, other = (make_trainer(run, engine, "cpu") for engine in ENGINES)
    before = {name: value.clone() for name, value in one.net.state_dict().items()}
    x, y = one.data.train_x[:16], one.data.train_y[:16]
    for trainer in (one, other):
        loss, accuracy, gradient = trainer.gradient(x, y)
        net = trainer.net
        assert (loss, accuracy) == pytest.approx(one.gradient(x, y)[:2], rel=1e-10)
        assert gradient.shape == (sum(p.numel() for p in net.parameters()),)
        assert all(torch.equal(before[name], p) for name, p in net.named_parameters())
        moved = [n for n, b in net.named_buffers() if not torch.equal(before[n], b)]
        assert len(moved) == 2 * run.depth
    np.testing.assert_allclose(
        one.gradient(x, y)[2], other.gradient(x, y)[2], rtol=1e-9, atol=1e-14
    )


@each_engine
def test_losses_of_a_batch_are_those_that_the_next_update_tells(engine):
    trainer = make_trainer(RUN.replace(norm="batch"), engine, "cpu")
    for step in (1, 2):
        now = trainer.loss_now(np.arange(16), step)
        (told,) = trainer.block([np.arange(16)], step, np.inf)
        assert told[0] == pytest.approx(now, rel=1e-12)


@pytest.mark.parametrize("changes, message", BAD_RUNS, ids=[str(c) for c, _ in BAD_RUNS])
def test_engines_refuse_the_same_runs_in_the_same_words(changes, message):
    run, said = RUN.replace(**changes), set()
    for engine in ENGINES:
        with pytest.raises(ValueError, match=message) as caught:
            make_trainer(run, engine, "cpu")
        said.add(str(caught.value))
    assert len(said) == 1


def test_the_compiled_engine_keeps_no_tensors_of_the_data():
    kept = vars(make_trainer(RUN, "compiled")).values()
    assert not any(isinstance(k, torch.Tensor | torch.optim.Optimizer) for k in kept)


@pytest.mark.parametrize(
    "changes",
    [
        {"norm": "batch", "norm_options": {"momentum": 0.3, "eps": 1e-3}},
        {"net": "plain", "depth": 2, "width": 4, "norm": "rms"},
        {"net": "resnet", "depth": 1, "width": 4, "norm": "layer"},
        {"norm": "batch_renorm", "optimizer": "adam", "lr": 0.01},
    ],
    ids=str,
)
def test_a_stack_gives_each_net_with_the_weights_of_now(changes):
    run = RUN.replace(**{"steps": 8, **changes})
    trainer = StackTrainer([run, run.replace(seed=3), run.replace(lr=0.02, gamma=0.5)], "cpu")
    for records in trainer.steps():
        for net, record in zip(trainer.nets, records, strict=True):
            if record is not None and record.val_accuracy is not None:
                x, y = torch.tensor(trainer.data[0].val_x), torch.tensor(trainer.data[0].val_y)
                assert evaluate(net, x.double(), y)[1] == record.val_accuracy
    assert records == [None] * 3
    losses, _ = trainer.evaluate("val")
    mine = [evaluate(net, x.double(), y)[0] for net in trainer.nets]
    np.testing.assert_allclose(mine, losses, rtol=1e-10)


def names_compared(source: str) -> list[int]:
    """Lines that compare ``something.engine``, or ask whether something is a trainer."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            found += [
                n.lineno for n in sides if isinstance(n, ast.Attribute) and n.attr == "engine"
            ]
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if is_call and node.func.id == "isinstance" and "Trainer" in ast.unparse(node.args[1]):
            found.append(node.lineno)
    return found


def test_nobody_asks_which_engine_it_has():
    assert names_compared('if t.engine == "x" or isinstance(t, Trainer): pass') == [1, 1]
    root = Path(bnlab.__file__).parent
    plan = root / "chapters" / "lawn" / "methods.py"  # it names the engine that is to train
    asks = {path: names_compared(path.read_text()) for path in root.rglob("*.py") if path != plan}
    assert len(asks) > 200 and not {path: lines for path, lines in asks.items() if lines}


def test_more_images_than_fit_at_once_are_evaluated_in_parts():
    found = []
    for engine in ENGINES:
        trainer = make_trainer(RUN.replace(norm="batch"), engine, "cpu")
        found.append(trainer.evaluate(*trainer.part("train")))
    assert found[0] == pytest.approx(found[1], rel=1e-9)


def test_batch_statistics_of_more_images_than_fit_are_refused():
    trainer = make_trainer(RUN.replace(norm="batch"), "compiled", "cpu")
    images, labels = trainer.part("train")
    for ask in (
        lambda: trainer.evaluate(images, labels, True),
        lambda: trainer.gradient(images, labels),
    ):
        with pytest.raises(ValueError, match="room for 300 images at once, got 1197"):
            ask()


@each_engine
def test_an_engine_trains_once(engine):
    trainer = make_trainer(RUN.replace(steps=3), engine, "cpu")
    assert len(list(trainer.steps())) == 4
    with pytest.raises(RuntimeError, match="has trained already"):
        list(trainer.steps())
