"""The card of T6: BatchNorm before and behind the ReLU, at one rate and each at its own."""

from __future__ import annotations

from collections.abc import Iterator

from bnlab.chapters.clinic.t6_order import BASE, BIAS, DEPTHS, ORDERS, RATES, SEEDS, arms
from bnlab.lab.clinic.lanes import in_turns, lane
from bnlab.lab.kit.points import EVALUATE_EVERY
from bnlab.lab.kit.widget import Content
from bnlab.train import Engine, Run, Step

OWN = {arm: 0.3 for arm in arms()} | {"after_bias_6": 0.1}
"""The best rate of each net of the claim, as the evidence found it."""


def trainings(state: dict[str, object], engine: str = "torch") -> Iterator[Content]:
    """Both orders at the rate of the state; if it is repaired, each at its own one beside them."""
    runs = {order: order_run(order, state, state["lr"]) for order in ORDERS}
    if state["repaired"]:
        runs |= {f"{order}_own": order_run(order, state, own_rate(order, state)) for order in ORDERS}
    return in_turns({name: lane(run, engine, look) for name, run in runs.items()})


def own_rate(order: str, state: dict[str, object]) -> float:
    """The best rate of an order, a key of ``ORDERS``, for the depth and the biases of a state."""
    return OWN[f"{order}_{state['bias']}_{state['depth']}"]


def order_run(order: str, state: dict[str, object], lr: float) -> Run:
    """The Run of one net of a state: but for the rate, and for when it is looked at, a claim's."""
    fields = arms((state["depth"],))[f"{order}_{state['bias']}_{state['depth']}"].fields
    return BASE.replace(**fields, lr=lr, seed=state["seed"], eval_every=EVALUATE_EVERY)


def look(_trainer: Engine, record: Step) -> dict[str, object]:
    """Accuracy on the validation images."""
    return {"accuracy": [[record.step, record.val_accuracy]]}
