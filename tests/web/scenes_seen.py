"""What the sentence of each scene says, as a condition on what the widget shows.

``SEEN`` has for each scene of a page the answer that turns out right, if one is asked for, and a
check of what else is said. A check gets the page, and a dictionary that it shares with the others.
"""

from __future__ import annotations

import re

import numpy as np
from playwright.sync_api import Page

from bnlab.lab.plane.plane import GAMMAS, RATES
from tests.web.heard import ends, newest, sentences

GUESSING = 0.2  # hardly better than a guess among ten digits

# ---- races ---------------------------------------------------------------------------------------


def behind(page, _):
    found = ends(page)
    assert found["batch"] < found["none"] - 0.05


def far_ahead(page, _):
    found = ends(page)
    assert found["batch"] > found["none"] + 0.2


def neither_learns(page, _):
    assert max(ends(page).values()) < 0.3


def both_do_well(page, _):
    assert min(ends(page).values()) > 0.95


def keeps_up(page, _):
    found = ends(page)
    assert newest(page)["none"]["diverged_at"]
    assert abs(found["noisy_batch"] - found["batch"]) < 0.02


def shaken_is_last(page, _):
    found = ends(page)
    assert found["noisy_batch"] < min(found["none"], found["batch"]) - 0.05


def loss_alone_falls(page, _):
    net = newest(page)["noisy_batch"]
    assert net["loss"][-1][1] < np.log(10) / 3 and net["accuracy"][-1][1] < GUESSING


# ---- what needs no training ----------------------------------------------------------------------


def moves(page, _):
    assert "went from" in page.locator(".bnlab-headline").inner_text()


def stays(page, _):
    assert "stays" in page.locator(".bnlab-headline").inner_text()


def growth(page: Page, norm: str) -> float:
    told = re.search(rf"{norm}: × ([\d.,]*\d)", sentences(page))[1]
    return float(told.replace(",", ""))


def thousands_of_times(page, _):
    assert growth(page, "no normalizer") > 10_000 and growth(page, "batch norm") < 10


def larger_gradient(page, _):
    label = page.locator(".bnlab-plot").nth(2).get_attribute("aria-label")
    none, batch = (
        float(re.search(rf"{name}[^:]*: ([\d.,]*\d) in \w+ 1,", label)[1].replace(",", ""))
        for name in ("no normalizer", "batch norm")
    )
    assert batch > 10 * none
    assert growth(page, "no normalizer") < 2 and growth(page, "batch norm") < 2


# ---- the others ----------------------------------------------------------------------------------


def batchnorm_alone_is_there(page, _):
    text = sentences(page)
    assert "no normalizer: diverged" in text and "batch norm: diverged" not in text


def within_ten_steps(page, _):
    verdict = page.locator(".bnlab-verdict").inner_text()
    assert int(re.search(r"diverged at step (\d+)", verdict)[1]) <= 10


def just_above_the_line(page, _):
    said = page.get_by_role("application").get_attribute("aria-label")
    number = r"([\d.e+-]+)"
    found = re.findall(rf"diverges from {number} \(predicted {number}\)", said)
    assert len(found) == len(GAMMAS)
    for first, star in ((float(a), float(b)) for a, b in found):
        assert 1 <= len([rate for rate in RATES if star < rate <= first]) <= 2


def four_times_the_border(page, _):
    star = float(re.search(r"predicted border ([\d.]+)", sentences(page))[1])
    assert page.evaluate("model.get('state').rate") > 4 * star


def accuracies(page: Page) -> dict[str, dict[str, float]]:
    """The table of small batches, by row."""
    found = {}
    for row in page.locator(".bnlab-ends tbody tr").all():
        train, batch, running, again = map(float, row.locator("td").all_inner_texts())
        name = row.locator("th").inner_text().strip()
        found[name] = {"train": train, "batch": batch, "running": running, "again": again}
    return found


def batchnorm_far_behind(page, _):
    found = accuracies(page)
    assert found["batch"]["running"] < found["renorm"]["running"] - 0.1


def worse_than_a_coin(page, _):
    batch = accuracies(page)["batch"]
    assert batch["train"] < 0.5 and batch["running"] > batch["train"] + 0.3


def guesses(page, _):
    assert accuracies(page)["batch"]["running"] < GUESSING


def two_learn_nothing(page, shared):
    found = ends(page)
    shared["loss"] = ends(page, "loss")["group_4"]
    assert found["group_2"] < GUESSING
    for name in ("group_4", "group_8"):
        assert found["batch"] - 0.03 < found[name] < found["batch"]


def as_well_as_batchnorm(page, shared):
    found = ends(page)
    assert min(found.values()) > found["batch"] - 0.01
    assert ends(page, "loss")["group_32"] < shared["loss"]


