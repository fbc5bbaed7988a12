"""The clinic's cards in a browser: the page computes what Python computes, and repairs."""

import pytest
from playwright.sync_api import Page, expect

from bnlab.lab import Clinic
from bnlab.lab.clinic import CARDS
from tests.lab.kit.heard import collected
from tests.web.accessibility import violations
from tests.web.clinic_page import addressed, opened, write_cards
from tests.web.pace import within
from tests.web.stage_page import SLIDES, faults_of_stage, open_in_site, resize
from tests.web.widget_page import (
    Carried,
    alts,
    finished,
    full_screen,
    headline,
    load,
    note,
    pick,
    press,
    shown,
    summary_text,
    write_page,
)

pytestmark = pytest.mark.web

T1, T2 = CARDS["T1"], CARDS["T2"]
CAUSES, SIZES = T1.controls["cause"]["stops"], T2.controls["batch_size"]["stops"]
INSTEAD = T2.controls["instead"]["stops"]
REPAIRS = {"T1": "Compute the statistics anew", "T2": "Replace BatchNorm"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_cards(tmp_path_factory.mktemp("clinic"))


# ---- the page computes what Python computes ------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "changes"),
    [
        *[(T1, {"cause": cause, "seed": T1.seeds[i]}) for i, cause in enumerate(CAUSES)],
        *[(T2, {"batch_size": size, "instead": one}) for size in SIZES for one in INSTEAD],
        (T2, {"batch_size": 4, "seed": T2.seeds[3]}),
    ],
    ids=lambda one: one.id if hasattr(one, "id") else "-".join(map(str, one.values())),
)
def test_points_are_pythons_to_the_last_bit(page: Page, folders, troubles, card, changes):
    state = {**card.first, "seed": card.seeds[0], **changes, "repaired": True}
    opened(page, folders[card.id], addressed(card, state))
    finished(page)
    theirs = collected(page.evaluate("[...heard.values()].at(-1)"))
    assert theirs == collected(card.trainings(state, "compiled"))


# ---- a card --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CARDS)
def test_symptom_and_repair_are_seen_within_five_seconds_of_opening(
    page: Page, folders, troubles, name
):
    """Nobody presses Train; the repair is one press, and the symptom stays beside it."""

    def seen() -> float:
        opened(page, folders[name])
        finished(page)
        symptom = headline(page)
        press(page, CARDS[name].repair)
        page.wait_for_function(
            "before => document.querySelector('.bnlab-headline').textContent !== before",
            arg=symptom,
        )
        finished(page)
        return page.evaluate("performance.now()")

    within(page, 5000, seen)
    assert {"repaired=1"} == {one.rpartition("&")[2] for one in shown(page)}
    repair = page.get_by_role("button", name=CARDS[name].repair)
    expect(repair).to_have_attribute("aria-pressed", "true")
    press(page, CARDS[name].repair)
    finished(page)
    expect(repair).to_have_attribute("aria-pressed", "false")
    assert {"repaired=0"} == {one.rpartition("&")[2] for one in shown(page)}


def test_the_curves_of_the_symptom_stay_while_the_repair_is_trained(page: Page, folders, troubles):
    opened(page, folders["T2"])
    finished(page)
    fewest = page.evaluate(
        """async (name) => {
          const points = () => Number(
            document.querySelector('.bnlab-curve[data-norm=batch]')?.dataset.points ?? 0);
          let fewest = points();
          [...document.querySelectorAll('button')].find((one) => one.textContent === name).click();
          const late = performance.now() + 60000;
          do {
            await new Promise(requestAnimationFrame);
            fewest = Math.min(fewest, points());
            if (performance.now() > late) throw new Error("the repair does not come");
          } while (!document.querySelector('.bnlab-headline').textContent.startsWith('Repaired'));
          return fewest;
        }""",
        REPAIRS["T2"],
    )
    assert fewest == 21


def test_headlines_say_what_is_seen(page: Page, folders, troubles):
    opened(page, folders["T1"])
    finished(page)
    assert headline(page).startswith("Right in training mode, 0.95, and wrong in evaluation mode")
    press(page, REPAIRS["T1"])
    finished(page)
    expect(page.locator(".bnlab-headline")).to_contain_text("Repaired: 0.96 in evaluation mode")
    opened(page, folders["T2"])
    finished(page)
    pick(page, "images a batch", "1")
    finished(page)
    assert headline(page) == (
        "PyTorch refuses BatchNorm on single images: "
        "“Expected more than 1 value per channel when training”."
    )
    assert all("BatchNorm is refused" in alt for alt in alts(page))
    press(page, REPAIRS["T2"])
    finished(page)
    expect(page.locator(".bnlab-headline")).to_contain_text("Repaired: on single images group")
    pick(page, "instead of BatchNorm", "Batch Renormalization")
    finished(page)
    assert headline(page).startswith("No repair: Batch Renormalization needs more than one")


