"""The review screen: the film as large as the window allows, and beside it what is said and marked."""

import time
from dataclasses import dataclass

import streamlit as st

from app.house import House
from app.mask_editor import ActionKind, EditorAction, Orientation, Pick, finding_in_hand, mask_editor, parse_action
from app.parts.bar import bar, pressed
from app.parts.findings import findings
from app.screens import asking, film, frame, regions, session, similar, versions, voices
from app.screens.pages import pages
from app.screens.worklist import shown_last
from app.services import labelling, reviewing, timing
from app.services import worklist as queue
from app.services.labelling import OpenLabels
from app.services.reviewing import OpenStudy
from core.errors import ReadingRoomError
from core.reviews import ReviewState
from core.studies import Study, Turn, WorklistFilter

EDITOR = "film"
BESIDE = "film-beside"
_MOST_ADDED = 6
_VISITED = 50
_BOTTOM_GAP = 8
_ADD_WIDTH = 118

_TURNS = {
    Orientation.ROTATE_LEFT: (Turn.ROTATE_270, "a quarter turn to the left"),
    Orientation.ROTATE_RIGHT: (Turn.ROTATE_90, "a quarter turn to the right"),
    Orientation.ROTATE_180: (Turn.ROTATE_180, "upside down"),
    Orientation.MIRROR: (Turn.MIRROR, "mirrored, left for right"),
}


@dataclass
class Desk:
    """What lies on the reader's desk from study to study: findings added by hand, the one in hand, where they came
    from, what the editor asked for last, the study to go to before the address names it, and why the queue offered it;
    and of the present study, when it was opened and the findings' order."""

    study: int | None = None
    going: int | None = None
    why: tuple[int, str] | None = None
    opened_at: float = 0.0
    hand: str | None = None
    heard_from_editor: Pick | None = None
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
    if is_new := study_id != here.study:
        here.study, here.opened_at, here.beside, here.order = study_id, time.monotonic(), None, ()
    if st.query_params.get("study") != str(study_id):
        st.query_params.from_dict({"study": str(study_id)})
    here.going = None
    opened = reviewing.open_study(session.house(), session.reader(), study_id)
    said = labelling.open_labels(session.house(), session.reader(), study_id)
    here.hand = asking.act(opened, here.hand)
    _show_study(here, opened, said, is_new)
    if turning is not None:
        _confirm_turn(opened, turning)


def _asked_for(here: Desk) -> int | None:
    """The study that was gone on to, else the one that the address names, that lay here last, or the queue's choice."""
    if here.going is not None:
        return here.going
    named = st.query_params.get("study", "")
    if named.isdigit():
        return int(named)
    if here.study is not None:
        return here.study
    found = reviewing.next_study(session.house(), shown_last().filter)
    return found[0] if found else None


def _act(here: Desk, study_id: int) -> tuple[int, EditorAction | None]:
    """Do what the reader decided since the last run; gives the study to show, and a film to be turned if one is.

    Streamlit may stop a run wherever it is asked for anything, and start the next without what the first was told. So
    all is asked for before anything is done, and that it is done is noted right after.
    """
    house, reader, wanted = session.house(), session.reader(), shown_last().filter
    in_editor = finding_in_hand(EDITOR)
    if in_editor is not None and in_editor != here.heard_from_editor:
        here.heard_from_editor, here.hand = in_editor, in_editor.finding
    action, button = _pending(), pressed()
    is_new = action is not None and action.id != here.acted_on
    kind = ActionKind(action.kind) if action and is_new and action.study_id == str(study_id) else None
    if kind is None and button is not None:
        kind = ActionKind(button)
    try:
        if kind is ActionKind.SUBMIT:
            _spend(house, reader, here, study_id)
            reviewing.submit(house, reader, study_id)
        elif kind is ActionKind.NEXT:
            here.going = study_id = _next(house, reader, here, study_id, wanted)
        elif kind is ActionKind.PREVIOUS:
            here.going = study_id = _previous(house, reader, here, study_id)
        elif action is not None and kind is ActionKind.ACCEPT and action.prediction_id is not None:
            reviewing.accept_suggestion(house, reader, action.prediction_id)
        elif action is not None and kind is ActionKind.REJECT and action.prediction_id is not None:
            reviewing.reject_suggestion(house, reader, action.prediction_id, action.reason)
    finally:
        here.acted_on = action.id if action else here.acted_on
    return study_id, action if kind is ActionKind.ORIENT else None


