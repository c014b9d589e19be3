"""A sentence clicked: a mask is asked for, waited for and shown, or the refusal is said."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from app.parts.report import Passage, Section, report, sentence_clicked
from app.parts.waiting import Words, waiting
from app.routes import PREFIX
from app.screens import frame, session
from app.services import reviewing, vocabulary, workers
from app.services.labelling import OpenLabels
from app.services.questions import Question
from app.services.reviewing import OpenStudy
from core.annotations import AskState
from core.findings import Finding, by_key
from core.labels import LabelVersion, Source
from core.reports import sentences
from core.studies import Image

PATIENCE_SECONDS = 20
_ASKED = "review-asked"
_ACTED_ON = "review-asked-click"
_WAITING = Words("The model is looking.", "The model is still looking.")
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


def show_report(opened: OpenStudy, said: OpenLabels) -> None:
    """The report, and above it what became of the sentence that was clicked last."""
    if opened.study.report is None or opened.study.report.is_empty:
        st.html('<div class="rr-quiet">This study has no report.</div>')
        if opened.study.notes:
            report(sections(opened), study=str(opened.study.id), can_ask=False, asked=None)
        return
    asked = _asked(opened)
    if asked is not None and (settled := _settled(asked)) != asked:
        # The study was opened before: drawn once more, it has the mask that was asked for.
        st.session_state[_ASKED] = settled
        st.rerun()
    can_ask = not opened.study.blind and _film_for_questions(opened) is not None
    if asked is not None and asked.answer:
        st.html(f'<div class="rr-quiet" data-testid="answer">{frame.escaped(asked.answer)}</div>')
    elif asked is not None:
        _wait(asked)
    report(
        sections(opened, said),
        study=str(opened.study.id),
        can_ask=can_ask,
        asked=asked.sentence if asked else None,
    )


def act(opened: OpenStudy, in_hand: str | None) -> str | None:
    """Ask for the sentence that was clicked just now, if one was; gives the finding that is in hand from then on."""
    click = sentence_clicked()
    if click is None or click.id == st.session_state.get(_ACTED_ON) or click.study != str(opened.study.id):
        return in_hand
    try:
        return _ask(opened, click.sentence, in_hand)
    finally:
        st.session_state[_ACTED_ON] = click.id


def _ask(opened: OpenStudy, clicked: int, in_hand: str | None) -> str | None:
    told = sentences(opened.study.report) if opened.study.report else ()
    if clicked >= len(told):
        return in_hand
    film, sentence = _film_for_questions(opened), told[clicked]
    spoken = vocabulary.heard_in(sentence.text, opened.vocabulary) or by_key(opened.vocabulary).get(in_hand or "")
    if film is None or spoken is None:
        st.session_state[_ASKED] = Asked(
            opened.study.id, clicked, None, "", time.monotonic(), "Pick the finding that this sentence speaks of first."
        )
        return in_hand
    number = reviewing.ask_for_mask(session.house(), session.reader(), film.id, spoken.key, sentence.text)
    st.session_state[_ASKED] = Asked(opened.study.id, clicked, number, spoken.key, time.monotonic())
    return spoken.key


def sections(opened: OpenStudy, said: OpenLabels | None = None) -> list[Section]:
    """The report's sections in reading order; sentences of findings and impression can be asked about, and tell what
    the labeler heard in them."""
    notes = [Section("Notes", opened.study.notes)] if opened.study.notes else []
    told = opened.study.report
    if told is None:
        return notes
    quiet = [Section(name.capitalize(), getattr(told, name)) for name in _QUIET_SECTIONS if getattr(told, name)]
    history = said.history if said else ()
    labelled = [each for each in history if each.is_current and each.source is Source.LABELER and each.evidence.strip()]
    spoken: dict[str, list[Passage]] = {}
    for index, sentence in enumerate(sentences(told)):
        about = vocabulary.heard_in(sentence.text, opened.vocabulary)
        heard = [each for each in labelled if _bare(each.evidence) in _bare(sentence.text)]
        spoken.setdefault(sentence.section, []).append(
            Passage(
                index,
                sentence.text,
                about.name if about else "",
                about.colour if about else "",
                _in_words(heard, opened.vocabulary),
                tuple(each.finding for each in heard),
            )
        )
    read = [Section("Report" if name == "text" else name.capitalize(), "", tuple(p)) for name, p in spoken.items()]
    rest = [Section("Other", told.text)] if told.text and "text" not in spoken else []
    return [*read, *quiet, *rest, *notes]


def _in_words(heard: Sequence[LabelVersion], known: Sequence[Finding]) -> str:
    names = by_key(known)
    told = [
        " ".join(word for word in (names[each.finding].name, each.state, each.side, each.zone) if word)
        for each in heard
        if each.finding in names
    ]
    return f"Heard: {', '.join(told)}" if told else ""


def _bare(text: str) -> str:
    return " ".join(text.split())


def _asked(opened: OpenStudy) -> Asked | None:
    asked: Asked | None = st.session_state.get(_ASKED)
    return asked if asked is not None and asked.study == opened.study.id else None


def _film_for_questions(opened: OpenStudy) -> Image | None:
    frontal = [image for image in opened.study.images if image.view.is_frontal]
    return next(iter([*frontal, *opened.study.images]), None)


def _settled(asked: Asked) -> Asked:
    """With what became of the question, if it was answered, refused or not answered in time."""
    if asked.ask is None or asked.answer:
        return asked
    question, answer = reviewing.look_up(session.house(), asked.ask)
    if question.state is AskState.WAITING:
        if time.monotonic() - asked.at < PATIENCE_SECONDS:
            return asked
        return replace(asked, answer=_silence(workers.lives(session.house(), "inference")))
    names = by_key(vocabulary.vocabulary(session.house(), include_retired=True))
    name = names[asked.finding].name if asked.finding in names else asked.finding
    if answer is None:
        words = question.answer or "The model gave no answer."
    elif answer.sha is None:
        words = f"{answer.model} looked for {name} and marked nothing."
    else:
        words = f"{answer.model} marked {name}. Accept it, correct it or reject it."
    return replace(asked, answer=words)


def _wait(asked: Asked) -> None:
    waiting(
        f"{PREFIX}/waits/{Question.MASK}/{asked.ask}",
        asked.at,
        _WAITING,
        is_awake=True,
        key="review-waits",
        most=PATIENCE_SECONDS,
    )


def _silence(lives: bool) -> str:
    if lives:
        return "The model has not answered yet. Click the sentence again to look once more."
    return "No model is awake to answer. Start the workstation with `make app`, which wakes it, and click again."
