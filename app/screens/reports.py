"""The reports screen: what a model wrote beside its films, compared blind, judged and corrected where it stands."""

import time

import streamlit as st

from app.parts.judging import Drawn, Film, Saving, judging
from app.parts.waiting import Asking, Words, waiting
from app.routes import PREFIX
from app.routes.judgements import seen
from app.screens import film, frame, session
from app.screens.pages import pages
from app.services import reporting as service
from app.services import vocabulary, workers
from app.services.questions import Question
from app.services.reporting import OpenReport
from core.annotations import AskState
from core.findings import by_key
from core.ratings import Author, Preference
from core.studies import Study
from core.writing import Decoding, Writing

DRAFT, PAIR = "Draft", "Blind pair"
_WAITING = Words("The model is writing.", "The model is still writing; one that slept is loaded first.", patience=30)
_ASKED = "reports-asked"
_GOING = "reports-going"
_WAY = "reports-way"
_WHOSE = {Author.MODEL: "the model's draft", Author.ORIGINAL: "the report that came with the study"}
_ANSWERS = {
    Preference.A: ("A", "A is better: A"),
    Preference.B: ("B", "B is better: B"),
    Preference.EQUIVALENT: ("Equivalent", "Both are as good: E"),
    Preference.NEITHER: ("Neither", "Neither can be used: X"),
}
_SHORTCUTS = {Preference.A: "a", Preference.B: "b", Preference.EQUIVALENT: "e", Preference.NEITHER: "x"}


def show() -> None:
    study_id = _asked_for()
    if study_id is None:
        _show_nothing()
        return
    if st.query_params.get("study") != str(study_id):
        st.query_params.from_dict({"study": str(study_id)})
    st.session_state.pop(_GOING, None)
    opened = service.open_report(session.house(), session.reader(), study_id, _chosen_writing(study_id))
    st.session_state["reports-last"] = study_id
    way = _head(opened)
    if opened.writing is None:
        _show_unwritten(opened.study)
    elif way == PAIR and opened.can_compare and opened.pair is None:
        _show_pair(opened, opened.writing)
    else:
        _show_draft(opened, opened.writing)


def _asked_for() -> int | None:
    """The study that was gone on to, else the one that the address names, that lay here last, or the next one."""
    going: int | None = st.session_state.get(_GOING)
    if going is not None:
        return going
    named = st.query_params.get("study", "")
    if named.isdigit():
        return int(named)
    last: int | None = st.session_state.get("reports-last")
    return last if last is not None else service.next_study(session.house(), session.reader())


def _chosen_writing(study: int) -> int | None:
    chosen: int | None = st.session_state.get(f"reports-writing-{study}")
    return chosen


def _head(opened: OpenReport) -> str:
    """Which study this is, how its report is judged, and the way to the next; gives the way of judging."""
    study, writing = opened.study, opened.writing
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        told = " · ".join((study.patient, *film.facts(study)))
        st.html(f'<div class="rr-title">{frame.escaped(told)}</div>', width="content")
        way = DRAFT
        if writing is not None and opened.can_compare and opened.pair is None:
            # Kept apart from the control, which Streamlit forgets while a pair that was compared does without it: who
            # compares, compares one study after the other, and has not read the draft before.
            way = st.session_state[_WAY] = st.segmented_control(
                "How the report is judged",
                [DRAFT, PAIR],
                default=st.session_state.get(_WAY, DRAFT),
                key=f"reports-way-{study.id}",
                required=True,
                label_visibility="collapsed",
            )
        if writing is not None and way == DRAFT:
            st.html(f'<div class="rr-quiet">{frame.escaped(_state_of(opened, writing))}</div>', width="content")
        st.space("stretch")
        if service.can_write(session.house()):
            _offer_another(study)
        if st.button("Next", shortcut="n", help="The next draft that you have not judged"):
            _go_on(study.id)
    return str(way)


def _state_of(opened: OpenReport, writing: Writing) -> str:
    judged = "submitted" if opened.judgement and opened.judgement.submitted else "not submitted"
    mine = [each for each in opened.revisions if each.writing == writing.id]
    corrected = f", corrected by {', '.join(sorted({each.reader for each in mine}))}" if mine else ""
    compared = ""
    if opened.pair is not None:
        first, second = opened.pair.order
        compared = f" · blind pair: {opened.pair.preference} (A {_WHOSE[first]}, B {_WHOSE[second]})"
    return f"{writing.model} · {judged}{corrected}{compared}"