def _pending() -> EditorAction | None:
    """What the editor sent for this run, known before it is drawn again."""
    state = st.session_state.get(EDITOR)
    message = state.get("action") if state is not None else None
    return parse_action(message) if message else None


def _next(house: House, reader: str, here: Desk, study_id: int, wanted: WorklistFilter) -> int:
    found = reviewing.next_study(house, wanted, study_id)
    if found is None:
        st.toast("This was the last study to read under the worklist's filters.")
        return study_id
    _spend(house, reader, here, study_id)
    here.visited = (*here.visited, study_id)[-_VISITED:]
    here.why = found
    return found[0]


def _previous(house: House, reader: str, here: Desk, study_id: int) -> int:
    _spend(house, reader, here, study_id)
    if here.visited:
        *earlier, last = here.visited
        here.visited = tuple(earlier)
        return last
    before = reviewing.open_study(house, reader, study_id).previous
    if before is None:
        st.toast("This is the first study of the queue.")
    return before or study_id


def _spend(house: House, reader: str, here: Desk, study_id: int) -> None:
    timing.spend(house, reader, study_id, time.monotonic() - here.opened_at)
    here.opened_at = time.monotonic()


def _show_study(here: Desk, opened: OpenStudy, said: OpenLabels, is_new: bool) -> None:
    study = opened.study
    settles = bool(shown_last().filter.disagrees)
    disputed = voices.disputes(opened, said)
    if settles and is_new and disputed:
        here.hand = next(iter(disputed))
    shown = film.findings_shown(opened, said, here.added, here.order, disputed if settles else ())
    keys = [finding.key for finding in shown]
    here.order = tuple(keys)
    active = here.hand if here.hand in keys else (keys[0] if keys else None)
    bar(str(study.id), study.patient, film.facts(study), _why(here, study), study.state)
    other = next((each for each in opened.others if each.id == here.beside), None)
    columns = st.columns([0.36, 0.36, 0.28] if other else [0.73, 0.27], gap="small", wrap=False)
    with columns[0]:
        mask_editor(
            film.editor_study(
                opened,
                said,
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
        findings(
            voices.lines(opened, said, shown, disputed),
            study=str(study.id),
            reader=said.reader,
            active=active,
            reasons=film.REASONS,
            settles=settles,
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="rr-more"):
            _add_finding(here, opened, keys)
            _more(here, opened, said, active)
        _offer_beside(here, opened)
        if study.blind:
            st.html('<div class="rr-quiet">Read without suggestions: this patient judges the models.</div>')
        st.html('<hr class="rr-line">')
        asking.show_report(opened, said)
        found = similar.show(study)
    if found is not None:
        here.visited = (*here.visited, study.id)[-_VISITED:]
        here.going = found
        st.rerun()


def _add_finding(here: Desk, opened: OpenStudy, shown: list[str]) -> None:
    names = {finding.key: finding.name for finding in opened.vocabulary if finding.key not in shown}
    key = f"add-finding-{len(here.added)}-{here.added[-1] if here.added else ''}"
    chosen = st.selectbox(
        "Add a finding",
        list(names),
        index=None,
        placeholder="Add finding",
        format_func=lambda each: names.get(each, each),
        label_visibility="collapsed",
        width=_ADD_WIDTH,
        key=key,
    )
    if chosen is not None and chosen not in here.added:
        here.added = (*here.added, chosen)[-_MOST_ADDED:]
        here.hand = chosen
        st.rerun()


def _more(here: Desk, opened: OpenStudy, said: OpenLabels, active: str | None) -> None:
    count = sum(len(history) for history in opened.history.values()) + len(opened.drafts)
    count += len(said.drafts) + sum(version.reader is not None for version in said.history)
    words = f"Versions {count}" if count else "Versions"
    # A key of its own: without one, a click while the count is changing would be for a button that is no more.
    if st.button(words, type="tertiary", key="versions-open", help="Who drew and said what, and when"):
        versions.dialog(opened, said, active)
    if st.button("Box or polygon", type="tertiary", help="Draw a region with straight edges"):
        regions.dialog(opened, active)
    if opened.study.state is ReviewState.SUBMITTED and st.button(
        "Return", type="tertiary", help="Ask for another look"
    ):
        _return(opened.study)


def _offer_beside(here: Desk, opened: OpenStudy) -> None:
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


def _why(here: Desk, study: Study) -> str:
    """Why the queue offered this study, here or on the worklist."""
    offered = (here.why, st.session_state.get("why-next"))
    return next((found[1] for found in offered if found and found[0] == study.id), "")


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
