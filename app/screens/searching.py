"""The search screen: a phrase, a report, a film or a study goes in, and the studies that are like it come out."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import streamlit as st

from app import theme
from app.parts.hits import Card, Chip, hits
from app.parts.waiting import Words, waiting
from app.routes import PREFIX
from app.screens import frame, session
from app.screens.pages import pages
from app.services import searching as service
from app.services import training, workers
from app.services.questions import Question
from app.services.searching import Result, Standing
from app.services.trying import Film
from core.annotations import AskState
from core.errors import ReadingRoomError
from core.findings import NO_FINDING, Finding, State
from core.labels import Effective, Source
from core.search import Asked, Search, SearchFilter
from core.studies import Split, View
from data.door import MOST_BYTES

SHOWN = 12
MORE = 24
_SITTING = "search-sitting"
_WAITING = Words("Searching.", "Still searching; the model is loaded first.")
_FILM_KINDS = ("png", "jpg", "jpeg", "tif", "tiff", "dcm", "dicom")
_EXAMPLES = ("Left pleural effusion", "Enlarged heart", "Nodule in the right upper lobe", "No acute disease")
_SIGNS = {State.PRESENT: "+", State.UNCERTAIN: "?", State.ABSENT: "−"}
_SOURCES = {
    Source.ADJUDICATED: "settled",
    Source.READER: "reader",
    Source.IMPORTED: "imported",
    Source.LABELER: "report",
}


@dataclass(frozen=True)
class Sitting:
    """What is searched by, among which studies, and how many are shown; the question `asked` of the model and since
    `at` when. `remarks` are what the person should know of what was asked."""

    words: str = ""
    film: Film | None = None
    study: int | None = None
    among: SearchFilter = field(default_factory=SearchFilter)
    limit: int = SHOWN
    asked: int | None = None
    at: float = 0.0
    remarks: tuple[str, ...] = ()


def show() -> None:
    house = session.house()
    standing = service.standing(house, counted=False)
    if standing.wanted is None and standing.answering is None:
        _show_no_model()
        return
    sitting = _asked_by_address()
    # In a container the box stands where it is; outside, Streamlit pins it to the bottom and scrolls down to it.
    with st.container(key="rr-search"):
        typed = st.chat_input(
            "A phrase such as left basilar opacity, a report, or a film",
            key="search-box",
            accept_file=True,
            file_type=list(_FILM_KINDS),
            max_upload_size=MOST_BYTES >> 20,
        )
    among = _filters()
    _say_standing(standing)
    with frame.told():
        if typed is not None:
            files = list(typed.files or [])
            sitting = _begin(sitting, str(typed.text or ""), files[0].getvalue() if files else None, among)
        elif sitting is not None and (sitting.among != among or sitting.asked is None):
            sitting = _ask(replace(sitting, among=among, limit=SHOWN))
        st.session_state[_SITTING] = sitting
    if sitting is None or sitting.asked is None:
        _show_beginning()
        return
    _show_what_is_asked(sitting)
    with frame.told():
        _show_answer(sitting)


def _show_no_model() -> None:
    frame.empty(
        "Studies cannot be searched by meaning yet.",
        "Train a retrieval model from studies with reports, and promote it. The worklist finds words in reports.",
    )
    with st.container(horizontal_alignment="center"):
        if st.button("Train a model", type="primary"):
            st.switch_page(pages().train)


def _show_beginning() -> None:
    """Nothing was asked yet."""
    frame.empty(
        "Search for what a film shows.",
        "Films and reports are compared by meaning: what is found need not hold the words. Type a phrase, paste a "
        "report, drop a film, or begin with one of these.",
    )
    with st.container(horizontal=True, horizontal_alignment="center", gap="small"):
        for phrase in _EXAMPLES:
            if st.button(phrase, key=f"search-for-{phrase}"):
                st.query_params.from_dict({"q": phrase})
                st.rerun()


def _asked_by_address() -> Sitting | None:
    """What was searched by last, or what the address asks for: words, or a study."""
    kept: Sitting | None = st.session_state.get(_SITTING)
    words, study = st.query_params.get("q", ""), st.query_params.get("study", "")
    if study.isdigit() and (kept is None or kept.study != int(study)):
        return Sitting(study=int(study))
    if words and (kept is None or kept.words != words):
        return Sitting(words=words)
    return kept


def _begin(before: Sitting | None, words: str, payload: bytes | None, among: SearchFilter) -> Sitting:
    """Another search. A film that was searched by before is forgotten. Raises what asking raises."""
    house = session.house()
    if payload is None:
        wanted = Sitting(words=words.strip(), among=among)
    else:
        film = service.drop(house, payload)
        wanted = Sitting(film=film, among=among, remarks=film.cautions)
    begun = _ask(wanted)
    _let_go(before)
    st.query_params.from_dict({"q": begun.words} if begun.words and len(begun.words) < 500 else {})
    return begun


def _ask(wanted: Sitting) -> Sitting:
    house, reader = session.house(), session.reader()
    remarks = wanted.remarks
    if wanted.film is not None:
        number = service.for_film(house, wanted.film, wanted.among, wanted.limit, reader)
    elif wanted.study is not None:
        number = service.for_study(house, wanted.study, wanted.among, wanted.limit, reader)
    else:
        number, remarks = service.for_words(house, wanted.words, wanted.among, wanted.limit, reader)
    return replace(wanted, asked=number, at=time.monotonic(), remarks=remarks)


def _let_go(sitting: Sitting | None) -> None:
    if sitting is not None and sitting.film is not None:
        try:
            service.forget(session.house(), sitting.film.place, session.reader())
        except ReadingRoomError as gone:
            st.toast(frame.plain(str(gone)))


def _filters() -> SearchFilter:
    house = session.house()
    names = {key: finding.name for key, finding in service.vocabulary(house).items() if not finding.retired}
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="search-filters"):
        dataset = _choice("Dataset", {name: name for name in service.dataset_names(house)}, 170)
        finding = _choice("Finding", names, 200)
        view = _choice("View", {str(view): str(view) for view in View if view is not View.UNKNOWN}, 120)
        split = _choice("Split", {str(split): str(split).capitalize() for split in Split}, 130)
    return SearchFilter(dataset, finding, View(view) if view else None, Split(split) if split else None)


def _choice(label: str, names: Mapping[str, str], width: int) -> str | None:
    return st.selectbox(
        label,
        list(names),
        index=None,
        placeholder=label,
        format_func=lambda each: frame.plain(names.get(each, each)) if label == "Dataset" else names.get(each, each),
        label_visibility="collapsed",
        width=width,
        key=f"search-{label.lower()}",
    )


def _say_standing(standing: Standing) -> None:
    """What the model in use has not seen yet, and how to let it."""
    if not standing.is_behind or standing.wanted is None:
        return
    now = f"Until then {standing.answering.name} answers." if standing.answering else "Until then nothing is found."
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if standing.job is not None:
            progress = standing.job.progress
            far = f", {progress.done:,} of {progress.total:,}" if progress.total else ""
            st.html(f'<div class="rr-quiet">{standing.wanted.name} is looking at the studies{far}. {now}</div>')
            if st.button("Cancel", type="tertiary", key="search-cancel"):
                training.cancel(session.house(), standing.job.id, session.reader())
                st.rerun()
        else:
            st.html(f'<div class="rr-quiet">{standing.wanted.name} has not looked at the studies yet. {now}</div>')
            if st.button("Let it look", type="tertiary", key="search-index"):
                service.rebuild(session.house(), session.reader())
                st.rerun()


def _show_what_is_asked(sitting: Sitting) -> None:
    house = session.house()
    if sitting.film is not None:
        address = f"{PREFIX}/tries/{sitting.film.place}/film/{sitting.film.sha}"
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f'<img class="rr-asked" src="{frame.quoted(address)}" alt="The film searched by">', width="content")
            st.html('<div class="rr-quiet">Like this film, which is kept only while it is searched by</div>')
            if st.button("Forget this film", type="tertiary"):
                _let_go(sitting)
                del st.session_state[_SITTING]
                st.rerun()
    elif sitting.study is not None:
        study = service.study(house, sitting.study)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f'<div class="rr-quiet">Like {frame.escaped(study.patient)}, other patients</div>', width="content")
            if st.button("Back to the study", type="tertiary"):
                st.switch_page(pages().review, query_params={"study": str(study.id)})
    else:
        shown = sitting.words if len(sitting.words) < 200 else f"{sitting.words[:200]} ..."
        st.html(f'<div class="rr-quiet" data-testid="search-words">{frame.escaped(shown)}</div>')
    for remark in sitting.remarks:
        frame.caution(remark)


def _show_answer(sitting: Sitting) -> None:
    assert sitting.asked is not None
    house = session.house()
    found = service.look_up(house, sitting.asked)
    if found.state is AskState.WAITING:
        wait(sitting.asked, sitting.at, key="search")
        return
    if found.state is AskState.REFUSED:
        frame.problem(found.answer or "")
        return
    for remark in found.remarks:
        frame.caution(remark)
    opened = hits(cards(found, service.results(house, found), service.vocabulary(house)), key="search-hits")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        told = f"{found.model}, among {found.searched:,} studies"
        st.html(f'<div class="rr-quiet" data-testid="search-told">{frame.escaped(told)}</div>', width="content")
        if len(found.hits) == sitting.limit < MORE and st.button("Show more", type="tertiary"):
            st.session_state[_SITTING] = _ask(replace(sitting, limit=MORE))
            st.rerun()
    if opened is not None:
        st.switch_page(pages().review, query_params={"study": str(opened)})


def wait(number: int, since: float, key: str) -> None:
    """Say that the answer to a search is awaited, and draw the page anew once it is there."""
    waiting(
        f"{PREFIX}/waits/{Question.SEARCH}/{number}",
        since,
        _WAITING,
        is_awake=workers.lives(session.house(), "inference"),
        key=f"{key}-waits",
    )


def cards(found: Search, results: tuple[Result, ...], names: Mapping[str, Finding]) -> list[Card]:
    """What was found, as it is shown. Where words were asked, the sentence that matches stands for the report."""
    return [_card(one, names, found.asked.kind) for one in results]


def _card(one: Result, names: Mapping[str, Finding], kind: Asked) -> Card:
    study, hit = one.study, one.hit
    film = next(image for image in study.images if image.id == hit.image)
    detail = [study.dataset, "" if study.key == study.patient else study.key, str(film.view)]
    return Card(
        id=study.id,
        href=f"review?study={study.id}",
        film=f"{PREFIX}/card/{film.sha}",
        shape=film.facts.width / film.facts.height,
        map=hit.map,
        title=study.patient,
        detail=" · ".join(word for word in detail if word),
        chips=_chips(one.labels, names),
        line=hit.sentence if kind is Asked.TEXT else _impression(one),
        nearness=f"{hit.similarity:.2f}",
    )


def _chips(labels: tuple[tuple[str, Effective], ...], names: Mapping[str, Finding]) -> tuple[Chip, ...]:
    """What is present or may be; what is absent goes without saying."""
    told = [(key, said) for key, said in labels if said.state is not State.ABSENT]
    if len(told) > 1:
        told = [(key, said) for key, said in told if key != NO_FINDING]
    return tuple(
        Chip(
            names[key].name if key in names else key,
            _SIGNS[said.state],
            _SOURCES.get(said.source, str(said.source)),
            names[key].colour if key in names else theme.ACCENT,
        )
        for key, said in told
    )


def _impression(one: Result) -> str:
    report = one.study.report
    return (report.impression or report.findings or report.text) if report is not None else ""
