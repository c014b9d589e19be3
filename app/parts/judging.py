"""A draft report beside its films, judged where it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.parts.part import heard, register
from core.judgements import Judgement, Said, plain
from core.writing import SECTIONS, Writing

_mount = register("judging")


@dataclass(frozen=True)
class Film:
    """`src` is an address, `shape` the film's width over its height."""

    id: int
    src: str
    view: str
    shape: float


@dataclass(frozen=True)
class Saving:
    """Where judgements go, and the signed word for whom."""

    address: str
    token: str


def judging(
    writing: Writing,
    films: Sequence[Film],
    judgement: Judgement | None,
    standing: Sequence[Mapping[str, object] | None],
    names: Mapping[str, str],
    saving: Saving,
    *,
    key: str,
) -> int | None:
    """Show a report to be judged; gives the number of the study whose judgement was submitted in this run, if one was.

    `standing` is where the errors stand in the corrected report, `names` what the findings are called."""
    data = {
        **asdict(saving),
        "study": writing.study,
        "writing": writing.id,
        "films": [asdict(film) for film in films],
        "sentences": _sentences(writing, names),
        "said": plain(judgement.said if judgement else Said()),
        "standing": list(standing),
        "parent": judgement.id if judgement else None,
        "savedAt": judgement.saved_at.isoformat() if judgement else "",
    }
    done = _mount(key=key, data=data, on_done_change=heard).get("done")
    return done if isinstance(done, int) else None


def _sentences(writing: Writing, names: Mapping[str, str]) -> list[dict[str, Any]]:
    told = []
    for section in SECTIONS:
        start = 0
        for each in (sentence for sentence in writing.sentences if sentence.section == section):
            hears = ", ".join(f"{names.get(finding, finding)} {state}" for finding, state in each.heard)
            gaze = [{"image": one.image, "map": one.map} for one in each.gaze]
            told.append({"section": section, "text": each.text, "start": start, "heard": hears, "gaze": gaze})
            start += len(each.text) + 1
    return told
