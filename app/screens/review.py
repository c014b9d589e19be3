"""The review screen: the film as large as the window allows, and beside it what is said and marked."""

import time
from dataclasses import dataclass

import streamlit as st

from app.mask_editor import ActionKind, EditorAction, Orientation, finding_in_hand, mask_editor, parse_action
from app.parts.bar import bar, pressed
from app.parts.findings import Answer, answered, findings, picked
from app.screens import asking, film, frame, regions, session, versions
from app.screens.pages import pages
from app.screens.worklist import shown_last
from app.services import reviewing, timing
from app.services import worklist as queue
from app.services.reviewing import OpenStudy
from core.errors import ReadingRoomError
from core.reviews import ReviewState
from core.studies import Study, Turn

EDITOR = "film"
BESIDE = "film-beside"
_MOST_ADDED = 6
_BOTTOM_GAP = 8

_TURNS = {
    Orientation.ROTATE_LEFT: (Turn.ROTATE_270, "a quarter turn to the left"),
    Orientation.ROTATE_RIGHT: (Turn.ROTATE_90, "a quarter turn to the right"),
    Orientation.ROTATE_180: (Turn.ROTATE_180, "upside down"),
    Orientation.MIRROR: (Turn.MIRROR, "mirrored, left for right"),
}


@dataclass
class Desk:
    """What lies on the reader's desk from study to study: findings added by hand, the one in hand, where they came
    from, what the editor asked for last; and of the present study, when it was opened and the findings' order."""

    study: int | None = None
    opened_at: float = 0.0
    hand: str | None = None
    heard_from_editor: str | None = None
    acted_on: str = ""
    added: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    visited: tuple[int, ...] = ()
    beside: int | None = None


def desk() -> Desk:
    kept: Desk = st.session_state.setdefault("desk", Desk())
    return kept


def show() -> None:
    here = desk()
    study_id = _asked_for(here)
    if study_id is None:
        _show_nothing()
        return
    turning = None
    try:
        study_id, turning = _act(here, study_id)
    except ReadingRoomError as refusal:
        st.toast(frame.plain(str(refusal)), duration="long")
    if study_id != here.study:
        here.study, here.opened_at, here.beside, here.order = study_id, time.monotonic(), None, ()
    if st.query_params.get("study") != str(study_id):
        st.query_params.from_dict({"study": str(study_id)})
    opened = reviewing.open_study(session.house(), session.reader(), study_id)
    here.hand = asking.act(opened, here.hand)
    _show_study(here, opened)
    if turning is not None:
        _confirm_turn(opened, turning)


def _asked_for(here: Desk) -> int | None:
    """The study that the address names, else the one that lay here last, else the queue's choice."""
    named = st.query_params.get("study", "")
    if named.isdigit():
        return int(named)
    if here.study is not None:
        return here.study
    found = reviewing.next_study(session.house(), shown_last().filter)
    return found[0] if found else None


def _act(here: Desk, study_id: int) -> tuple[int, EditorAction | None]:
    """Do what the reader decided since the last run; gives the study to show, and a film to be turned if one is."""
    house, reader = session.house(), session.reader()
    in_editor = finding_in_hand(EDITOR)
    if in_editor != here.heard_from_editor:
        here.heard_from_editor = here.hand = in_editor
    if (row := picked()) is not None:
        here.hand = row
    if (said := answered()) is not None:
        _answer(here, said)
    action = _pending()
    here.acted_on = action.id if action else here.acted_on
    kind = ActionKind(action.kind) if action and action.study_id == str(study_id) else None
    if kind is None and (button := pressed()) is not None:
        kind = ActionKind(button)
    if kind is ActionKind.SUBMIT:
        _spend(here, study_id)
        reviewing.submit(house, reader, study_id)
    elif kind is ActionKind.NEXT:
        return _next(here, study_id), None
    elif kind is ActionKind.PREVIOUS:
        return _previous(here, study_id), None
    elif action is not None and kind is ActionKind.ACCEPT and action.prediction_id is not None:
        reviewing.accept_suggestion(house, reader, action.prediction_id)
    elif action is not None and kind is ActionKind.REJECT and action.prediction_id is not None:
        reviewing.reject_suggestion(house, reader, action.prediction_id, action.reason)
    elif kind is ActionKind.ORIENT:
        return study_id, action
    return study_id, None


def _answer(here: Desk, said: Answer) -> None:
    house, reader = session.house(), session.reader()
    if said.kind == "reject":
        reviewing.reject_suggestion(house, reader, said.prediction, said.reason)
        return
    taken = reviewing.accept_suggestion(house, reader, said.prediction)
    if said.kind == "correct":
        # Taken over as it is; with the first stroke on it, it becomes a correction.
        here.hand = taken.draft.finding


def _pending() -> EditorAction | None:
    """What the editor sent for this run, known before it is drawn again."""
    state = st.session_state.get(EDITOR)
    message = state.get("action") if state is not None else None
    return parse_action(message) if message else None


def _next(here: Desk, study_id: int) -> int:
    found = reviewing.next_study(session.house(), shown_last().filter, study_id)
    if found is None:
        st.toast("This was the last study to read under the worklist's filters.")
        return study_id
    _spend(here, study_id)
    here.visited = (*here.visited, study_id)[-50:]
    st.session_state["why-next"] = found
    return found[0]


