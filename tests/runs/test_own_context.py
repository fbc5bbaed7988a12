"""What a training gives does not depend on what the code around it has set for other work."""

import contextlib

import pytest
import torch

from bnlab.runs.own_context import in_own_context, own_context
from bnlab.sweep import sweep
from bnlab.train import Run, make_trainer, train_many, training

RUNS = {
    net: Run(net=net, norm="batch", depth=2, width=8, batch_size=16, steps=4, eval_every=2)
    for net in ("mlp", "plain", "resnet")
}
ADAM = RUNS["mlp"].replace(optimizer="adam", lr=0.01)


@contextlib.contextmanager
def setting(change, back):
    change()
    try:
        yield
    finally:
        back()


def rounded(name):
    precise = torch.set_float32_matmul_precision
    return setting(lambda: precise(name), lambda: precise("highest"))


def everywhere(name):
    """The newer way to say it, for all backends at once."""
    return setting(
        lambda: setattr(torch.backends, "fp32_precision", name),
        lambda: setattr(torch.backends, "fp32_precision", "none"),
    )


SURROUNDINGS = {
    "autocast": lambda: torch.autocast("cpu"),
    "autocast to half": lambda: torch.autocast("cpu", dtype=torch.float16),
    "medium": lambda: rounded("medium"),
    "high": lambda: rounded("high"),
    "float64": lambda: setting(
        lambda: torch.set_default_dtype(torch.float64),
        lambda: torch.set_default_dtype(torch.float32),
    ),
    "meta": lambda: torch.device("meta"),
    "no_grad": torch.no_grad,
    "inference": torch.inference_mode,
}
if hasattr(torch.backends, "fp32_precision"):
    SURROUNDINGS["bf16 everywhere"] = lambda: everywhere("bf16")
every_surrounding = pytest.mark.parametrize("around", SURROUNDINGS.values(), ids=SURROUNDINGS)


@every_surrounding
@pytest.mark.parametrize("engine", ["torch", "stack"])
def test_a_history_is_the_same_inside(around, engine):
    runs = [*RUNS.values(), ADAM]
    expected = train_many(runs, engine=engine, device="cpu")
    with around():
        found = train_many(runs, engine=engine, device="cpu")
    for one, other in zip(found, expected, strict=True):
        assert one.loss.tobytes() == other.loss.tobytes(), one.run.net
        assert one.val_accuracy.tolist() == other.val_accuracy.tolist()
        assert one.test_accuracy == other.test_accuracy


@every_surrounding
def test_what_comes_up_between_two_steps_changes_nothing(around):
    expected = [step.loss for step in training(ADAM, device="cpu")]
    steps = training(ADAM, device="cpu")
    found = [next(steps).loss]
    with around():
        found += [step.loss for step in steps]
    assert found == expected


@every_surrounding
def test_evaluation_and_gradient_too(around):
    expected = looks()
    with around():
        assert looks() == expected


def looks() -> tuple:
    trainer = make_trainer(RUNS["plain"], device="cpu")
    x, y = trainer.part("val")
    return trainer.evaluate(x, y), trainer.gradient(x[:8], y[:8])[2].tobytes()


def test_a_store_does_not_serve_what_autocast_has_rounded(tmp_path):
    run = RUNS["mlp"]
    with torch.autocast("cpu"):
        (kept,) = sweep([run], store=tmp_path, device="cpu", progress=False)
    (fresh,) = sweep([run], device="cpu", progress=False)
    assert kept.loss.tobytes() == fresh.loss.tobytes()


@every_surrounding
def test_the_surroundings_are_as_they_were_afterwards(around):
    with around():
        before = seen()
        with pytest.raises(ZeroDivisionError), own_context():
            assert torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
            raise ZeroDivisionError
        assert seen() == before


def seen() -> tuple:
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_default_device(),
        torch.backends.mkldnn.matmul.fp32_precision,
        torch.backends.mkldnn.conv.fp32_precision,
    )


def test_a_function_keeps_its_name_and_its_answer():
    @in_own_context
    def twice(x: float, *, plus: float = 0.0) -> float:
        """Two times x."""
        return 2 * x + plus

    assert twice(3.0, plus=1.0) == 7.0 and (twice.__name__, twice.__doc__) == (
        "twice",
        "Two times x.",
    )
    with torch.no_grad():
        assert twice(x=3.0) == 6.0
