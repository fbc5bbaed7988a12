"""The decision guide: what the verdicts advise, each line with links to what it rests on."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

from bnlab import claims
from bnlab.draw.shown import Shown, fill
from bnlab.show.boxes import MARKS, Formatter, word_for
from bnlab.verdicts import evidence
from bnlab.verdicts.verdict import NOT_MEASURED, WORDS

NO_ADVICE = "The evidence does not decide, so no advice."
COLUMNS = ("Your situation", "What the evidence advises", "Verdicts")


@dataclass(frozen=True)
class Line:
    """One line of the guide.

    Attributes:
        when: a situation.
        claim: id of the claim whose evidence decides.
        part: the effect of it that decides; "" for the whole verdict.
        says: the advice for each word of the verdict, with fields for facts of the claim. For a
            word that is missing there is none.
        also: ids of other claims that bear on it.
    """

    when: str
    claim: str
    part: str
    says: Mapping[str, str]
    also: tuple[str, ...] = ()


LINES = (
    Line(
        "Batches of 64, and you may choose the learning rate",
        "B1",
        "rate",
        {
            "shown": "BatchNorm. In a perceptron of 12 layers its largest usable rate is "
            "{ratio_12:.0f} times as large."
        },
        ("B2", "S1"),
    ),
    Line(
        "You are bound to a small learning rate",
        "B1",
        "small",
        {
            "shown": "Nothing to gain from BatchNorm: at rate {small_lr:g} it is "
            "{behind_12:.0f} points behind no normalizer."
        },
    ),
    Line(
        "Four samples or fewer to normalize over",
        "R3",
        "four",
        {
            "shown": "Batch Renormalization instead of BatchNorm.",
            "not shown": "Batch Renormalization gains less than two points over BatchNorm.",
            "reversed": "BatchNorm: Batch Renormalization is worse.",
        },
        ("R1", "R2"),
    ),
    Line(
        "Batches that are not independent, such as one class at a time",
        "R4",
        "loss",
        {
            "shown": "Not BatchNorm: it loses more than ten points.",
            "not shown": "BatchNorm loses less than ten points.",
        },
    ),
    Line(
        "A plain convolutional net and one sample at a time: which group size?",
        "L5",
        "speed",
        {
            "shown": "Small groups: layer norm's loss is {slower_plain10:.2f} times that of groups "
            "of 4, each at its best rate.",
            "not shown": "It matters little: layer norm's loss is {slower_plain10:.2f} times that "
            "of groups of 4.",
            "reversed": "One large group: layer norm's loss is {slower_plain10:.2f} times that of "
            "groups of 4.",
        },
        ("L2", "L3"),
    ),
    Line(
        "You fear divergence: does a larger group allow a larger rate?",
        "L5",
        "stability",
        {
            "shown": "Yes: layer norm's largest usable rate is {usable_plain10:.1f} times that of "
            "groups of 4.",
            "not shown": "No: layer norm's largest usable rate is {usable_plain10:.2g} times that "
            "of groups of 4.",
            "reversed": "No, a smaller one does: layer norm's largest usable rate is "
            "{usable_plain10:.2g} times that of groups of 4.",
        },
    ),
    Line(
        "Many layers without shortcuts, and groups of one channel",
        "L4",
        "",
        {
            "shown": "Beware: at the start the first layer's gradient is {instance_20:.0f} times "
            "the last one's at depth 20, and {layer_20:.1f} times with layer norm."
        },
    ),
    Line(
        "A residual net in which weights are normalized, not activations",
        "L1",
        "remedied",
        {
            "shown": "Add SkipInit. Without it the variance grows {sws:power} times over "
            "{blocks} blocks, with it {sws_skipinit:.1f} times."
        },
    ),
    Line(
        "You look for one normalizer for everything",
        "L6",
        "",
        {
            "shown": "There is none here: the best one overall is {behind:.1f} points behind in "
            "its worst net.",
            "not shown": "The best one overall will do here: it is never more than a point behind.",
        },
    ),
    Line(
        "A binary net",
        "BNN1",
        "",
        {"shown": "BatchNorm may go, with adaptive gradient clipping and scaled weights."},
    ),
)


def advice(line: Line) -> tuple[str, str]:
    """The word that decides, and what it advises."""
    try:
        found = claims.load(line.claim)
    except FileNotFoundError:
        text = claims.claim(line.claim).without_evidence
        return text, f"{text[0].upper()}{text[1:]}."
    words = {"": found.verdict.word, **{j.effect.name: j.word for j in found.verdict.judgements}}
    word = words[line.part]
    template = line.says.get(word, NO_ADVICE)
    return word, Formatter().vformat(template, (), found.facts)


def _verdicts(line: Line) -> list[str]:
    """Each claim with its verdict, and the word of the part that decides where it is another."""
    texts = [f"{MARKS[word]} {name}: {word}" for name, word in _words(line).items()]
    deciding = advice(line)[0]
    if line.part and deciding != word_for(claims.claim(line.claim)):
        texts[0] += f" (its part {line.part!r}: {deciding})"
    return texts


def _words(line: Line) -> dict[str, str]:
    names = (line.claim, *line.also)
    return {name: word_for(evidence.find(claims.CLAIMS, name)) for name in names}


def guide() -> Shown:
    """All lines as a table; every claim in it is a link to its row of the scoreboard."""
    head = "".join(f'<th scope="col">{column}</th>' for column in COLUMNS)
    body = "".join(_row(line) for line in LINES)
    page = (
        f'<div class="bnlab-table"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
    text = "\n".join(
        "\n".join(
            [
                fill(f"{line.when}: {advice(line)[1]}"),
                *(f"  {verdict}" for verdict in _verdicts(line)),
            ]
        )
        for line in LINES
    )
    return Shown(page, text)


def _row(line: Line) -> str:
    links = "<br>".join(
        f'<a class="bnlab-page" href="13_scoreboard.ipynb#claim-{name}">{html.escape(text)}</a>'
        for name, text in zip(_words(line), _verdicts(line), strict=True)
    )
    cells = (html.escape(line.when), html.escape(advice(line)[1]), links)
    inner = "".join(
        f'<td data-column="{column}">{cell}</td>'
        for column, cell in zip(COLUMNS, cells, strict=True)
    )
    return f"<tr>{inner}</tr>"


def say_guide() -> Shown:
    """How many lines have an answer, in a sentence."""
    words = [advice(line) for line in LINES]
    open_lines = sum(word in (NOT_MEASURED, "undecided") for word, _ in words)
    used = {name for line in LINES for name in _words(line)}
    measured = sum(word_for(claims.claim(name)) in WORDS for name in used)
    text = (
        f"{len(LINES)} situations, {len(LINES) - open_lines} of them with an answer. They rest on "
        f"{len(used)} claims, of which {measured} are measured."
    )
    return Shown(f'<p class="bnlab-say">{text}</p>', fill(text))