def test_what_replaces_batchnorm_is_asked_only_after_the_repair(page: Page, folders, troubles):
    opened(page, folders["T2"])
    finished(page)
    group = page.get_by_role("group", name="instead of BatchNorm")
    expect(group).to_be_hidden()
    press(page, REPAIRS["T2"])
    finished(page)
    expect(group).to_be_visible()
    pick(page, "instead of BatchNorm", "layer")
    finished(page)
    assert "0.9" in headline(page) and "layer normalization" in headline(page)


@pytest.mark.parametrize("name", CARDS)
def test_predict_first_hides_the_outcome_and_the_cause(page: Page, folders, troubles, name):
    opened(page, folders[name], f"#{name.lower()}?predict=1")
    expect(page.locator(".bnlab-plots")).to_be_hidden()
    expect(page.locator(".bnlab-cause")).to_be_hidden()
    assert headline(page) == ""
    options = page.locator(".bnlab-guess input[type=radio]")
    verdicts = []
    for i in range(options.count()):
        options.nth(i).check(force=True)
        press(page, "Reveal")
        finished(page)
        expect(page.locator(".bnlab-verdict")).not_to_be_empty()
        verdicts.append(page.locator(".bnlab-verdict").inner_text())
        page.get_by_role("checkbox", name="Predict first").uncheck()
        page.get_by_role("checkbox", name="Predict first").check()
    assert sum(". Right. " in one for one in verdicts) == 1
    assert sum(". Not right. " in one for one in verdicts) == len(verdicts) - 1


def test_a_link_is_read_in_part_and_says_so(page: Page, folders, troubles):
    opened(page, folders["T1"], "#t1?cause=averaged&repaired=2&seed=1242&batch_size=1")
    expect(note(page)).to_contain_text("repaired=2 is not one of 0, 1; batch_size=1 means nothing")
    finished(page)
    assert shown(page) == {"cause=averaged&seed=1242&repaired=0"}
    press(page, REPAIRS["T1"])
    page.wait_for_function("location.hash === '#t1?cause=averaged&seed=1242&repaired=1&predict=0'")


@pytest.mark.parametrize("name", CARDS)
def test_keys_reach_every_control(page: Page, folders, troubles, name):
    opened(page, folders[name])
    finished(page)
    page.get_by_role("button", name=CARDS[name].repair).focus()
    page.keyboard.press("Enter")
    finished(page)
    assert "repaired=1" in shown(page).pop()
    reached = set()
    page.locator(".bnlab").focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.closest('fieldset, summary, button, input, div')"
                "?.textContent ?? ''"
            )
        )
    assert {"Train", "Why?", "Freeze"} <= reached


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", CARDS)
def test_on_a_phone_nothing_is_wider_than_the_page_and_all_can_be_used(
    page: Page, folders, troubles, name, theme
):
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, folders[name], theme=theme)
    finished(page)
    press(page, CARDS[name].repair)
    finished(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []


@pytest.mark.parametrize("repaired", [0, 1])
@pytest.mark.parametrize("name", CARDS)
def test_each_card_is_a_stage(page: Page, folders, troubles, name, repaired):
    """Nothing is cut in full screen, no letter is small, and one sentence says the result."""
    resize(page, *SLIDES[0])
    open_in_site(page, folders[name], f"#{name.lower()}?repaired={repaired}")
    finished(page)
    assert 20 < len(headline(page)) <= 110
    full_screen(page)
    found = []
    for width, height in SLIDES:
        resize(page, width, height)
        found += [f"{width}: {fault}" for fault in faults_of_stage(page, width, height)]
    assert found == []


# ---- with a kernel -------------------------------------------------------------------------------


class Kernel(Carried, Clinic):
    """A card with a kernel."""


def test_with_a_kernel_torch_trains(page: Page, tmp_path, troubles):
    kernel = Kernel(card="T1")
    assert kernel.wait(60)
    write_page(tmp_path, kernel, host=None)
    kernel.connect(page)
    load(page, tmp_path)
    press(page)
    kernel.pump_until(page, lambda: "Finished" in summary_text(page))
    assert headline(page).startswith("Right in training mode")
    press(page, REPAIRS["T1"])
    kernel.pump_until(page, lambda: "Repaired" in headline(page))
    expect(page.locator(".bnlab-badge")).to_contain_text("PyTorch trains")
    kernel.close()
