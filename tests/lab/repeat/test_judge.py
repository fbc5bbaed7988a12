"""The page gives the words that Python gives, for random values and margins of all claims."""

import dataclasses
import json
from collections import Counter

import numpy as np
import pytest

from bnlab import claims
from bnlab.lab.repeat.claim_json import claim_json
from bnlab.lab.repeat.rows import SETS
from bnlab.verdicts import parts
from bnlab.verdicts.parts import KINDS, PART_WORDS, Effect, Judgement
from bnlab.verdicts.verdict import WORDS, Claim, Verdict, decide
from tests.lab.repeat.repeat_node import needs_node, node

pytestmark = [needs_node, pytest.mark.filterwarnings("ignore::RuntimeWarning")]
ALL = [
    one.at(one_scale.scale) for one in claims.CLAIMS.values() for one_scale in (one, *one.others)
]
ALL = [claim for claim in ALL if claim.effects]


def with_margins(claim: Claim, margins: dict[str, float]) -> Claim:
    effects = [dataclasses.replace(e, margin=margins[e.name]) for e in claim.effects]
    return dataclasses.replace(claim, effects=tuple(effects))


def random_margins(claim: Claim, rng: np.random.Generator) -> dict[str, float]:
    return {e.name: float(rng.choice([0.0, 0.02, 0.3, abs(e.margin)])) for e in claim.effects}


def random_values(claim: Claim, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Near one of the places where a word changes, or far from it; wide or narrow; tied or not."""
    count, far = int(rng.integers(8, 17)), float(rng.choice([0, 0, 1, -1, 3, -3]))
    values = {}
    for effect in claim.effects:
        place = effect.target + effect.margin * rng.choice([-1, 0, 1]) + far * rng.uniform(0.05, 1)
        spread = rng.normal(size=count) * rng.choice([0, 1e-3, 0.05, 0.5])
        digits = rng.choice([3, 15])
        values[effect.name] = np.round(place + spread, digits)
    return values


def told(verdict: Verdict) -> dict:
    """What the page's ``decideClaim`` gives, from Python."""
    judged = [
        {
            "name": j.effect.name,
            "word": j.word,
            "measured": j.measured,
            "counts_if": j.effect.counts_if,
        }
        for j in verdict.judgements
    ]
    words = {"word": verdict.word, "said": verdict.said, "sentence": verdict.sentence}
    return {**words, "seeds": verdict.seeds, "parts": judged}


def compared(mine: dict, verdict: Verdict) -> None:
    """All words alike; the numbers to 12 digits of the largest."""
    for part, judgement in zip(mine["parts"], verdict.judgements, strict=True):
        ends = [part.pop(name) for name in ("mean", "low", "high")]
        wanted = [judgement.mean, judgement.low, judgement.high]
        assert ends == pytest.approx(wanted, rel=1e-12, abs=1e-12 * abs(judgement.values).max())
    assert mine == told(verdict)


def in_page(cases: list[tuple[Claim, dict, dict]]) -> list[dict]:
    """Each claim with margins and values of a reader, decided in node."""
    given = [
        [claim_json(claim), margins, {name: list(map(float, v)) for name, v in values.items()}]
        for claim, margins, values in cases
    ]
    return node(
        "given.map(([one, margins, v]) => decideClaim(withMargins(one, margins), v))", given
    )


def test_random_values_and_margins_of_all_claims_give_the_same_verdicts():
    rng = np.random.default_rng(14)
    chosen = [*ALL, *(ALL[k] for k in rng.integers(0, len(ALL), max(0, 110 - len(ALL))))]
    cases = []
    for claim in chosen:
        margins = random_margins(claim, rng)
        cases.append((claim, margins, random_values(with_margins(claim, margins), rng)))
    assert len(cases) >= 100
    for (claim, margins, values), mine in zip(cases, in_page(cases), strict=True):
        compared(mine, decide(with_margins(claim, margins), values))


def test_the_measured_verdicts_are_the_same():
    found = [claims.load(name) for name in SETS]
    mine = in_page([(each.claim, {}, each.values) for each in found])
    for each, page in zip(found, mine, strict=True):
        compared(page, each.verdict)


def _random_effect(rng: np.random.Generator) -> Effect:
    kind = str(rng.choice(KINDS))
    margin = float(rng.choice([0.0, 0.1, 0.5, -0.1 if kind == "identity" else 0.2]))
    target = float(rng.choice([-0.3, 0.0, 1.0])) if kind == "about" else 0.0
    upper = kind == "same" and bool(rng.integers(2))
    unit = str(rng.choice(["decades", "", "of the images", "of cosine"]))
    return Effect("part", "a number", unit, margin, kind, target=target, upper=upper)


def test_the_words_of_parts_are_the_same_for_random_intervals():
    """Ends lie on the margins too, where a word turns."""
    rng = np.random.default_rng(3)
    effects = [_random_effect(rng) for _ in range(3000)]
    ends = [sorted(map(float, rng.choice(np.arange(-12, 13), 2) / 10)) for _ in effects]
    wanted = [parts._word(e, *pair) for e, pair in zip(effects, ends, strict=True)]
    given = [[dataclasses.asdict(e), pair] for e, pair in zip(effects, ends, strict=True)]
    assert node("given.map(([effect, ends]) => judge(effect, ends))", given) == wanted
    assert set(wanted) == set(PART_WORDS)
    counts = node("given.map(([effect]) => countsIf(effect))", given)
    assert counts == [e.counts_if for e in effects]


def test_the_words_of_claims_are_the_same_for_random_words_of_parts():
    rng = np.random.default_rng(5)
    cases, wanted = [], []
    for claim in ALL * 8:
        likely = [*PART_WORDS, *["holds"] * int(rng.choice([0, 5, 200]))]
        words = {e.name: str(rng.choice(likely)) for e in claim.effects}
        judged = [Judgement(e, np.zeros(8), 0.0, 0.0, 0.0, words[e.name]) for e in claim.effects]
        verdict = Verdict(claim, tuple(judged), 8)
        cases.append([claim_json(claim), words])
        wanted.append([verdict.word, verdict.said, verdict.sentence])
    say = (
        "given.map((each) => [verdictOf(...each), verdictSaid(...each), verdictSentence(...each)])"
    )
    mine = node(say, cases)
    assert mine == wanted
    found = Counter(word for word, *_ in wanted)
    assert set(found) == set(WORDS)
    assert sum(said.startswith("depends on ") for _, said, _ in wanted) == found["depends"] > 20


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: f"{claim.id}-{claim.scale}")
def test_every_claim_with_parts_goes_through_json(claim):
    again = json.loads(json.dumps(claim_json(claim), allow_nan=False))
    assert again == claim_json(claim)
    assert [e["margin"] for e in again["effects"]] == [e.margin for e in claim.effects]


