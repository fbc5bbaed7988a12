"""The card of T6: BatchNorm before and behind the ReLU, at one rate and each at its own."""

from __future__ import annotations

from collections.abc import Iterator

from bnlab.chapters.clinic.t6_order import BASE, BIAS, DEPTHS, ORDERS, RATES, SEEDS, arms
from bnlab.lab.clinic.card import IN_PYTHON, Card, State, look
from bnlab.lab.clinic.lanes import lane
from bnlab.lab.kit.points import EVALUATE_EVERY, in_turns
from bnlab.lab.kit.widget import Content
from bnlab.train import Engine, Run, Step

OWN = dict.fromkeys(arms(), 0.3) | {"after_bias_6": 0.1}
"""The best rate of each net of the claim, as the evidence found it."""


def t6_trainings(state: State, engine: str = "torch") -> Iterator[Content]:
    """Both orders at the rate of the state; if it is repaired, each at its own one beside them."""
    runs = {order: order_run(order, state, state["lr"]) for order in ORDERS}
    if state["repaired"]:
        runs |= {
            f"{order}_own": order_run(order, state, own_rate(order, state)) for order in ORDERS
        }
    return in_turns({name: lane(run, engine, _look) for name, run in runs.items()})


def own_rate(order: str, state: State) -> float:
    """The best rate of an order, a key of ``ORDERS``, for the depth and the biases of a state."""
    return OWN[f"{order}_{state['bias']}_{state['depth']}"]


def order_run(order: str, state: State, lr: float) -> Run:
    """The Run of one net of a state: but for the rate, and for when it is looked at, a claim's."""
    fields = arms((state["depth"],))[f"{order}_{state['bias']}_{state['depth']}"].fields
    return BASE.replace(**fields, lr=lr, seed=state["seed"], eval_every=EVALUATE_EVERY)


def _look(_trainer: Engine, record: Step) -> dict[str, object]:
    return {"accuracy": [[record.step, record.val_accuracy]]}


CARD = Card(
    id="T6",
    title="BatchNorm before or behind the ReLU?",
    cause=(
        "At one learning rate a comparison also measures which of the two nets that rate suits. "
        "Before the ReLU, BatchNorm decides which units are on; behind it, it hands numbers of "
        "both signs to the next layer, and the two nets break down at different rates. A bias "
        "right before BatchNorm does nothing, since the mean takes it away; before a ReLU it moves "
        "the threshold."
    ),
    repair="Each at its own best rate",
    steps=BASE.steps,
    curves={
        "before": look("batch", "before", "BatchNorm before the ReLU"),
        "after": look("layer", "behind", "BatchNorm behind the ReLU"),
        "before_own": look("variance", "before, own", "before the ReLU at its own best rate"),
        "after_own": look("l1_batch", "behind, own", "behind the ReLU at its own best rate"),
    },
    plots={
        "accuracy": {"title": "accuracy on new images", "scale": "accuracy"},
        "loss": {"title": "training loss", "scale": "loss"},
    },
    controls={
        "depth": {"label": "hidden layers", "stops": DEPTHS},
        "bias": {"label": "biases", "stops": tuple(BIAS), "words": ("with", "without")},
        "lr": {"label": "learning rate for both", "stops": RATES},
    },
    first={"depth": 6, "bias": "bias", "lr": 3.0},
    seeds=SEEDS[:4],
    trainings=t6_trainings,
    badge=IN_PYTHON,
)
