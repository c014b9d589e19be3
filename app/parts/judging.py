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
    """`src` is an address, `sha` its pixels' hash, `shape` the film's width over its height."""

    id: int
    sha: str
    src: str
    view: str
    shape: float


@dataclass(frozen=True)
class Drawn:
    """A mask of the study that sentences can be linked to. `src` is the address of a picture, white where it is."""

    sha: str
    film: int
    src: str
    name: str
    colour: str


@dataclass(frozen=True)
class Saving:
    """Where judgements go, the signed word for whom, and who that is."""

    address: str
    token: str
    reader: str


def judging(
    writing: Writing,
    films: Sequence[Film],
    masks: Sequence[Drawn],
    judgement: Judgement | None,
    seen: Mapping[str, object],
    names: Mapping[str, str],
    saving: Saving,
    *,
    key: str,
) -> int | None:
    """Show a report to be judged; gives the number of the study whose judgement was submitted in this run, if one was.

    `seen` is what follows from the judgement, as the route tells it; `names` are what the findings are called."""
    data = {
        **asdict(saving),
        # Another reader at the same screen begins with a sheet of their own.
        "sheet": f"{writing.id}/{saving.reader}",
        "study": writing.study,
        "writing": writing.id,
        "films": [asdict(film) for film in films],
        "sentences": _sentences(writing, names),
        "said": plain(judgement.said if judgement else Said()),
        **seen,
        "masks": [asdict(mask) for mask in masks],
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