def _show_draft(opened: OpenReport, writing: Writing) -> None:
    for remark in writing.remarks:
        frame.caution(remark)
    known = by_key(vocabulary.vocabulary(session.house(), include_retired=True))
    done = judging(
        writing,
        [
            Film(
                each.id,
                each.sha,
                f"{PREFIX}/preview/{each.sha}",
                film.view_name(each),
                each.facts.width / each.facts.height,
            )
            for each in opened.study.images
        ],
        [
            Drawn(
                each.sha,
                each.image_id,
                f"{PREFIX}/maps/{each.sha}",
                known[each.finding].name,
                known[each.finding].colour,
            )
            for each in opened.masks
            if each.finding in known
        ],
        opened.judgement,
        seen(service.seen(opened.said, writing, opened.masks)),
        {key: each.name for key, each in known.items()},
        Saving(f"{PREFIX}/judgements", session.token(), session.reader()),
        key="reports-judging",
    )
    if len(opened.writings) > 1:
        _offer_writings(opened)
    # A trigger may be heard on the study that came after.
    if done == opened.study.id:
        _go_on(done)


def _show_pair(opened: OpenReport, writing: Writing) -> None:
    """Two reports of unknown source. Nothing on the page tells which is the model's until they were compared."""
    pair = service.blind_pair(opened, session.reader())
    pictures = "".join(
        f'<img src="{PREFIX}/preview/{each.sha}" alt="{film.view_name(each)}">' for each in opened.study.images
    )
    beside, side = st.columns([1.9, 1], gap="medium")
    beside.html(f'<div class="rr-films">{pictures}</div>')
    with side:
        for name, sections in (("A", pair.first), ("B", pair.second)):
            told = "".join(
                f'<div class="rr-quiet">{section}</div><div class="rr-read">{frame.escaped(text)}</div>'
                for section, text in sections
            )
            st.html(f'<div class="rr-title">{name}</div>{told}')
        st.html('<div class="rr-quiet">Which would you rather sign?</div>')
        with st.container(horizontal=True, gap="small"):
            for preference, (words, tip) in _ANSWERS.items():
                if st.button(words, key=f"reports-prefer-{preference}", help=tip, shortcut=_SHORTCUTS[preference]):
                    service.compare(session.house(), session.reader(), opened.study.id, writing.id, preference)
                    st.rerun()


def _show_unwritten(study: Study) -> None:
    asking: Asking | None = st.session_state.get(_ASKED)
    if asking is not None and asking.study == study.id:
        return
    if service.can_write(session.house()):
        frame.empty("No draft was written about this study yet.", "Let the model in use write one: Write, above.")
    else:
        _show_nothing()


def _offer_another(study: Study) -> None:
    """Ask the model in use for a draft, with how freely it writes; shows what became of the question."""
    with st.popover("Write", help="Let the model in use write about this study"):
        prompt = st.text_input("It begins with", key="reports-prompt", placeholder="The model begins by itself")
        temperature = st.slider("Temperature", 0.0, 2.0, 0.0, 0.1, help="0 takes the likeliest word each time")
        top_k = st.number_input("Top-k", 0, 1000, 0, help="Only so many of the likeliest words; 0 lets all in")
        if st.button("Write a draft", type="primary", key="reports-write"):
            with frame.told():
                asked = Decoding(temperature=temperature, top_k=int(top_k), prompt=prompt.strip())
                number = service.ask(session.house(), session.reader(), study.id, asked)
                st.session_state[_ASKED] = Asking(study.id, number, time.monotonic())
    asking: Asking | None = st.session_state.get(_ASKED)
    if asking is None or asking.study != study.id:
        return
    found = service.look_up(session.house(), asking.number)
    if found.state is AskState.WAITING:
        waiting(
            f"{PREFIX}/waits/{Question.WRITING}/{asking.number}",
            asking.at,
            _WAITING,
            is_awake=workers.lives(session.house(), "inference"),
            key="reports-waits",
        )
        return
    del st.session_state[_ASKED]
    if found.state is AskState.REFUSED:
        frame.problem(found.answer or "")
        return
    st.session_state[f"reports-writing-{study.id}"] = found.writing
    st.rerun()


def _offer_writings(opened: OpenReport) -> None:
    """The other drafts of the study."""
    told = {each.id: f"{each.model} · {each.created_at:%d %b %H:%M}" for each in opened.writings}
    chosen = st.selectbox(
        "Draft",
        list(told),
        index=list(told).index(opened.writing.id) if opened.writing else 0,
        format_func=lambda number: told[number],
        key=f"reports-choice-{opened.study.id}-{len(told)}",
    )
    if opened.writing and chosen != opened.writing.id:
        st.session_state[f"reports-writing-{opened.study.id}"] = chosen
        st.rerun()


def _go_on(after: int) -> None:
    found = service.next_study(session.house(), session.reader(), after)
    if found is None:
        st.toast("No other draft waits for your judgement.")
        return
    st.session_state[_GOING] = found
    st.rerun()


def _show_nothing() -> None:
    frame.empty(
        "No draft waits to be judged.",
        "Train a model of the generation family and promote it: it then writes a draft about every study.",
    )
    with st.container(horizontal_alignment="center"):
        if st.button("To Train", type="primary"):
            st.switch_page(pages().train)
