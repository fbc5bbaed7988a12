"""Family in a browser: the page's numbers are bnlab's, and its words are true."""

import math
import re

import pytest
import torch
from playwright.sync_api import Page, expect

from bnlab import random
from bnlab.lab.family.family import BATCH_SIZES, CHANNELS, GROUPS, MODES, NORMS, Family
from bnlab.norms import make_norm
from tests.web.accessibility import violations
from tests.web.pace import within
from tests.web.widget_page import (
    PHONE,
    WIDE,
    full_screen,
    group,
    load,
    pick,
    settle,
    write_once,
    write_page,
)

pytestmark = pytest.mark.web


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A page for each number of channels: ``C/index.html``."""
    folder = tmp_path_factory.mktemp("family")
    for channels in CHANNELS:
        (folder / str(channels)).mkdir()
        write_once(folder / str(channels), Family(channels=channels))
    return folder


@pytest.fixture(scope="module")
def own_page(browser):
    """One page for all tests: each of them loads what it shows anew."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def page(own_page):
    return own_page


@pytest.fixture
def family(page: Page, folder, troubles):
    """Opens the page."""

    def open_page(query: str = "", theme: str = "light", size=WIDE, channels: int = 6):
        page.set_viewport_size(size)
        load(page, folder / str(channels), query and "#family?" + query, theme)
        settle(page)
        return page

    return open_page


def norms_menu(page):
    return page.get_by_role("combobox", name="normalizer")


def pick_norm(page, norm):
    norms_menu(page).select_option(norm)
    settle(page)


def change_others(page):
    page.get_by_role("button", name="Change the other images").click()
    settle(page)


def values(page, which, mark=""):
    """The numbers of a block, 0 before and 1 after the normalizer; ``mark`` picks some."""
    cells = page.locator(".bnlab-numbers").nth(which).locator(f"td[data-value]{mark}")
    return cells.evaluate_all("all => all.map((td) => [+td.dataset.at, +td.dataset.value])")


def lit(page, which=0):
    return {at for at, _ in values(page, which, ".bnlab-lit")}


def summary(page):
    return page.locator(".bnlab-sentence").inner_text()


def headline(page):
    """What a change did, or, before one, who shares what."""
    return page.locator(".bnlab-headline").inner_text()


def is_unchanged(page):
    return "other image" not in headline(page)


def choose(page, at, which=0):
    page.locator(".bnlab-numbers").nth(which).locator(f"td[data-at='{at}']").click()
    settle(page)


# ---- the same numbers as PyTorch ---------------------------------------------------------------


EPS = 1e-5
SMALL_EPS = 1e-6  # of filter_response

OVER_BATCH = (
    "batch",
    "ghost_batch",
    "batch_renorm",
    "noisy_batch",
    "variance",
    "l1_batch",
    "l2_batch",
    "linf_batch",
    "evonorm_b0",
)
GROUPED = ("group", "evonorm_s0")
LAST = {"l1_batch": "absolute", "l2_batch": "square", "linf_batch": "largest"}


def settings(channels):
    """Every state of the widget's controls that computes something of its own."""
    sizes = [size for size in range(1, channels + 1) if channels % size == 0]
    for norm in NORMS:
        for mode in MODES:
            for batch in BATCH_SIZES:
                for size in sizes if norm in GROUPED else sizes[-1:]:
                    ghosts = [g for g in BATCH_SIZES if g <= batch]
                    for ghost in ghosts if norm == "ghost_batch" else ghosts[:1]:
                        yield {
                            "norm": norm,
                            "mode": mode,
                            "batch_size": batch,
                            "group_size": size,
                            "ghost_size": ghost,
                        }


def moments(x, dims):
    mean = x.mean(dims, keepdim=True)
    return mean, ((x - mean) ** 2).mean(dims, keepdim=True)


