"""The differential: what speaks for each finding, in sentences that a reader can check on film, text and archive."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.findings import Finding, Side, State
from core.labels import Zone
from trainers.classification.neighbours import Alike
from trainers.gradcam import Heat

MOSTLY = 0.6
HALF = 0.5
NAMED_WORDS = 3
NAMED_STUDIES = 3


@dataclass(frozen=True)
class Spot:
    """Where on a frontal film most of what speaks for a finding lies: `side` the patient's, None in the middle; `zone`
    a third of the film's height, None where no third has half of it."""

    side: Side | None
    zone: Zone | None


@dataclass(frozen=True)
class Evidence:
    """All that there is to say of one finding. `without` is the probability from the film alone, where a context was
    read as well."""

    finding: Finding
    rank: int
    of: int
    probability: float
    without: float | None
    threshold: float | None
    heat: Heat | None
    words: Sequence[tuple[str, float]]
    nearest: Sequence[Alike]


def told(evidence: Evidence) -> str:
    """A paragraph on one finding: how probable, where on the film, which words, what alike studies had."""
    sentences = [_probable(evidence), _where(evidence.heat), _words(evidence.words), _alike(evidence.nearest)]
    return " ".join(sentence for sentence in sentences if sentence)


def spot(heat: Heat) -> Spot | None:
    """Of heat over the film alone, (tall, wide). None where nothing spoke for the finding."""
    total = float(heat.sum())
    if total <= 0:
        return None
    columns, rows = heat.sum(axis=0) / total, heat.sum(axis=1) / total
    places = (np.arange(heat.shape[1]) + 0.5) / heat.shape[1]
    on_left, in_middle = float(columns[places > 0.5].sum()), float(columns[np.abs(places - 0.5) < 1 / 6].sum())
    # The patient's left is on the right of the image.
    side: Side | None = Side.BOTH
    if in_middle > HALF:
        side = None
    elif on_left >= MOSTLY:
        side = Side.LEFT
    elif on_left <= 1 - MOSTLY:
        side = Side.RIGHT
    thirds = [float(part.sum()) for part in np.array_split(rows, 3)]
    zone = (Zone.UPPER, Zone.MID, Zone.LOWER)[int(np.argmax(thirds))] if max(thirds) >= HALF else None
    return Spot(side, zone)


def _probable(evidence: Evidence) -> str:
    called = ""
    if evidence.threshold is not None:
        word = "present" if evidence.probability >= evidence.threshold else "absent"
        called = f", called {word} (from {_percent(evidence.threshold)})"
    without = f"; {_percent(evidence.without)} from the film alone" if evidence.without is not None else ""
    place = f"{evidence.rank} of {evidence.of}"
    return f"{place}: {evidence.finding.name}, {_percent(evidence.probability)}{called}{without}."


def _where(heat: Heat | None) -> str:
    if heat is None:
        return "No film was read."
    found = spot(heat)
    if found is None:
        return "On the film nothing speaks for it."
    side = {Side.LEFT: "the patient's left", Side.RIGHT: "the patient's right", Side.BOTH: "both sides"}
    where = side[found.side] if found.side is not None else "the middle"
    third = {Zone.UPPER: ", upper third", Zone.MID: ", middle third", Zone.LOWER: ", lower third", None: ""}[found.zone]
    return f"On the film it looked mostly at {where}{third}."


def _words(words: Sequence[tuple[str, float]]) -> str:
    if not words:
        return ""
    named = ", ".join(f'"{word}" ({_percent(share)})' for word, share in words[:NAMED_WORDS])
    return f"Of the context it heeded {named}."


def _alike(nearest: Sequence[Alike]) -> str:
    if not nearest:
        return ""
    had = [study for study in nearest if study.state is State.PRESENT]
    shown = (had or nearest)[:NAMED_STUDIES]
    named = ", ".join(f"{study.dataset}/{study.key}" for study in shown)
    return f"Of the {len(nearest)} labelled studies most alike {len(had)} had it ({'' if had else 'others: '}{named})."


def _percent(share: float) -> str:
    return f"{share:.0%}" if 0.005 <= share <= 0.995 or share in (0, 1) else ("<1%" if share < 0.5 else ">99%")
