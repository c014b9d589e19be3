"""A sentence clicked: a mask is asked for, waited for and shown, or the refusal is said."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app.parts.report import Passage, Section, report, sentence_clicked
from app.screens import frame, session
from app.services import reviewing, vocabulary, workers
from app.services.reviewing import OpenStudy
from core.annotations import AskState
from core.findings import Finding, by_key
from core.reports import sentences
from core.studies import Image

PATIENCE_SECONDS = 20
_ASKED = "review-asked"
_QUIET_SECTIONS = ("indication", "comparison", "technique")


@dataclass(frozen=True)
class Asked:
    """A question under way or answered, on one study."""

    study: int
    sentence: int
    ask: int | None
    finding: str
    at: float
    answer: str = ""


def show_report(opened: OpenStudy) -> None:
    """The report, and above it what became of the sentence that was clicked last."""
    if opened.study.report is None or opened.study.report.is_empty:
        st.html('<div class="rr-quiet">This study has no report.</div>')
        if opened.study.notes:
            report(sections(opened), False, None)
        return
    asked = _asked(opened)
    can_ask = not opened.study.blind and _film_for_questions(opened) is not None
    if asked is not None and asked.answer:
        st.html(f'<div class="rr-quiet" data-testid="answer">{frame.escaped(asked.answer)}</div>')
    elif asked is not None:
        _wait()
    report(sections(opened), can_ask, asked.sentence if asked else None)


def act(opened: OpenStudy, in_hand: str | None) -> str | None:
    """Ask for the sentence that was clicked just now, if one was; gives the finding that is in hand from then on."""
    clicked = sentence_clicked()
    if clicked is None or opened.study.report is None:
        return in_hand
    film = _film_for_questions(opened)
    said = sentences(opened.study.report)[clicked]
    spoken = vocabulary.heard_in(said.text, opened.vocabulary) or by_key(opened.vocabulary).get(in_hand or "")
    if film is None or spoken is None:
        st.session_state[_ASKED] = Asked(
            opened.study.id, clicked, None, "", time.monotonic(), "Pick the finding that this sentence speaks of first."
        )
        return in_hand
    number = reviewing.ask_for_mask(session.house(), session.reader(), film.id, spoken.key, said.text)
    st.session_state[_ASKED] = Asked(opened.study.id, clicked, number, spoken.key, time.monotonic())
    return spoken.key


def sections(opened: OpenStudy) -> list[Section]:
    """The report's sections in reading order; sentences of findings and impression can be asked about."""
    notes = [Section("Notes", opened.study.notes)] if opened.study.notes else []
    told = opened.study.report
    if told is None:
        return notes
    quiet = [Section(name.capitalize(), getattr(told, name)) for name in _QUIET_SECTIONS if getattr(told, name)]
    spoken: dict[str, list[Passage]] = {}
    for index, sentence in enumerate(sentences(told)):
        heard = vocabulary.heard_in(sentence.text, opened.vocabulary)
        passage = Passage(index, sentence.text, heard.name if heard else "", heard.colour if heard else "")
        spoken.setdefault(sentence.section, []).append(passage)
    read = [Section("Report" if name == "text" else name.capitalize(), "", tuple(p)) for name, p in spoken.items()]
    rest = [Section("Other", told.text)] if told.text and "text" not in spoken else []
    return [*read, *quiet, *rest, *notes]


def _asked(opened: OpenStudy) -> Asked | None:
    asked: Asked | None = st.session_state.get(_ASKED)
    return asked if asked is not None and asked.study == opened.study.id else None


def _film_for_questions(opened: OpenStudy) -> Image | None:
    frontal = [image for image in opened.study.images if image.view.is_frontal]
    return next(iter([*frontal, *opened.study.images]), None)


@st.fragment(run_every=0.3)
def _wait() -> None:
    asked: Asked | None = st.session_state.get(_ASKED)
    if asked is None or asked.ask is None:
        return
    with frame.told():
        house = session.house()
        question, answer = reviewing.look_up(house, asked.ask)
        waited = time.monotonic() - asked.at
        if question.state is AskState.WAITING and waited < PATIENCE_SECONDS:
            st.html('<div class="rr-quiet" data-testid="answer">The model is looking.</div>')
            return
        names: Sequence[Finding] = vocabulary.vocabulary(house, include_retired=True)
        name = by_key(names)[asked.finding].name if asked.finding in by_key(names) else asked.finding
        if question.state is AskState.WAITING:
            words = _silence(workers.lives(house, "inference"))
        elif answer is None:
            words = question.answer or "The model gave no answer."
        elif answer.sha is None:
            words = f"{answer.model} looked for {name} and marked nothing."
        else:
            words = f"{answer.model} marked {name}. Accept it, correct it or reject it."
        st.session_state[_ASKED] = Asked(asked.study, asked.sentence, asked.ask, asked.finding, asked.at, words)
    st.rerun()


def _silence(lives: bool) -> str:
    if lives:
        return "The model has not answered yet. Click the sentence again to look once more."
    return "No model is awake to answer. Start the workstation with `make app`, which wakes it, and click again."