def first_noise(shape):
    """Factors and shifts of step 0 with noise_seed 0, from the definition; not with bnlab.norms."""
    n, c = math.prod(shape), shape[1]
    seed = random.bits(0, random.NOISE, 1)[0]
    u = torch.from_numpy(random.uniform(seed, random.NOISE, 2 * c + 2 * n))
    mu, sigma = (u[:c] - 0.5).view(-1, 1, 1), (1 + u[c : 2 * c] / 4).view(-1, 1, 1)
    shift = mu + 0.1 * (2 * u[2 * c : 2 * c + n].view(shape) - 1)
    radius = (-2 * (1 - u[2 * c + n : 2 * c + n + n // 2]).log()).sqrt()
    angle = 2 * math.pi * u[2 * c + n + n // 2 :]
    normal = torch.cat([radius * angle.cos(), radius * angle.sin()]).view(shape)
    return sigma + 0.1 * normal, shift


def statistics(x, setting, stored):
    """Of each number, what its normalizer has for it: mean, variance, norm, own variance, r, d."""
    norm, channels = setting["norm"], x.shape[1]
    if setting["mode"] == "eval" and norm in OVER_BATCH:
        s = {key: value.view(-1, 1, 1) for key, value in stored.items()}
    else:
        parts, dims = x, (1, 2, 3)
        if norm in OVER_BATCH:
            size = setting["ghost_size"] if norm == "ghost_batch" else len(x)
            parts, dims = x.view(-1, size, *x.shape[1:]), (1, 3, 4)
        elif norm not in ("layer", "rms"):
            size = setting["group_size"] if norm in GROUPED else 1
            parts, dims = x.view(len(x), channels // size, size, 2, 2), (2, 3, 4)
        mean, var = moments(parts, dims)
        means = {
            "mean": mean,
            "var": var,
            "square": (parts**2).mean(dims, keepdim=True),
            "absolute": parts.abs().mean(dims, keepdim=True),
            "largest": parts.abs().amax(dims, keepdim=True),
        }
        s = {key: value.expand(parts.shape).reshape(x.shape) for key, value in means.items()}
        if norm in LAST:
            last = s[LAST[norm]]
            s["norm"] = (last + EPS).sqrt() if norm == "l2_batch" else last + EPS
    s["own"] = moments(x, (2, 3))[1]
    if norm == "batch_renorm" and setting["mode"] == "train":
        mu, sd = stored["mean"].view(-1, 1, 1), (stored["var"].view(-1, 1, 1) + EPS).sqrt()
        s["r"] = ((s["var"] + EPS).sqrt() / sd).clamp(1 / 3, 3)
        s["d"] = ((s["mean"] - mu) / sd).clamp(-5, 5)
    return s


def shares(x, setting, stored):
    """The output as its shared statistic makes it: before thresholds, noise and corrections."""
    norm, s = setting["norm"], statistics(x, setting, stored)
    if norm == "none":
        return x
    if norm in ("rms", "filter_response"):
        return x / (s["square"] + (EPS if norm == "rms" else SMALL_EPS)).sqrt()
    if norm in LAST:
        return (x - s["mean"]) / s["norm"]
    if norm in ("variance", "evonorm_b0"):
        return x / (s["var"] + EPS).sqrt()
    if norm == "evonorm_s0":
        return x / (1 + (-x).exp()) / (s["var"] + EPS).sqrt()
    return (x - s["mean"]) / (s["var"] + EPS).sqrt()


def shares_inside(x):
    """The second argument of EvoNorm-B0's max: a pool of one sample and channel."""
    return x / (x + (moments(x, (2, 3))[1] + EPS).sqrt())


def expected(x, setting, stored):
    """From the formulas; not with bnlab's normalizers."""
    norm, y = setting["norm"], shares(x, setting, stored)
    if norm == "filter_response":
        return y.clamp(min=0)
    s = statistics(x, setting, stored)
    if norm == "evonorm_b0":
        of_batch, of_sample = (s["var"] + EPS).sqrt(), x + (s["own"] + EPS).sqrt()
        return x / torch.maximum(of_batch, of_sample)
    if setting["mode"] == "train" and norm == "batch_renorm":
        return y * s["r"] + s["d"]
    if setting["mode"] == "train" and norm == "noisy_batch":
        factor, shift = first_noise(tuple(x.shape))
        return y * factor + shift
    return y


def own_layer(setting, channels, stored):
    """bnlab's normalizer for this setting, in double precision and with the stored statistics."""
    norm = setting["norm"]
    sizes = {"ghost_batch": "ghost_size", "group": "group_size", "evonorm_s0": "group_size"}
    options = {sizes[norm]: setting[sizes[norm]]} if norm in sizes else {}
    layer = make_norm(norm, channels, **options).double()
    for key, value in stored.items():
        assert getattr(layer, f"running_{key}").shape == value.shape
        setattr(layer, f"running_{key}", value.clone())
    return layer.train(setting["mode"] == "train")


READ = """async (states) => {
  const frame = () => new Promise(requestAnimationFrame);
  const [before, after] = document.querySelectorAll(".bnlab-numbers");
  const read = (table, mark = "") => [...table.querySelectorAll(`td[data-value]${mark}`)];
  const inOrder = (cells) => cells.sort((a, b) => a.dataset.at - b.dataset.at);
  const all = [];
  for (const state of states) {
    model.set("state", { ...model.get("state"), ...state });
    await frame();
    all.push({
      x: inOrder(read(before)).map((td) => +td.dataset.value),
      y: inOrder(read(after)).map((td) => +td.dataset.value),
      lit: read(before, ".bnlab-lit").map((td) => +td.dataset.at),
      litAfter: read(after, ".bnlab-lit").map((td) => +td.dataset.at),
      framed: read(before, ".bnlab-framed").map((td) => +td.dataset.at),
      framedAfter: read(after, ".bnlab-framed").map((td) => +td.dataset.at),
      text: document.querySelector(".bnlab-sentence").textContent.replaceAll("\\u00a0", " "),
    });
  }
  return all;
}"""


@pytest.fixture(scope="module")
def readings(browser, folder):
    """What the page shows for every setting: (channels, stored, state, reading)."""
    found = []
    for channels in CHANNELS:
        page = browser.new_page()
        page.goto(f"file://{folder}/{channels}/index.html")
        page.wait_for_function("globalThis.ready")
        page.evaluate("""() => {  // draw at once, on no screen: there are many settings
          globalThis.requestAnimationFrame = queueMicrotask;
          document.body.hidden = true;
        }""")
        options = page.evaluate("model.get('options')")
        stored = {
            norm: {k: torch.tensor(v, dtype=torch.float64) for k, v in one.items()}
            for norm, one in options["stored"].items()
        }
        states = [
            {**state, "cell": [state["batch_size"] - 1, channels // 2, 1, 0]}
            for state in settings(channels)
        ]
        for state, reading in zip(states, page.evaluate(READ, states), strict=True):
            found.append((channels, stored.get(state["norm"], {}), state, reading))
        page.close()
    return found


def block(numbers, channels):
    return torch.tensor(numbers, dtype=torch.float64).reshape(-1, channels, 2, 2)


def test_numbers_are_those_of_the_formulas(readings):
    assert {(s["norm"], s["mode"]) for _, _, s, _ in readings} == {
        (n, m) for n in NORMS for m in MODES
    }
    for channels, stored, setting, shown in readings:
        x = block(shown["x"], channels)
        assert len(x) == setting["batch_size"] and (x * 10 - (x * 10).round()).abs().max() < 1e-12
        y = expected(x, setting, stored)
        assert (block(shown["y"], channels) - y).abs().max() < 1e-6, setting


@pytest.mark.parametrize("norm", NORMS)
def test_numbers_are_those_of_the_package(readings, norm):
    mine = [one for one in readings if one[2]["norm"] == norm]
    assert len(mine) >= len(CHANNELS) * len(MODES) * len(BATCH_SIZES)
    for channels, stored, setting, shown in mine:
        with torch.no_grad():
            y = own_layer(setting, channels, stored)(block(shown["x"], channels))
        assert (block(shown["y"], channels) - y).abs().max() < 1e-6, setting


def test_lit_numbers_are_those_that_the_output_depends_on(readings):
    """By differentiation: an output moves with the numbers of its statistic, and no others."""
    generator = torch.Generator().manual_seed(0)
    for channels, stored, setting, shown in readings:
        shape = (setting["batch_size"], channels, 2, 2)
        x = torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
        cell = tuple(setting["cell"])
        (gradient,) = torch.autograd.grad(shares(x, setting, stored)[cell], x)
        wanted = set(gradient.flatten().nonzero().flatten().tolist())
        assert set(shown["lit"]) == set(shown["litAfter"]) == wanted, setting
        inside = set()
        if setting["norm"] == "evonorm_b0":
            (gradient,) = torch.autograd.grad(shares_inside(x)[cell], x)
            inside = set(gradient.flatten().nonzero().flatten().tolist())
        assert set(shown["framed"]) == set(shown["framedAfter"]) == inside, setting


def test_renorm_limits_are_reached(readings):
    """Some blocks of one sample are further from the stored statistics than r or d may correct."""
    limited = set()
    for channels, stored, setting, shown in readings:
        if setting["norm"] != "batch_renorm" or setting["mode"] == "eval":
            continue
        s = statistics(block(shown["x"], channels), setting, stored)
        at_cell = s["r"].expand(len(shown["x"]) // channels // 4, channels, 2, 2)
        at_limit = at_cell[tuple(setting["cell"])].item() in (1 / 3, 3)
        assert ("as far as the limits allow" in shown["text"]) == at_limit
        assert ("the same output as in eval mode" in shown["text"]) != at_limit
        limited.add(at_limit)
    assert False in limited


NUMBER = r"\(?(−?\d+(?:\.\d+)?)\)?"


def number(text):
    return float(text.replace("−", "-"))


TOLD = {
    "mean": rf"(?:: mean|the mean) {NUMBER}",
    "var": rf"(?:, variance|the variance|share one variance,) {NUMBER}",
    "square": rf"mean square,? {NUMBER}",
    "absolute": rf"(?<!one )mean of \|x\| {NUMBER}",
    "largest": rf"(?<!one )largest \|x\| {NUMBER}",
    "norm": rf"the norm {NUMBER}",
    "own": rf"(?:share another,|framed numbers \([^)]*\) share one variance,) {NUMBER}",
    "r": rf" r = {NUMBER}",
    "d": rf" d = {NUMBER}",
}


def told_by(norm, from_store, one_sample):
    """Which statistics a sentence states."""
    if norm in LAST:
        return {"mean", "norm" if from_store else LAST[norm]}
    if norm in ("rms", "filter_response"):
        return {"square"}
    if norm in ("variance", "evonorm_s0"):
        return {"var"}
    if norm == "evonorm_b0":
        return {"var"} if one_sample and not from_store else {"var", "own"}
    return {"mean", "var"} | ({"r", "d"} if norm == "batch_renorm" and not from_store else set())


def by_hand(text):
    """The value of the formula that a sentence ends with, and the result that it states."""
    written, result = re.search(rf"Here (.*) = {NUMBER}\.(?: |$)", text).groups()
    names = {"max": max, "sqrt": math.sqrt, "e": EPS, "sigmoid": lambda v: 1 / (1 + math.exp(-v))}
    for sign, code in {"−": "-", "×": "*", "√": "sqrt", "ε": "e"}.items():
        written = written.replace(sign, code)
    assert re.fullmatch(r"[\d.()+*/, e-]*", re.sub("max|sqrt|sigmoid", "", written)), written
    return eval(written, {"__builtins__": {}}, names), number(result)


def test_sentences_state_the_numbers_of_the_block(readings):
    for channels, stored, setting, shown in readings:
        text, x, y = shown["text"], block(shown["x"], channels), block(shown["y"], channels)
        cell, norm = tuple(setting["cell"]), setting["norm"]
        if norm == "none":
            value = f"{x[cell]:.1f}".replace("-", "−")
            assert text == f"No number shares anything: {value} stays {value}."
            continue
        value, result = by_hand(text)
        assert result == pytest.approx(y[cell].item(), abs=0.00501)
        assert value == pytest.approx(result, abs=0.0301, rel=0.02), text
        from_store = setting["mode"] == "eval" and norm in OVER_BATCH
        if from_store:
            assert "pooled" in text and "stored while training" in text
        else:
            assert text.startswith(f"These {len(shown['lit'])} numbers ("), text
            assert ("Eval mode computes the same" in text) == (setting["mode"] == "eval")
        assert ("Noise" in text) == (norm == "noisy_batch" and setting["mode"] == "train")
        assert ("no mean is subtracted" in text.lower()) == (
            norm in ("rms", "filter_response", "variance", "evonorm_s0", "evonorm_b0")
            and not from_store
        )
        s = statistics(x, setting, stored)
        stated = {key for key, words in TOLD.items() if re.search(words, text)}
        assert stated == told_by(norm, from_store, len(x) == 1), text
        for key in stated:
            exact = s[key].expand(x.shape)[cell].item()
            shown_as = number(re.search(TOLD[key], text)[1])
            assert shown_as == pytest.approx(exact, rel=0.006, abs=0.00006), (key, text)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("norm=batch", "channel 2 of all 4 images"),
        ("norm=ghost_batch&ghost_size=2&cell=3,1,0,0", "channel 2 of images 3 to 4"),
        ("norm=layer", "all 6 channels of image 1"),
        ("norm=rms&cell=2,0,0,0", "all 6 channels of image 3"),
        ("norm=group&group_size=3&cell=0,4,0,0", "channels 4 to 6 of image 1"),
        ("norm=instance", "channel 2 of image 1"),
        ("norm=group&group_size=1", "the same as instance norm"),
        ("norm=group&group_size=6", "the same as layer norm"),
        ("norm=batch&batch_size=1", "the same as instance norm"),
        ("norm=ghost_batch&ghost_size=1", "the same as instance norm"),
        ("norm=ghost_batch&ghost_size=4", "the same as batch norm"),
        ("norm=batch&mode=eval", "channel 2 uses the mean 1.39 and the variance 3.33"),
        ("norm=linf_batch&mode=eval", "the mean 1.39 and the norm 6.00 that were stored"),
        ("norm=variance&mode=eval", "channel 2 uses the variance 3.33 that was stored"),
        ("norm=l1_batch", "channel 2 of all 4 images) share one mean and one mean of |x|"),
        ("norm=evonorm_s0&group_size=3&cell=0,4,0,0", "channels 4 to 6 of image 1"),
        ("norm=filter_response&cell=2,0,0,0", "channel 1 of image 3"),
        ("norm=evonorm_b0&cell=2,0,0,0", "the 4 framed numbers (channel 1 of image 3)"),
        ("norm=evonorm_b0&batch_size=1", "that of the batch and of the image are the same"),
        ("norm=batch_renorm", "turn them into the stored ones: the same output as in eval mode"),
        ("norm=batch_renorm&batch_size=1&cell=0,5,0,0", "as far as the limits allow (r from 1/3"),
        ("norm=noisy_batch", "Noise, that of the first step, then scales and shifts each number"),
        ("norm=noisy_batch&mode=eval", "Eval mode has no noise."),
    ],
)
def test_sentence_says_which_numbers(family, query, words):
    assert words in summary(family(query))


# ---- what changes when the batch changes -------------------------------------------------------


def stays(norm, mode):
    """Whether an output of the block below does not feel the other samples."""
    return mode == "eval" or norm not in OVER_BATCH or norm == "batch_renorm"


@pytest.mark.parametrize("norm", NORMS)
def test_changing_the_others(family, norm):
    for mode in MODES:
        page = family(f"norm={norm}&mode={mode}&cell=1,2,0,1&batch_size=4&ghost_size=2")
        assert is_unchanged(page)
        at = (1 * 6 + 2) * 4 + 1
        before, after = dict(values(page, 0)), dict(values(page, 1))
        change_others(page)
        now, then = dict(values(page, 0)), dict(values(page, 1))
        own = range(24, 48)
        assert all(now[i] == before[i] for i in own), "the chosen sample stays"
        for others in (range(24), range(48, 72), range(72, 96)):
            assert any(now[i] != before[i] for i in others)
        moved = {i for i in own if abs(then[i] - after[i]) > 1e-9}
        if norm == "evonorm_b0" and mode == "train":
            assert moved and at not in moved
            assert "its own image’s divisor is larger" in headline(page)
            continue
        if stays(norm, mode):
            assert moved == set()
            assert f"stays {then[at]:.2f}".replace("-", "−") in headline(page)
            continue
        assert moved == {i for i in own if now[i] != 0 or norm != "variance"}
        told = re.search(rf"from {NUMBER} to {NUMBER}( \(same noise\))?\.", headline(page))
        first, last = number(told[1]), number(told[2])
        assert (first, last) == pytest.approx((after[at], then[at]), abs=0.00501)
        assert ("same noise" in headline(page)) == (norm == "noisy_batch")


def test_what_a_change_did_is_told_for_every_mode_and_normalizer(family):
    page = family()
    change_others(page)
    assert "went from" in headline(page)
    why = {
        ("batch", "eval"): "mean and variance are stored",
        ("variance", "eval"): "the variance is stored",
        ("l1_batch", "eval"): "mean and norm are stored",
        ("evonorm_b0", "eval"): "the batch’s variance is stored",
        ("batch_renorm", "train"): "r and d undo what the batch does",
        ("evonorm_b0", "train"): "its own image’s divisor is larger",
        ("layer", "train"): "its own image alone decides",
        ("filter_response", "train"): "its own image alone decides",
        ("none", "train"): "nothing is pooled",
    }
    for (norm, mode), words in why.items():
        pick_norm(page, norm)
        pick(page, "mode", mode)
        assert words in headline(page)
    pick_norm(page, "batch")
    choose(page, 40)
    assert is_unchanged(page), "this sample was changed itself"


def test_a_zero_stays_zero_where_no_mean_is_subtracted(family):
    page = family("norm=variance")
    zeros = [at for at, value in values(page, 0) if value == 0]
    choose(page, zeros[0])
    change_others(page)
    assert "stays 0.00: 0 divided by anything is 0." in headline(page)


def test_evonorm_b0_moves_where_the_batch_has_the_larger_divisor(family):
    page = family("norm=evonorm_b0")
    before = dict(values(page, 0)), dict(values(page, 1))
    change_others(page)
    then = dict(values(page, 1))
    moved = [i for i in range(24) if abs(then[i] - before[1][i]) > 0.02]
    assert moved and all(before[0][i] < 2 for i in moved)
    page = family(f"norm=evonorm_b0&cell=0,{moved[0] // 4},{moved[0] % 4 // 2},{moved[0] % 2}")
    change_others(page)
    told = re.search(rf"went from {NUMBER} to {NUMBER}", headline(page))
    wanted = (before[1][moved[0]], then[moved[0]])
    assert (number(told[1]), number(told[2])) == pytest.approx(wanted, abs=0.00501)


def test_every_change_brings_other_samples(family):
    page = family("batch_size=8&cell=7,0,0,0")
    seen = [tuple(page.evaluate("model.get('state').samples"))]
    for _ in range(8):
        change_others(page)
        saved = "before => model.get('state').samples.join() !== before.join()"
        page.wait_for_function(saved, arg=list(seen[-1]))
        new = tuple(page.evaluate("model.get('state').samples"))
        assert new[7] == seen[0][7] and len(set(new)) == 8
        assert not set(new[:7]) & set(seen[-1][:7])
        seen.append(new)
    assert len({sample for one in seen for sample in one}) == 24, "all of the pool comes up"


def test_a_batch_of_one_has_no_others(family):
    page = family("batch_size=1")
    press = page.get_by_role("button", name="Change the other images")
    expect(press).to_have_attribute("aria-disabled", "true")
    before = values(page, 0)
    press.click(force=True)
    assert values(page, 0) == before
    expect(page.locator(".bnlab-actions")).to_contain_text("no others to change")


def test_stored_statistics_belong_to_those_that_pool_over_the_batch(family):
    page = family()
    foot = page.locator(".bnlab-numbers tfoot").first
    labels = {"mean": "mean", "var": "var.", "norm": "norm"}
    stored = page.evaluate("model.get('options').stored")
    assert set(stored) == set(OVER_BATCH)
    for norm in NORMS:
        for mode in MODES:
            page.evaluate(
                "part => model.set('state', { ...model.get('state'), ...part })",
                {"norm": norm, "mode": mode},
            )
            settle(page)
            if norm not in OVER_BATCH:
                expect(foot).to_be_hidden()
                continue
            words = foot.inner_text()
            assert ("not used in train mode" in words) == (
                mode == "train" and norm != "batch_renorm"
            )
            assert ("used in r and d" in words) == (mode == "train" and norm == "batch_renorm")
            rows = foot.locator("tr:visible th[scope=row]").all_inner_texts()
            assert rows == [labels[key] for key in stored[norm]]
            used = foot.locator("td.bnlab-lit:visible").all_inner_texts()
            beside = mode == "train" and norm != "batch_renorm"
            wanted = [f"{values[1]:.2f}" for values in stored[norm].values()]
            assert used == ([] if beside else wanted)


# ---- choosing ----------------------------------------------------------------------------------


def test_pointing_shows_and_leaving_goes_back(family):
    page = family()
    chosen, words = lit(page), summary(page)
    for which in (0, 1):
        page.locator(".bnlab-numbers").nth(which).locator("td[data-at='0']").hover()
        expect(page.locator(".bnlab-sentence")).to_contain_text("channel 1 of")
        assert lit(page) == lit(page, 1) == {n * 24 + p for n in range(4) for p in range(4)}
        page.locator(".bnlab-title").hover()
        expect(page.locator(".bnlab-sentence")).not_to_contain_text("channel 1 of")
        settle(page)
        assert (lit(page), summary(page)) == (chosen, words)


@pytest.mark.parametrize("which", [0, 1])
def test_clicking_keeps(family, which):
    page = family()
    choose(page, 17, which)
    page.locator(".bnlab-title").hover()
    settle(page)
    assert [at for at, _ in values(page, 0, ".bnlab-shown")] == [17]
    assert [at for at, _ in values(page, 1, ".bnlab-shown")] == [17]
    assert "channel 5 of" in summary(page)


def test_tapping(browser, folder):
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"file://{folder}/6/index.html#family?norm=instance")
    page.wait_for_function("globalThis.ready")
    numbers = page.locator(".bnlab-numbers").first
    numbers.locator("td[data-at='30']").tap()
    expect(numbers.locator("td[data-at='30']")).to_have_class(re.compile("bnlab-shown"))
    assert lit(page) == {28, 29, 30, 31}
    context.close()


def test_keyboard_alone(family):
    page = family("norm=layer&cell=0,0,0,0")
    group(page, "batch size").get_by_role("radio", checked=True).focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Change the other images")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    place = {
        "ArrowRight": 1,
        "ArrowDown": 3,
        "ArrowLeft": 2,
        "End": 23,
        "ArrowUp": 21,
        "Home": 0,
    }
    for key, at in place.items():
        page.keyboard.press(key)
        settle(page)
        assert [one for one, _ in values(page, 0, ".bnlab-shown")] == [at], key
        expect(page.locator(f".bnlab-numbers td[data-at='{at}']").first).to_be_focused()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    settle(page)
    assert "of image 2)" in summary(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.body"), "one stop for all numbers"


def test_the_edges_hold(family):
    page = family("cell=0,0,0,0")
    page.locator("td[tabindex='0']").focus()
    for key in ("ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    settle(page)
    assert [at for at, _ in values(page, 0, ".bnlab-shown")] == [0]


def test_focus_is_seen(family):
    page = family()
    page.keyboard.press("Tab")
    seen = set()
    for _ in range(12):
        tag, style = page.evaluate("""() => {
          const now = document.activeElement, face = now.nextElementSibling;
          const seen = face?.classList.contains("bnlab-face") ? face : now;
          return [now.localName, getComputedStyle(seen).outlineStyle];
        }""")
        if tag == "body":
            break
        seen.add(tag)
        assert style == "solid", tag
        page.keyboard.press("Tab")
    assert seen == {"button", "input", "select", "td"}


def test_numbers_tell_screen_readers_where_they_are(family):
    page = family()
    grid = page.get_by_role("grid")
    expect(grid).to_have_count(1)
    chosen = page.get_by_role("gridcell", name="image 1, channel 2: 4.2")
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(chosen).to_have_attribute("data-lm-suppress-shortcuts", "true")
    expect(grid.get_by_role("rowheader", name="image 1, a 9")).to_have_count(1)
    for name in ("sentence", "headline", "note"):
        expect(page.locator(f".bnlab-{name}")).to_have_attribute("aria-live", "polite")


# ---- controls ----------------------------------------------------------------------------------


def test_the_menu_has_all_normalizers_in_groups(family):
    page = family()
    shown = norms_menu(page).evaluate(
        "e => [...e.children].map((g) => [g.label, [...g.children].map((o) => o.value)])"
    )
    assert [tuple(norms) for _, norms in shown] == list(GROUPS.values())
    assert [label for label, _ in shown] == list(GROUPS)


def test_the_menu_by_keyboard(family):
    page = family()
    menu = norms_menu(page)
    menu.focus()
    expect(menu).to_have_attribute("data-lm-suppress-shortcuts", "true")
    for norm in NORMS[1:]:
        page.keyboard.press("ArrowDown")
        settle(page)
        expect(menu).to_have_value(norm)
        assert page.evaluate("model.get('state').norm") in NORMS
    expect(page.locator(".bnlab-caption").last).to_have_text("what comes out of no normalizer")
    page.keyboard.type("filter")
    settle(page)
    last = page.locator(".bnlab-caption").last
    expect(last).to_have_text("what comes out of filter response norm")


def test_sizes_are_offered_where_they_mean_something(family):
    page = family()
    owners = {"group size": ("group", "evonorm_s0"), "ghost batch (": ("ghost_batch",)}
    for norm in NORMS:
        pick_norm(page, norm)
        for name, having in owners.items():
            control = page.locator("fieldset", has_text=name)
            assert control.is_visible() == (norm in having)


def test_a_ghost_batch_fits_in_the_batch(family):
    page = family("norm=ghost_batch&batch_size=4&ghost_size=4&cell=3,0,0,0")
    ghost, note = group(page, "ghost batch ("), page.locator(".bnlab-note")
    pick(page, "ghost batch (", "8")
    expect(note).to_have_text("Not changed: a ghost batch of 8 is larger than the batch.")
    expect(ghost.get_by_role("radio", name="4")).to_be_checked()
    pick(page, "batch size", "2")
    expect(note).to_have_text("A ghost batch is at most the batch: its size is now 2.")
    expect(ghost.get_by_role("radio", name="2")).to_be_checked()
    assert "of image" not in summary(page) and "channel 1 of all 2 images" in summary(page)
    pick(page, "mode", "eval")
    expect(note).to_be_empty()


def test_answers_within_a_tenth_of_a_second(family):
    page = family("batch_size=8")
    change = """() => new Promise((resolve) => {
      const words = document.querySelector(".bnlab-sentence"), begun = performance.now();
      new MutationObserver(() => resolve(performance.now() - begun))
        .observe(words, { childList: true, characterData: true, subtree: true });
      const menu = document.querySelector("select");
      menu.value = menu.value === "layer" ? "batch" : "layer";
      menu.dispatchEvent(new Event("change"));
    })"""
    within(page, 100, lambda: page.evaluate(change))


def test_a_thousand_fast_changes_draw_the_last_one(family):
    wanted = values(family("norm=group&mode=eval&batch_size=2&group_size=2"), 1)
    page = family()
    seconds = page.evaluate("""async () => {
      globalThis.addresses = 0;
      const real = history.replaceState.bind(history), begun = performance.now();
      history.replaceState = (...what) => { addresses++; real(...what); };
      const inputs = [...document.querySelectorAll(".bnlab input")];
      const menu = document.querySelector("select");
      const choose = (norm) => { menu.value = norm; menu.dispatchEvent(new Event("change")); };
      for (let i = 0; i < 1000; i++) {
        inputs[(i * 7) % inputs.length].click();
        if (i % 3 === 0) choose(menu.options[i % menu.options.length].value);
        if (i % 50 === 0) await new Promise(requestAnimationFrame);
      }
      const set = (name, value) => [...document.querySelectorAll("fieldset")]
        .find((one) => one.innerText.includes(name) || one.textContent.includes(name))
        .querySelector(`input[value='${value}']`).click();
      choose("group"); set("mode", "eval");
      set("batch size", 2); set("group size", 2);
      return (performance.now() - begun) / 1000;
    }""")
    last = "norm=group&mode=eval&batch_size=2&group_size=2"
    page.wait_for_function("last => location.hash.includes(last)", arg=last)
    settle(page)
    assert values(page, 1) == wanted
    assert page.evaluate("addresses") <= 3 + seconds / 0.4, "at most one in 400 ms"


# ---- the address, the kernel -------------------------------------------------------------------

ADDRESS = (
    "norm=group&mode=eval&batch_size=8&group_size=2&ghost_size=1&cell=5,4,1,0"
    "&samples=9,8,7,6,5,4,3,2"
)


def test_state_is_written_and_restored(family):
    page = family("norm=group")
    pick(page, "group size", "2")
    choose(page, 5)
    change_others(page)
    page.wait_for_function("location.hash.includes('samples=0,8,9,10,11,12,13,14')")
    written = page.evaluate("location.hash").removeprefix("#family?")
    assert written.startswith(
        "norm=group&mode=train&batch_size=4&group_size=2&ghost_size=2&cell=0,1,"
    )
    shown = values(page, 0), values(page, 1), summary(page)
    again = family(written)
    assert (values(again, 0), values(again, 1), summary(again)) == shown


def test_a_link_says_all(family):
    page = family(ADDRESS)
    assert page.evaluate("document.querySelectorAll('.bnlab-note:empty').length") == 1
    assert [at for at, _ in values(page, 0, ".bnlab-shown")] == [(5 * 6 + 4) * 4 + 2]
    assert len(values(page, 0)) == 8 * 24


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("norm=bach", "norm=bach is not one of batch, ghost_batch, batch_renorm"),
        ("batch_size=3", "batch_size=3 is not one of 1, 2, 4, 8"),
        ("batch_size=", "batch_size= is not one of"),
        ("group_size=4", "group_size=4 is not one of 1, 2, 3, 6"),
        ("norm=ghost_batch&ghost_size=8", "ghost_size=8 is larger than the batch of 4"),
        ("cell=0,6,0,0", "cell=0,6,0,0 is not sample,channel,row,column"),
        ("cell=1", "cell=1 is not sample,channel,row,column"),
        ("cell=5,0,0,0", "cell=5,0,0,0 is not in a batch of 4"),
        ("samples=1,1,1,1,1,1,1,1", "are not 8 different numbers from 0 to 23"),
        ("samples=0,1,2,3,4,5,6,24", "are not 8 different numbers"),
        ("samples=a", "samples=a are not"),
        ("mode=<b>x</b>", "is not one of train, eval"),
        ("colour=red", "colour=red means nothing here"),
        ("__proto__=1", "__proto__=1 means nothing here"),
    ],
)
def test_bad_links_are_ignored_with_a_note(family, query, note):
    page = family(f"norm=layer&{query}")
    expect(page.locator(".bnlab-note")).to_contain_text(note)
    if not query.startswith("norm"):
        assert "all 6 channels" in summary(page)


@pytest.fixture
def notebook(page, tmp_path):
    """The widget as JupyterLab and Colab show it: with a kernel, without an address."""
    write_page(tmp_path, Family(norm="instance"), host=None)
    page.goto(f"file://{tmp_path}/index.html")
    page.wait_for_function("globalThis.ready")
    settle(page)
    return page


def test_in_a_notebook_python_and_page_share_the_state(notebook):
    page = notebook
    assert page.get_by_role("button", name="Copy link").count() == 0
    page.evaluate("model.set('state', { ...model.get('state'), norm: 'layer', batch_size: 2 })")
    settle(page)
    expect(norms_menu(page)).to_have_value("layer")
    assert len(values(page, 0)) == 48
    pick(page, "mode", "eval")
    choose(page, 30)
    page.wait_for_function("model.get('state').mode === 'eval' && model.get('state').cell[0] === 1")
    back = Family()
    back.state = page.evaluate("model.get('state')")
    assert back.state["cell"] == [1, 1, 1, 0] and back.state["norm"] == "layer"
    assert "#" not in page.url


# ---- looks -------------------------------------------------------------------------------------

QUERIES = [
    "",
    "norm=ghost_batch&mode=eval",
    "norm=group&batch_size=8&mode=eval",
    "norm=evonorm_b0",
    "norm=variance&batch_size=1",
    ADDRESS,
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("norm", ["batch", "ghost_batch", "evonorm_b0"])
def test_no_serious_accessibility_problem(family, norm, theme):
    page = family(f"norm={norm}&mode={'eval' if theme == 'dark' else 'train'}", theme=theme)
    change_others(page)
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_normalizers_colour_can_be_read(family, theme):
    page = family("batch_size=1&cell=0,1,0,0", theme=theme, channels=2)
    for norm in NORMS:
        pick_norm(page, norm)
        assert violations(page, ".bnlab-blocks", runOnly=["color-contrast"]) == [], norm


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
def test_fits_and_numbers_stay_in_their_cells(family, query, size):
    page = family(query, size=size)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    inside = page.locator(".bnlab *:not(.bnlab-option input, .bnlab-hidden)").evaluate_all(
        "(all, width) => all.filter((e) => e.getBoundingClientRect().right > width)"
        ".map((e) => e.outerHTML)",
        size["width"],
    )
    assert inside == []
    spilt = page.locator(".bnlab-numbers :is(td[data-value], tfoot td, tfoot th)").evaluate_all(
        """all => all.filter((td) => {
          const range = document.createRange();
          range.selectNodeContents(td);
          const text = range.getBoundingClientRect(), box = td.getBoundingClientRect();
          return text.left < box.left - 0.5 || text.right > box.right + 0.5;
        }).map((td) => td.outerHTML)"""
    )
    assert spilt == []
    small = page.locator(".bnlab-numbers").first.evaluate(
        "e => parseFloat(getComputedStyle(e).fontSize)"
    )
    assert small >= 12 - (size == PHONE)


@pytest.mark.parametrize(("batch_size", "least"), [(4, 18), (8, 11)])
@pytest.mark.parametrize("norm", ["batch", "evonorm_s0", "ghost_batch", "evonorm_b0"])
def test_full_screen_has_large_type_and_fits(family, norm, batch_size, least):
    page = family(f"norm={norm}&batch_size={batch_size}&mode=eval")
    change_others(page)
    full_screen(page)
    root = page.locator(".bnlab")
    fits, size = root.evaluate(
        "e => [e.scrollHeight <= e.clientHeight && e.scrollWidth <= e.clientWidth, "
        "parseFloat(getComputedStyle(e.querySelector('.bnlab-numbers')).fontSize)]"
    )
    assert fits and size >= least
    page.keyboard.press("Escape")
    expect(root).not_to_have_class(re.compile("bnlab-large"))


def test_blocks_lie_side_by_side_or_one_below_the_other(family):
    for size, below in ((WIDE, False), (PHONE, True)):
        page = family(size=size)
        first, second = (page.locator(".bnlab-block").nth(i).bounding_box() for i in (0, 1))
        assert (second["y"] >= first["y"] + first["height"]) == below


def test_two_widgets_of_a_page_share_no_names(family):
    page = family()
    page.evaluate("async () => { await show(document.querySelector('main')); }")
    ids = page.locator(".bnlab [id]").evaluate_all("all => all.map((e) => e.id)")
    assert len(ids) == len(set(ids)) >= 2
    names = page.locator(".bnlab fieldset").evaluate_all(
        "all => all.map((e) => e.querySelector('input').name)"
    )
    assert len(names) == len(set(names))


def test_taking_it_off_the_page_leaves_nothing_behind(family):
    page = family()
    pick_norm(page, "layer")
    page.evaluate("cleanUp()")
    assert page.locator(".bnlab").count() == 0
    assert page.evaluate("listening()") == 0
    page.evaluate("location.hash = '#family?norm=batch'")
    page.wait_for_timeout(300)
