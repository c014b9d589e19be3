"""Cases like the one that is read, beside it: the nearest studies of other patients, with what holds of them.

They are asked for once the film is open, and shown when they come. Where a study is read without suggestions they are
not, unless the reader asks: what others found is a suggestion too.
"""

import time

import streamlit as st

from app.parts.hits import hits
from app.parts.waiting import Asking
from app.screens import frame, searching, session
from app.screens.pages import pages
from app.services import labelling
from app.services import searching as service
from core.annotations import AskState
from core.errors import NotFound
from core.search import SearchFilter
from core.studies import Study

SHOWN = 4
_ASKED = "similar-asked"
_CLOSED = "similar-closed"
_OPENED_BLIND = "similar-opened-blind"
_SEEN = "similar-seen"


def show(study: Study) -> int | None:
    """The panel under the report; gives the number of the study that was opened from it in this run, if one was."""
    if not service.can_search(session.house()):
        return None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html('<div class="rr-title">Similar cases</div>', width="content")
        st.space("stretch")
        is_open = _is_open(study)
        words = "Hide" if is_open else "Show"
        tip = "Studies of other patients that look alike, with their final labels and reports"
        if study.blind and not is_open:
            tip += ". What you say of this one afterwards counts as suggested, and judges no model"
        # Told which way and for which study: a click that meets the next study on its way must not turn that one.
        turned = (study.id, study.blind, not is_open)
        st.button(words, type="tertiary", key="similar-turn", help=tip, on_click=_turn, args=turned)
        if is_open and st.button("All", type="tertiary", key="similar-all", help="On the Search screen, with filters"):
            st.switch_page(pages().searching, query_params={"study": str(study.id)})
    if not is_open:
        return None
    with frame.told():
        return _found(study)
    return None


def _is_open(study: Study) -> bool:
    if study.blind:
        return st.session_state.get(_OPENED_BLIND) == study.id
    return not st.session_state.get(_CLOSED, False)


def _turn(study: int, is_blind: bool, open_them: bool) -> None:
    if is_blind:
        st.session_state[_OPENED_BLIND] = study if open_them else None
    else:
        st.session_state[_CLOSED] = not open_them


def _note_that_they_are_seen(study: Study) -> None:
    seen: set[tuple[str, int]] = st.session_state.setdefault(_SEEN, set())
    if (session.reader(), study.id) not in seen:
        labelling.see_similar(session.house(), session.reader(), study.id)
        seen.add((session.reader(), study.id))


def _found(study: Study) -> int | None:
    house = session.house()
    asking: Asking | None = st.session_state.get(_ASKED)
    if asking is None or asking.study != study.id:
        number = service.for_study(house, study.id, SearchFilter(), SHOWN, session.reader())
        asking = st.session_state[_ASKED] = Asking(study.id, number, time.monotonic())
    try:
        found = service.look_up(house, asking.number)
    except NotFound:
        del st.session_state[_ASKED]
        raise
    if found.state is AskState.WAITING:
        searching.wait(asking.number, asking.at, key="similar")
        return None
    if found.state is AskState.REFUSED:
        st.html(f'<div class="rr-quiet">{frame.escaped(found.answer or "")}</div>')
        return None
    _note_that_they_are_seen(study)
    cards = searching.cards(found, service.results(house, found), service.vocabulary(house))
    return hits(cards, key=f"similar-{study.id}", is_narrow=True)
