"""The try screen: a film that is dropped, what a model says of it with and without its context, and where it looked."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import streamlit as st

from app import theme
from app.parts.looked import Shown, looked
from app.parts.opinions import Row, finding_chosen, opinions
from app.parts.waiting import Words, waiting
from app.routes import PREFIX
from app.screens import frame, session
from app.screens.pages import pages
from app.services import trying as service
from app.services import vocabulary, workers
from app.services.questions import Question
from app.services.try_pictures import most_telling
from app.services.trying import Film
from core.annotations import AskState
from core.errors import NotFound, ReadingRoomError
from core.findings import Finding, State, by_key
from core.registry import ModelState, ModelVersion
from core.tries import KEPT_FOR, Opinion, Try
from data.door import MOST_BYTES

_WAITING = Words(
    "The model is looking.",
    "The model is still looking; one that is not in use is loaded first.",
    patience=30,
)
_SITTING = "try-sitting"
_DROPS = "try-drops"
_REFUSED = "try-refused"
_CONTEXT = "try-context"
_HOURS = round(KEPT_FOR.total_seconds() / 3600)

_FORGETTING = (
    "Nothing is imported. What names a patient in the file's header is removed before anything is kept, and the film "
    f"and its context are kept only to be looked at here: until you forget them, and {_HOURS} hours at the longest. "
    "The audit trail tells that a film was tried, and nothing of it."
)


@dataclass(frozen=True)
class Sitting:
    """A film that is tried at this screen. `asked` is the question under way, `told` the last one that was answered,
    `refusal` why the last was not."""

    film: Film
    asked: int | None
    at: float
    told: int | None = None
    refusal: str = ""


def show() -> None:
    versions = service.versions(session.house())
    if not versions:
        frame.empty(
            "No classification model is here yet.",
            "Train one from a snapshot with labels and promote it; then any film can be tried on it.",
        )
        with st.container(horizontal_alignment="center"):
            if st.button("Train a model", type="primary"):
                st.switch_page(pages().train)
        return
    sitting: Sitting | None = st.session_state.get(_SITTING)
    if sitting is None:
        _door(versions)
    else:
        _look(sitting, versions)


def _door(versions: Sequence[ModelVersion]) -> None:
    """Nothing was dropped yet."""
    with st.container(horizontal_alignment="center"), st.container(width=640, key="rr-door"):
        model = _model(versions)
        st.text_area(
            "Context",
            key=_CONTEXT,
            height=120,
            placeholder="Indication and history, as far as they are known before the film is read. May be left empty.",
        )
        dropped = st.file_uploader(
            "Film",
            key=f"try-film-{st.session_state.get(_DROPS, 0)}",
            disabled=not model,
            max_upload_size=MOST_BYTES >> 20,
        )
        if refused := st.session_state.pop(_REFUSED, ""):
            frame.problem(refused)
        st.html(f'<div class="rr-quiet">A frontal film: PNG, JPEG, TIFF or DICOM. {_FORGETTING}</div>')
    if dropped is not None and model is not None:
        _let_in(dropped.getvalue(), model)


def _let_in(payload: bytes, model: ModelVersion) -> None:
    house = session.house()
    # Another key for the next drop, so that Streamlit lets go of the file as it came.
    st.session_state[_DROPS] = st.session_state.get(_DROPS, 0) + 1
    try:
        film = service.drop(house, payload)
        st.session_state[_SITTING] = _asking(Sitting(film, None, 0.0), model)
    except ReadingRoomError as refusal:
        st.session_state[_REFUSED] = str(refusal)
    st.rerun()


def _asking(sitting: Sitting, model: ModelVersion) -> Sitting:
    heeded = service.heed(st.session_state.get(_CONTEXT, ""))
    number = service.ask(session.house(), sitting.film, heeded.context, model, session.reader())
    return replace(sitting, asked=number, at=time.monotonic(), refusal="")


def _look(sitting: Sitting, versions: Sequence[ModelVersion]) -> None:
    house = session.house()
    with _or_back_to_the_door():
        sitting = st.session_state[_SITTING] = _settled(sitting)
        told = None if sitting.told is None else service.look_up(house, sitting.told)
    chosen = _chosen(told)
    names = by_key(vocabulary.vocabulary(house, include_retired=True))
    left, right = st.columns([0.55, 0.45], gap="medium")
    with left:
        looked(_shown(sitting.film, chosen, names), key="try-looked")
    with right, st.container(key="rr-side"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            model = _model(versions)
            st.space("stretch")
            if told is not None and chosen is not None:
                address = f"{PREFIX}/tries/{told.place}/{told.id}/{chosen.finding}.png"
                tip = "The film, where the model looked, and the table, as one PNG"
                st.html(
                    f'<a class="rr-button" href="{frame.quoted(address)}" download title="{tip}">Save the picture</a>',
                    width="content",
                )
            if st.button("Forget this film", help="It goes for good, with its context, and another can be dropped"):
                _forget(sitting)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            text = st.text_area("Context", key=_CONTEXT, height=88, placeholder="None")
            tip = "With the context as it stands now"
            again = st.button("Read again", type="primary", help=tip, disabled=not model)
        if again and model is not None:
            with frame.told():
                st.session_state[_SITTING] = _asking(sitting, model)
                st.rerun()
        heeded = service.heed(text)
        remarks = told.remarks if told is not None else ()
        for caution in dict.fromkeys((*sitting.film.cautions, *heeded.cautions, *remarks)):
            frame.caution(caution)
        if sitting.asked is not None:
            _wait(sitting)
        elif sitting.refusal:
            frame.problem(sitting.refusal)
        if told is not None and chosen is not None:
            _say(told, chosen, names)
        st.html(f'<div class="rr-quiet">{_FORGETTING}</div>')


def _say(told: Try, chosen: Opinion, names: Mapping[str, Finding]) -> None:
    has_context = any(each.has_context for each in told.opinions)
    rows = [
        Row(
            each.finding,
            _name(each.finding, names),
            _colour(each.finding, names),
            each.probability,
            each.without_context,
            each.threshold,
            each.says is State.PRESENT,
        )
        for each in told.opinions
    ]
    opinions(rows, has_context, chosen.finding)
    st.html(evidence(told, chosen, _name(chosen.finding, names)))


def evidence(told: Try, chosen: Opinion, name: str) -> str:
    """What the model heeded for one finding, then its evidence for all of them."""
    parts = []
    if chosen.words:
        most = max(weight for _, weight in chosen.words) or 1.0
        words = " ".join(
            f'<span class="rr-word" style="--weight:{weight / most:.2f}" title="{weight:.3f} of its attention">'
            f"{frame.escaped(word)}<small>{weight:.2f}</small></span>"
            for word, weight in chosen.words
        )
        parts.append(f'<div class="rr-title">Words heeded for {frame.escaped(name)}</div><div>{words}</div>')
    if told.differential:
        lines = "".join(
            f"<p{' class=here' if line == chosen.differential else ''}>{frame.escaped(line)}</p>"
            for line in told.differential
        )
        parts.append(f'<div class="rr-title">Differential</div><div class="rr-differential">{lines}</div>')
    return "".join(parts)


@contextmanager
def _or_back_to_the_door() -> Iterator[None]:
    """Where the film was forgotten meanwhile, another can be dropped."""
    try:
        yield
    except NotFound as gone:
        del st.session_state[_SITTING]
        st.session_state[_REFUSED] = str(gone)
        st.rerun()


def _chosen(told: Try | None) -> Opinion | None:
    """The finding that was chosen; else the one that goes farthest beyond its threshold."""
    if told is None or not told.opinions:
        return None
    return told.opinion(finding_chosen() or "") or most_telling(told.opinions)


def _shown(film: Film, chosen: Opinion | None, names: Mapping[str, Finding]) -> Shown:
    base = f"{PREFIX}/tries/{film.place}"
    heat = f"{base}/map/{chosen.map}" if chosen is not None and chosen.map else None
    words = "" if chosen is None else f"Where the model looked for {_name(chosen.finding, names)}"
    if chosen is not None and heat is None:
        words = f"No place on the film spoke for {_name(chosen.finding, names)}"
    colour = _colour(chosen.finding, names) if chosen is not None else theme.ACCENT
    return Shown(f"{base}/film/{film.sha}", heat, film.facts.width, film.facts.height, colour, words)


def _model(versions: Sequence[ModelVersion]) -> ModelVersion | None:
    """The version that is asked: the one in use, unless another is chosen."""
    in_use = next((model for model in versions if model.state is ModelState.CHAMPION), None)
    asked = next((model for model in versions if model.name == st.query_params.get("model")), in_use)
    if len(versions) == 1 and in_use is not None:
        st.html(f'<div class="rr-quiet">{frame.escaped(in_use.name)}, in use</div>', width="content")
        return in_use
    chosen = st.selectbox(
        "Model",
        versions,
        index=None if asked is None else list(versions).index(asked),
        format_func=lambda model: f"{model.name}, in use" if model == in_use else model.name,
        placeholder="None is in use: choose a version",
        key="try-model",
        width=240,
    )
    if chosen is None:
        frame.caution("No version is in use yet. Choose one to try, or promote one on the Models screen.")
    return chosen


def _settled(sitting: Sitting) -> Sitting:
    """With the answer to the question under way, if it came. Raises NotFound where the question was forgotten."""
    if sitting.asked is None:
        return sitting
    one = service.look_up(session.house(), sitting.asked)
    if one.state is AskState.WAITING:
        return sitting
    told = one.id if one.state is AskState.ANSWERED else sitting.told
    return replace(sitting, asked=None, told=told, refusal=one.answer or "")


def _wait(sitting: Sitting) -> None:
    waiting(
        f"{PREFIX}/waits/{Question.TRY}/{sitting.asked}",
        sitting.at,
        _WAITING,
        is_awake=workers.lives(session.house(), "inference"),
        key="try-waits",
    )


def _forget(sitting: Sitting) -> None:
    service.forget(session.house(), sitting.film.place, session.reader())
    del st.session_state[_SITTING]
    st.session_state[_CONTEXT] = ""
    st.rerun()


def _name(finding: str, names: Mapping[str, Finding]) -> str:
    return names[finding].name if finding in names else finding.replace("_", " ").capitalize()


def _colour(finding: str, names: Mapping[str, Finding]) -> str:
    return names[finding].colour if finding in names else theme.ACCENT