def test_a_claim_without_parts_has_no_verdict_to_repeat():
    with pytest.raises(ValueError, match="has no effects"):
        claim_json(Claim("Z1", "paper2000", "Nobody", "A sentence."))


@pytest.mark.parametrize(
    "change, said",
    [
        ({"drop": "after_2"}, "Claim T6 has no values for its part after_2."),
        ({"short": "after_2"}, "The parts of claim T6 have different numbers of seeds: 7, 8."),
        ({"few": True}, "A verdict needs at least 8 seeds, got 3."),
    ],
)
def test_too_little_is_refused_with_a_sentence(change, said):
    claim = claims.claim("T6")
    count = 3 if "few" in change else 8
    values = {e.name: [0.1] * count for e in claim.effects if e.name != change.get("drop")}
    if "short" in change:
        values[change["short"]] = [0.1] * 7
    decided = "tried(() => decideClaim(...given))"
    assert node(decided, [claim_json(claim), values]) == said


def test_an_unknown_kind_and_a_missing_word_are_refused():
    effect = {"name": "a", "kind": "less", "margin": 0.1, "target": 0, "upper": False}
    assert 'no kind of effect "less"' in node("tried(() => judge(given, [0, 1]))", effect)
    claim = claim_json(claims.claim("T6"))
    assert "no word for its part after_2" in node("tried(() => verdictOf(given, {}))", claim)