def _previous(here: Desk, study_id: int) -> int:
    _spend(here, study_id)
    if here.visited:
        *earlier, last = here.visited
        here.visited = tuple(earlier)
        return last
    before = reviewing.open_study(session.house(), session.reader(), study_id).previous
    if before is None:
        st.toast("This is the first study of the queue.")
    return before or study_id


def _spend(here: Desk, study_id: int) -> None:
    timing.spend(session.house(), session.reader(), study_id, time.monotonic() - here.opened_at)
    here.opened_at = time.monotonic()


def _show_study(here: Desk, opened: OpenStudy) -> None:
    study = opened.study
    shown = film.findings_shown(opened, here.added, here.order)
    keys = [finding.key for finding in shown]
    here.order = tuple(keys)
    active = here.hand if here.hand in keys else (keys[0] if keys else None)
    bar(study.patient, film.facts(study), _why(study), study.state)
    other = next((each for each in opened.others if each.id == here.beside), None)
    columns = st.columns([0.36, 0.36, 0.28] if other else [0.73, 0.27], gap="small", wrap=False)
    with columns[0]:
        mask_editor(
            film.editor_study(
                opened,
                shown,
                reader=session.reader(),
                token=session.token(),
                active=active,
                ahead=queue.study_after(session.house(), shown_last().filter, study.id),
                heard=here.acted_on,
                bottom_gap=_BOTTOM_GAP,
            ),
            key=EDITOR,
        )
    if other is not None:
        with columns[1]:
            _show_beside(here, other)
    with columns[-1], st.container(key="rr-side", gap="small"):
        findings(film.lines(opened, shown, session.reader()), active, film.REASONS)
        _add_finding(here, opened, keys)
        _more(here, opened, active)
        if study.blind:
            st.html('<div class="rr-quiet">Read without suggestions: this patient judges the models.</div>')
        st.html('<hr class="rr-line">')
        asking.show_report(opened)


def _add_finding(here: Desk, opened: OpenStudy, shown: list[str]) -> None:
    names = {finding.key: finding.name for finding in opened.vocabulary if finding.key not in shown}
    key = f"add-finding-{len(here.added)}-{here.added[-1] if here.added else ''}"
    chosen = st.selectbox(
        "Add a finding",
        list(names),
        index=None,
        placeholder="Add a finding",
        format_func=lambda each: names.get(each, each),
        label_visibility="collapsed",
        key=key,
    )
    if chosen is not None and chosen not in here.added:
        here.added = (*here.added, chosen)[-_MOST_ADDED:]
        here.hand = chosen
        st.rerun()


def _more(here: Desk, opened: OpenStudy, active: str | None) -> None:
    count = sum(len(history) for history in opened.history.values()) + len(opened.drafts)
    with st.container(horizontal=True, gap="small"):
        if st.button(f"Versions {count}" if count else "Versions", type="tertiary", help="Who drew what, and when"):
            versions.dialog(opened)
        if st.button("Box or polygon", type="tertiary", help="Draw a region with straight edges"):
            regions.dialog(opened, active)
        if opened.study.state is ReviewState.SUBMITTED and st.button(
            "Return", type="tertiary", help="Ask for another look"
        ):
            _return(opened.study)
    for other in opened.others:
        is_beside = other.id == here.beside
        told = frame.plain(" · ".join((other.key, *film.facts(other)[:1], other.state)))
        words = f"{'Close' if is_beside else 'Beside'}: {told}"
        if st.button(words, type="tertiary", key=f"other-{other.id}", help="Another study of this patient"):
            here.beside = None if is_beside else other.id
            st.rerun()


def _show_beside(here: Desk, other: Study) -> None:
    opened = reviewing.open_study(session.house(), session.reader(), other.id)
    mask_editor(film.reading_study(opened, session.reader(), _BOTTOM_GAP), key=BESIDE)


def _why(study: Study) -> str:
    found = st.session_state.get("why-next")
    return found[1] if found and found[0] == study.id else ""


def _show_nothing() -> None:
    frame.empty("Nothing is left to read.", "Every study under the worklist's filters has been submitted.")
    with st.container(horizontal_alignment="center"):
        if st.button("To the worklist", type="primary"):
            st.switch_page(pages().worklist)


@st.dialog("Turn this film?")
def _confirm_turn(opened: OpenStudy, action: EditorAction) -> None:
    if action.orientation is None or action.image_id is None:
        return
    turn, words = _TURNS[action.orientation]
    st.text(f"The film is stored anew, {words}. Its masks and drafts turn with it; the old ones stay in the history.")
    if turn is Turn.MIRROR:
        st.text("Left becomes right: check the marker on the film, and the names of what is already marked.")
    if st.button("Turn it", type="primary"):
        with frame.told():
            reviewing.turn_film(session.house(), session.reader(), action.image_id, turn)
            st.rerun()


@st.dialog("Return this study")
def _return(study: Study) -> None:
    reason = st.text_input("What should be looked at again?")
    if st.button("Return", type="primary", disabled=not reason.strip()):
        with frame.told():
            reviewing.return_study(session.house(), session.reader(), study.id, reason)
            st.rerun()
