"""What every widget of the book is: an offer, one checked state, an answer to its page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import anywidget
import traitlets

from bnlab.arguments import require
from bnlab.chapters import scenes_of
from bnlab.draw.scene import Scene
from bnlab.errors import unknown
from bnlab.lab.kit.worker import Worker

Content = tuple[str, dict[str, object] | None]
"""A name, and what is new about it, ready for JSON; None if there is nothing to tell yet."""


class Widget(anywidget.AnyWidget):
    """A widget with ``options`` and a ``state``.

    A subclass overrides ``check``, and has ``_esm``, the ``bundle`` of its JavaScript module, and
    ``_css``, a ``stylesheet``. The module extends Widget of ``js/widget.js``.
    """

    options = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    @traitlets.validate("state")
    def _valid_state(self, proposal: dict) -> dict[str, object]:
        # Empty is the trait's default, before __init__ has set it.
        return self.check(proposal["value"], self.options) if proposal["value"] else {}

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """A copy of a state in which every value is one that the widget offers.

        Raises:
            ValueError: for anything else; the message lists what is offered.
        """
        raise NotImplementedError

    def with_scenes(self, scenes: str | Iterable[Scene]) -> Widget:
        """This widget, with the scenes of a demonstration.

        Args:
            scenes: the page whose demonstration it is, such as ``learning_rates``, or your own.

        Raises:
            ValueError: for an unknown page, or a scene whose state the widget does not offer.
        """
        chosen = scenes_of(scenes).SCENES if isinstance(scenes, str) else tuple(scenes)
        self.options = {**self.options, "scenes": [self._whole(scene) for scene in chosen]}
        return self

    def _whole(self, scene: Scene) -> dict[str, object]:
        """A scene for the page; its state is complete."""
        state = self.check({**self.state, **scene.state}, self.options)
        return {"label": scene.label, "ask": scene.ask, "says": scene.says, "state": state}


class ComputingWidget(Widget):
    """A widget whose page asks for a state to be computed; a thread answers, the newest wins.

    A subclass overrides ``begin`` and perhaps ``warm_up``. Its module extends ComputingWidget of
    ``js/widget.js``.

    Args:
        options: what the widget offers.
        state: what it shows at first.
        device: where torch computes, as it will be told to the page.
    """

    _worker: Worker | None = None  # ipywidgets closes a widget whose __init__ has failed, too

    def __init__(
        self, options: dict[str, object], state: dict[str, object], device: str = "cpu"
    ) -> None:
        self._device = device
        self._worker = Worker(self.send)
        super().__init__(options={"device": device, **options})
        self.state = state
        self.on_msg(self._hear)
        self._worker.start(None, self.warm_up, self._device)

    def begin(self, state: dict[str, object]) -> Iterable[Content]:
        """Computes when iterated over, in the thread: name and what is new about it, in turn."""
        raise NotImplementedError

    def warm_up(self) -> Iterable[Content]:
        """What takes seconds the first time is done before the reader asks for anything."""
        return ()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is computed; False if ``timeout`` seconds were not enough."""
        return self._worker.wait(timeout)

    def close(self) -> None:
        """End the computation and take the widget off the page."""
        if self._worker is not None:
            self._worker.drop()
        super().close()

    def _hear(self, _widget: Widget, message: dict, _buffers: list) -> None:
        """A message of the page: train or stop. What is wrong with it goes back as text."""
        kind, number = message.get("type"), message.get("id")
        if kind == "stop":
            self._worker.stop(number)
        elif kind == "train":  # the word of all widgets for: compute
            try:
                state = self.check(message.get("state"), self.options)
            except ValueError as error:
                self._worker.drop()
                self.send({"type": "error", "id": number, "text": str(error)})
                return
            self._worker.start(number, self._beginning(state), self._device)

    def _beginning(self, state: dict[str, object]) -> Callable[[], Iterator[Content]]:
        return lambda: iter(self.begin(state))


# ---- checks of a state ---------------------------------------------------------------------------


def check_keys(state: object, keys: Sequence[str]) -> dict[str, object]:
    """The state, if it is a dict with exactly these keys; else a ValueError."""
    if not isinstance(state, dict) or set(state) != set(keys):
        raise ValueError(f"a state must have exactly the keys {', '.join(keys)}, got {state!r}.")
    return state


def one_of(key: str, value: object, offered: Sequence) -> object:
    """The offered value that equals this one; else a ValueError that lists them."""
    if isinstance(value, bool) or value not in offered:
        listed = ", ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in offered)
        raise ValueError(f"{key} must be one of {listed}, got {value!r}.")
    return offered[offered.index(value)]


def check_flag(key: str, value: object) -> bool:
    """The value, if it is True or False; else a ValueError."""
    if not isinstance(value, bool):
        raise ValueError(f"{key} must be True or False, got {value!r}.")
    return value


def names_of(norms: str | Iterable[str]) -> list[str]:
    """The names as a list; one name may come alone.

    Raises:
        ValueError: for what holds no names.
    """
    require(isinstance(norms, Iterable), f"norms must be a list of names, got {norms!r}.")
    return [norms] if isinstance(norms, str) else list(norms)


def check_norms(
    norms: object, offered: Sequence[str], fewest: int = 1, most: int | None = None
) -> list[str]:
    """These normalizers in the order in which they are offered; else a ValueError."""
    if not isinstance(norms, list):
        raise ValueError(f"norms must be a list of names, got {norms!r}.")
    for norm in norms:
        if norm not in offered:
            raise ValueError(unknown("normalizer", norm, offered))
    if not fewest <= len(norms) <= (most or len(offered)) or len(set(norms)) < len(norms):
        least = "one" if fewest == 1 else fewest
        count = f"{fewest} to {most}" if most else f"{least} or more"
        raise ValueError(f"norms must be {count} different ones of {', '.join(offered)}.")
    return [name for name in offered if name in norms]
