"""GroupSizes: what it offers, the stored start of its nets, and their training by Python."""

import numpy as np
import pytest

from bnlab.engines.compiled.catalogue import variants
from bnlab.lab import GroupSizes
from bnlab.lab.group_sizes.group_sizes import LOOKS, SEEDS, SIZES, make_run, start_grid, variants_of
from bnlab.lab.group_sizes.group_start import profile, signals
from bnlab.norms import GroupNorm, LayerNorm
from bnlab.show import STYLE
from bnlab.train import build, training
from tests.lab.kit.contrast import contrast
from tests.lab.kit.heard import Heard


class Spoken(Heard, GroupSizes):
    """A widget that is listened to."""


@pytest.fixture
def widget():
    widget = Spoken(device="cpu")
    yield widget
    widget.close()


def test_looks_can_be_read_and_told_apart():
    others = [STYLE[name] for name in ("layer", "batch", "none")]
    for name, (_, label, light, dark, *_rest) in LOOKS.items():
        assert label == f"groups of {name[6:]}"
        assert contrast(light, "#ffffff") >= 4.5 and contrast(dark, "#14181e") >= 4.5
    assert len({look[5] for look in LOOKS.values()} | {o["marker"] for o in others}) == 8
    assert len({look[2] for look in LOOKS.values()} | {o["light"] for o in others}) == 8


@pytest.mark.parametrize(
    ("size", "beside", "found"),
    [
        (8, "nothing", ["group_4", "group_8", "group_16"]),
        (2, "batch", ["group_2", "group_4", "batch"]),
        (64, "both", ["group_32", "layer", "batch", "none"]),
    ],
)
def test_a_size_stands_between_its_neighbours(size, beside, found):
    assert variants_of({"group_size": size, "beside": beside}) == found


def test_every_net_that_can_be_shown_is_compiled():
    shown = {name for size in SIZES for name in variants_of({"group_size": size, "beside": "both"})}
    assert shown == {name for name, _ in variants("groups")} == set(start_grid())


def test_the_runs_are_of_these_group_sizes():
    for name, size in (("group_2", 2), ("group_32", 32), ("layer", 64)):
        net = build(make_run(name, depth=2, lr=0.1, seed=650))
        norms = [m for m in net.modules() if isinstance(m, GroupNorm)]
        assert len(norms) == 2 and {m.group_size for m in norms} == {size}
        assert isinstance(norms[0], LayerNorm) == (name == "layer")


@pytest.mark.parametrize(("variant", "depth"), [("group_2", 2), ("layer", 4), ("batch", 2)])
def test_the_stored_start_is_what_is_measured(variant, depth):
    stored, now = start_grid()[variant][str(depth)], profile(variant, depth)
    for name, rows in now.items():
        np.testing.assert_allclose(stored[name], rows, rtol=2e-3)
        assert len(rows) == depth


def test_the_start_is_that_of_the_nets_that_train():
    """The same weights: those of a Run with that seed."""
    net = build(make_run("group_4", depth=2, lr=0.1, seed=651))
    cosine, _ = signals("group", {"group_size": 4}, 2, 651)
    from bnlab.lab.kit.images import batch
    from bnlab.measure import measure_signals

    assert measure_signals(net, None, batch()[0]).cosine == pytest.approx(cosine, abs=1e-5)


def test_larger_groups_are_more_alike_at_the_end():
    last = {name: start_grid()[name]["12"]["cosine"][-1][0] for name in start_grid()}
    order = [last[f"group_{size}"] for size in (2, 8, 32)]
    assert order == sorted(order) and last["batch"] < order[0]


def test_python_trains_what_a_state_means(widget):
    widget.ask(1, group_size=64, depth=2, beside="none", lr=0.3, seed=653)
    assert widget.wait(60)
    assert widget.of(1, "finished")[0]["stopped"] is False
    points = widget.of(1, "points")
    assert {m["norm"] for m in points} == {"group_32", "layer", "none"}
    run = make_run("layer", depth=2, lr=0.3, seed=653)
    wanted = [[s.step, s.val_accuracy] for s in training(run) if s.val_accuracy is not None]
    assert [p for m in points if m["norm"] == "layer" for p in m["accuracy"]] == wanted


def test_the_newest_setting_wins(widget):
    for number in range(2, 40):
        widget.ask(number, lr=0.1, depth=2)
    assert widget.wait(60)
    assert widget.of(39, "finished")[0]["stopped"] is False
    assert all(widget.of(n, "finished")[0]["stopped"] for n in range(3, 39))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"group_size": 1}, "group_size must be one of 2, 4, 8, 16, 32, 64"),
        ({"group_size": 6}, "group_size must be one of"),
        ({"depth": 3}, "depth must be one of 2, 4"),
        ({"lr": 0.2}, "lr must be one of"),
        ({"seed": 1}, "seed must be one of"),
        ({"beside": "layer"}, "beside"),
        ({"predict": 1}, "predict must be True or False"),
    ],
)
def test_what_is_not_offered_is_refused_with_what_is(wrong, message):
    with pytest.raises(ValueError, match=message):
        GroupSizes(**wrong)


def test_a_wrong_state_of_the_page_comes_back_as_text(widget):
    widget.ask(5, depth=5)
    assert "depth must be one of" in widget.of(5, "error")[0]["text"]


def test_seeds_differ_from_those_that_are_counted():
    assert len(SEEDS) == 8 and min(SEEDS) >= 650