def last_norm_matters(page, _):
    found = ends(page)
    for name in ("last_norm", "mimic"):
        assert found[name] > found["batch"] - 0.03
    assert max(found["none"], found["weight_mean"]) < found["batch"] - 0.03


def hardly_apart(page, _):
    found = ends(page)
    assert np.ptp(list(found.values())) < 0.03 and min(found.values()) > 0.9


def mimic_fails(page, _):
    found = ends(page)
    assert found["mimic"] < 0.5 and found["last_norm"] > found["mimic"] + 0.1


def tops_are_level(page, _):
    nets = newest(page)
    tops = [max(value for _, value in net["accuracy"]) for net in nets.values()]
    assert abs(tops[0] - tops[1]) <= 0.02


def lawn_alone_learns(page, _):
    found = ends(page)
    assert found["adam"] < GUESSING and found["lawn"] > 0.5


def signs_far_behind(page, shared):
    found = shared["first"] = ends(page)
    assert found["none"] > found["batch"] and found["signs"] < found["batch"] - 0.3


def batchnorm_alone_learns(page, _):
    found = ends(page)
    assert found["batch"] > 0.6 and max(found["signs"], found["none"]) < GUESSING


def signs_gain_most(page, shared):
    gain = {name: end - shared["first"][name] for name, end in ends(page).items()}
    assert min(gain.values()) > 0 and max(gain, key=gain.get) == "signs"


def three_are_ranked(page, _):
    assert len(re.findall(r"[\d.]+\s%", page.locator(".bnlab-verdict").inner_text())) == 3


def taus(page: Page) -> tuple[float, float]:
    """Kendall's τ of γ and of the number of layers."""
    answer = page.locator(".bnlab-answer").inner_text().replace("−", "-")
    found = re.search(
        r"γ has a Kendall’s τ of ([\d.-]*\d), the number of layers ([\d.-]*\d)", answer
    )
    return float(found[1]), float(found[2])


def bars_are_equal(page, _):
    bars = page.evaluate(
        """() => [...document.querySelectorAll(".bnlab-bar")]
          .map((bar) => parseFloat(bar.style.getPropertyValue("--bnlab-share")))"""
    )
    assert len({bar for bar in bars if bar}) == 1
    score, layers = taus(page)
    assert score == layers


def a_little_more(page, _):
    score, layers = taus(page)
    assert layers < score < layers + 0.3


def evaluation_far_below(page, _):
    found = ends(page)
    assert found["eval"] < found["train"] - 0.2


def evaluation_fell(page, _):
    curve = dict(newest(page)["eval"]["accuracy"])
    assert curve[max(curve)] < curve[200] - 0.1


def all_of_it_came_back(page, _):
    found = ends(page)
    assert found["eval"] < found["train"] - 0.1
    assert abs(found["repaired"] - found["train"]) < 0.02


SEEN = {
    "index": (
        ("batch norm", far_ahead),
        ("no normalizer", behind),
        (None, both_do_well),
    ),
    "the_family": ((None, moves), (None, stays), (None, stays)),
    "signals": (
        ("no normalizer", thousands_of_times),
        ("none of them doubles it", larger_gradient),
    ),
    "learning_rates": (
        ("no normalizer", behind),
        ("batch norm", far_ahead),
        (None, neither_learns),
    ),
    "covariate_shift": ((None, keeps_up), (None, shaken_is_last), (None, loss_alone_falls)),
    "smoothness": (("none", None), ("batch", None), (None, batchnorm_alone_is_there)),
    "mean_field": (
        ("it diverges", within_ten_steps),
        (None, just_above_the_line),
        ("it trains", four_times_the_border),
    ),
    "batch_renorm": (
        ("batch renorm", batchnorm_far_behind),
        (None, worse_than_a_coin),
        (None, guesses),
    ),
    "group_size": ((None, two_learn_nothing), (None, as_well_as_batchnorm)),
    "mimicnorm": ((None, last_norm_matters), (None, hardly_apart), (None, mimic_fails)),
    "lawn": (
        ("LAWN-Adam", tops_are_level),
        ("level (within 0.02)", None),
        (None, lawn_alone_learns),
    ),
    "binary_nets": (
        (None, signs_far_behind),
        (None, batchnorm_alone_learns),
        (None, signs_gain_most),
    ),
    "bn_nas": ((None, three_are_ranked), (None, bars_are_equal), (None, a_little_more)),
    "clinic": (
        ("more than 0.05 worse", evaluation_far_below),
        ("more than 0.05 worse", evaluation_fell),
        ("as good as in training mode", all_of_it_came_back),
    ),
}
