"""The worklist: which studies there are, in which order, and the way into the next one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

import streamlit as st

from app.parts.table import ChipOfFinding, Line, table
from app.routes import PREFIX
from app.screens import frame, session, times
from app.screens.pages import pages
from app.screens.voices import probability
from app.services import reviewing
from app.services import worklist as service
from app.services.worklist import COUNTED, IMPORTER, PAGE, WorklistView
from core.disagreements import Disagreement
from core.findings import NO_FINDING, Finding, Kind, State, by_key
from core.labels import Source
from core.reviews import ReviewState
from core.studies import StudyRow, View, WorklistFilter, WorklistSort

Choice = TypeVar("Choice", bound=StrEnum)

_REMEMBERED = "worklist-shown"
_WRITTEN = "worklist-address"
_HAS = {"mask": "Mask", "report": "Report", "suggestion": "Suggestion", "disagreement": "Disagreement"}
_FLAGS = {"mask": "has_mask", "report": "has_report", "suggestion": "has_suggestion", "disagreement": "disagrees"}
_SAYS = {Source.MODEL: "model", Source.LABELER: "report", Source.IMPORTED: "imported", Source.READER: "reader"}
_SIGNS = {State.PRESENT: "+", State.ABSENT: "−", State.UNCERTAIN: "?"}
_SORTS = {WorklistSort.QUEUE: "Queue", WorklistSort.CHANGED: "Last changed", WorklistSort.PATIENT: "Patient"}


@dataclass(frozen=True)
class Shown:
    """What the worklist shows, in the words of its address."""

    filter: WorklistFilter = field(default_factory=WorklistFilter)
    sort: WorklistSort = WorklistSort.QUEUE
    page: int = 1

    def to_address(self) -> dict[str, str]:
        wanted = self.filter
        words = {
            "state": wanted.state,
            "dataset": wanted.dataset,
            "finding": wanted.finding,
            "view": wanted.view,
            "has": ",".join(_had(wanted)),
            "reader": wanted.reader,
            "search": wanted.search,
            "sort": None if self.sort is WorklistSort.QUEUE else self.sort,
            "page": None if self.page == 1 else self.page,
        }
        return {name: str(value) for name, value in words.items() if value}

    @classmethod
    def from_address(cls, words: Mapping[str, str]) -> "Shown":
        """What an address asks for; words that mean nothing here are passed over."""
        page = words.get("page", "1")
        return cls(
            WorklistFilter(
                state=_member(ReviewState, words.get("state")),
                dataset=words.get("dataset") or None,
                finding=words.get("finding") or None,
                view=_member(View, words.get("view")),
                reader=words.get("reader") or None,
                search=words.get("search", ""),
                **_flags(words.get("has", "").split(",")),
            ),
            _member(WorklistSort, words.get("sort")) or WorklistSort.QUEUE,
            int(page) if page.isdigit() and int(page) > 0 else 1,
        )


def shown_last() -> Shown:
    """What the reader last had on the worklist: the queue that Next study goes on with."""
    kept: Shown = st.session_state.get(_REMEMBERED, Shown())
    return kept


def show() -> None:
    house = session.house()
    _seed()
    wanted = _in_widgets()
    view = service.look(house, wanted.filter, wanted.sort, wanted.page)
    if view.is_empty_house:
        _show_empty_house()
        return
    _controls(view, wanted)
    _remember(replace(wanted, page=view.number))
    if not view.page.rows:
        _show_nothing_found()
        return
    opened = table(
        [_line(row, view.vocabulary, view.disputes.get(row.id, ())) for row in view.page.rows], key="worklist-rows"
    )
    _pager(view)
    if opened is not None:
        st.switch_page(pages().review, query_params={"study": str(opened)})


def _seed() -> None:
    """Bring the widgets to what the address asks for, when the reader came here by one or went back to one."""
    address = dict(st.query_params)
    is_new_here = "worklist-sort" not in st.session_state
    if not is_new_here and address == st.session_state.get(_WRITTEN):
        return
    asked = shown_last() if is_new_here and not address else Shown.from_address(address)
    wanted = asked.filter
    st.session_state["worklist-state"] = wanted.state
    st.session_state["worklist-search"] = wanted.search
    st.session_state["worklist-dataset"] = wanted.dataset
    st.session_state["worklist-finding"] = wanted.finding
    st.session_state["worklist-view"] = wanted.view
    st.session_state["worklist-has"] = _had(wanted)
    st.session_state["worklist-reader"] = wanted.reader
    st.session_state["worklist-sort"] = asked.sort
    st.session_state["worklist-page"] = asked.page


def _in_widgets() -> Shown:
    value = st.session_state
    return Shown(
        WorklistFilter(
            value["worklist-state"],
            value["worklist-dataset"],
            value["worklist-finding"],
            value["worklist-view"],
            reader=value["worklist-reader"],
            search=value["worklist-search"] or "",
            **_flags(value["worklist-has"]),
        ),
        value["worklist-sort"],
        value["worklist-page"],
    )


def _had(wanted: WorklistFilter) -> list[str]:
    return [name for name, flag in _FLAGS.items() if getattr(wanted, flag)]


def _flags(names: Sequence[str]) -> dict[str, bool | None]:
    return {flag: True if name in names else None for name, flag in _FLAGS.items()}


def _remember(shown: Shown) -> None:
    st.session_state[_REMEMBERED] = shown
    address = shown.to_address()
    st.session_state[_WRITTEN] = address
    if dict(st.query_params) != address:
        st.query_params.from_dict(address)


def _controls(view: WorklistView, wanted: Shown) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="worklist-first"):
        st.segmented_control(
            "State",
            list(ReviewState),
            format_func=lambda each: f"{each.capitalize()}  {view.counts[each]:,}",
            label_visibility="collapsed",
            key="worklist-state",
            on_change=_to_first_page,
        )
        st.space("stretch")
        st.text_input(
            "Search reports",
            placeholder="Search reports",
            type="search",
            label_visibility="collapsed",
            width=300,
            key="worklist-search",
            on_change=_to_first_page,
        )
        if st.button("Next study", type="primary", shortcut="N", help="Open the study that the queue offers next"):
            _open_next(wanted.filter)
    names = {finding.key: finding.name for finding in view.vocabulary}
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="worklist-second"):
        _choice("Dataset", "worklist-dataset", view.datasets, 150)
        _choice("Finding", "worklist-finding", tuple(names), 190, names)
        _choice("View", "worklist-view", tuple(View), 110)
        _choice("Reader", "worklist-reader", tuple(name for name in view.readers if name != IMPORTER), 140)
        st.pills(
            "Has",
            list(_HAS),
            selection_mode="multi",
            format_func=lambda name: _HAS[name],
            label_visibility="collapsed",
            key="worklist-has",
            on_change=_to_first_page,
        )
        st.space("stretch")
        st.selectbox(
            "Sort",
            list(_SORTS),
            format_func=lambda each: f"Sort: {_SORTS[each]}",
            label_visibility="collapsed",
            width=160,
            key="worklist-sort",
            on_change=_to_first_page,
        )


def _choice(label: str, key: str, options: Sequence[str], width: int, names: Mapping[str, str] | None = None) -> None:
    chosen = st.session_state[key]
    known = list(options) if chosen is None or chosen in options else [*options, chosen]
    st.selectbox(
        label,
        known,
        index=None,
        placeholder=label,
        format_func=lambda each: (names or {}).get(each, str(each)),
        label_visibility="collapsed",
        width=width,
        key=key,
        on_change=_to_first_page,
    )


def _to_first_page() -> None:
    st.session_state["worklist-page"] = 1


def _pager(view: WorklistView) -> None:
    first = (view.number - 1) * PAGE + 1
    counted = f"{view.page.total:,}" + ("+" if view.page.total >= COUNTED else "")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right", gap="small"):
        st.caption(f"{first:,} to {first + len(view.page.rows) - 1:,} of {counted}", width="content")
        st.button(
            "Earlier", type="tertiary", shortcut="PageUp", disabled=view.number <= 1, on_click=_turn_page, args=(-1,)
        )
        st.button(
            "Later",
            type="tertiary",
            shortcut="PageDown",
            disabled=view.number >= view.pages,
            on_click=_turn_page,
            args=(1,),
        )


def _turn_page(by: int) -> None:
    st.session_state["worklist-page"] += by


def _open_next(wanted: WorklistFilter) -> None:
    found = reviewing.next_study(session.house(), wanted if wanted.disagrees else replace(wanted, state=None))
    if found is None:
        st.toast("Nothing is left to read under these filters.")
        return
    st.session_state["why-next"] = found
    st.switch_page(pages().review, query_params={"study": str(found[0])})


def _line(row: StudyRow, vocabulary: Sequence[Finding], disputes: Sequence[Disagreement]) -> Line:
    known = by_key(vocabulary)
    shown = sorted((known[key] for key in row.findings if key in known and key != NO_FINDING), key=_weight)
    marks = {"mask": row.has_mask, "report": row.has_report, "suggestion": row.has_suggestion}
    return Line(
        id=row.id,
        href=f"review?study={row.id}",
        thumbnails=tuple(f"{PREFIX}/thumbnail/{sha}" for sha in row.thumbnails[:2]),
        patient=row.patient,
        study=row.dataset if row.key == row.patient else f"{row.key} · {row.dataset}",
        views=" + ".join(view if view.isupper() else view.lower() for view in row.views),
        findings=tuple(ChipOfFinding(finding.name, finding.colour) for finding in shown),
        disputes=tuple(_disputed(known[each.finding], each) for each in disputes if each.finding in known),
        marks=", ".join(name for name, has in marks.items() if has),
        state=row.state,
        reader=row.reader or "",
        changed=times.moment(row.changed_at),
    )


def _disputed(finding: Finding, dispute: Disagreement) -> ChipOfFinding:
    """The finding and who says what of it: "model + .91, report −". What an import says as the report does goes
    without saying."""
    told = []
    for source, name in _SAYS.items():
        state = dispute.said.get(source)
        if source is Source.IMPORTED and state is dispute.said.get(Source.LABELER):
            continue
        if source is Source.READER and dispute.readers_differ:
            told.append("readers differ")
        elif state is not None and source is Source.MODEL and dispute.probability is not None:
            told.append(f"{name} {_SIGNS.get(state, '')} {probability(dispute.probability)}")
        elif state is not None:
            told.append(f"{name} {_SIGNS.get(state, '')}")
    return ChipOfFinding(finding.name, finding.colour, ", ".join(told))


def _weight(finding: Finding) -> int:
    return list(Kind).index(finding.kind) if finding.kind is not Kind.ANATOMY else len(Kind)


def _show_empty_house() -> None:
    frame.empty("No study is here yet.", "Import a folder of films, DICOM files or a public dataset to begin.")
    with st.container(horizontal_alignment="center"):
        if st.button("Import studies", type="primary"):
            st.switch_page(pages().data)


def _show_nothing_found() -> None:
    frame.empty("No study passes these filters.", "Take one away, or search for fewer words.")
    with st.container(horizontal_alignment="center"):
        st.button("Clear all filters", on_click=_clear)


def _clear() -> None:
    st.session_state[_REMEMBERED] = Shown()
    st.session_state.pop("worklist-sort", None)
    st.query_params.clear()


def _member(kind: type[Choice], word: str | None) -> Choice | None:
    return kind(word) if word in set(kind) else None
