"""The models screen: every version by family, two of them side by side, and which one answers the readers."""

from collections.abc import Callable, Mapping, Sequence

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.screens import deciding, frame, jobs, session, times
from app.screens import models_charts as charts
from app.screens.models_columns import show_calibration, show_columns, show_curves
from app.screens.models_floors import show_beside_floors, show_sheets
from app.screens.models_pictures import show_pictures, show_same_films
from app.screens.models_scores import Place, floor, interval, matrix, metric_name, places_table, show_difference
from app.screens.pages import pages
from app.screens.tables import html_table
from app.services import figures, training
from app.services import models as service
from core.metrics import Evaluation, Metric
from core.registry import ModelState, ModelVersion

_NONE = "Nothing"
_LISTED = 4


def show() -> None:
    house = session.house()
    known = service.all_models(house)
    if not known:
        frame.empty("No model is here yet.", "Train one from a snapshot; it appears here with all that it scored.")
        with st.container(horizontal_alignment="center"):
            if st.button("Train a model", type="primary"):
                st.switch_page(pages().train)
        return
    families = list(dict.fromkeys(model.family for model in known))
    asked = st.query_params.get("model", "")
    named = next((model for model in known if model.name == asked), None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        family = st.segmented_control(
            "Family",
            families,
            default=named.family if named else families[0],
            required=True,
            format_func=str.capitalize,
            label_visibility="collapsed",
            key="models-family",
        )
        st.space("stretch")
        versions = [model for model in known if model.family == family]
        deciding.bar(versions)
    st.html(f'<div class="rr-versions">{versions_table(versions)}</div>')
    st.html('<hr class="rr-line">')
    _side_by_side(versions, named)


def versions_table(versions: Sequence[ModelVersion]) -> str:
    """The versions of a family, newest first, what each learned from and how good it is, beside its floor where one was
    recorded."""
    floors = [floor(model.metrics, model.headline) for model in versions]
    with_floors = any(each.value is not None for each in floors)
    rows = [
        (
            model.name,
            str(model.state) if model.promotable else f"{model.state}, evaluation only",
            model.snapshot or str(model.facts.get("learned_from", "")),
            f"{metric_name(model.headline)} {interval(model.metrics[model.headline].overall)}"
            if model.headline in model.metrics
            else "",
            *((interval(lowest) if lowest.value is not None else "",) if with_floors else ()),
            _listed(model.findings),
            times.moment(model.created_at),
            model.created_by,
            model.reason or "",
        )
        for model, lowest in zip(versions, floors, strict=True)
    ]
    floor_heading = ("Floor",) if with_floors else ()
    return html_table(
        ("Version", "State", "Learned from", "Measured", *floor_heading, "Answers for", "When", "By", "Why"), rows
    )


def _listed(findings: Sequence[str]) -> str:
    spoken = [finding.replace("_", " ") for finding in findings]
    more = f" and {len(spoken) - _LISTED} more" if len(spoken) > _LISTED + 1 else ""
    return ", ".join(spoken[:_LISTED] if more else spoken) + more


def _side_by_side(versions: Sequence[ModelVersion], named: ModelVersion | None) -> None:
    house = session.house()
    names = [model.name for model in versions]
    champion = next((model.name for model in versions if model.state is ModelState.CHAMPION), None)
    first = named.name if named is not None and named.name in names else names[0]
    second = next((name for name in (champion, *names) if name is not None and name != first), _NONE)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        one = st.selectbox("Version", names, names.index(first), key=f"model-one-{first}", width=220)
        others = [_NONE, *(name for name in names if name != one)]
        start = others.index(second) if second in others else 0
        other = st.selectbox("beside", others, start, key=f"model-other-{one}-{first}", width=220)
        places = _places(service.evaluations(house, one))
        place = st.selectbox(
            "measured on",
            places,
            index=0 if places else None,
            format_func=lambda each: f"{each[0]}, {each[1]}",
            placeholder="Nothing yet",
            key=f"model-place-{one}",
            width=260,
        )
    pair = [model for name in (one, other) for model in versions if model.name == name]
    family = pair[0].family
    drawn = _VIEWS.get(family, _VIEWS["segmentation"])
    view = st.segmented_control(
        "Show",
        [*drawn, "Curves", "Card"],
        default=next(iter(drawn)),
        required=True,
        label_visibility="collapsed",
        key=f"models-view-{family}",
    )
    if view == "Curves":
        _curves(pair)
    elif view == "Card":
        for column, model in zip(st.columns(len(pair), gap="large"), pair, strict=True):
            column.markdown(figures.card(house, model) or "Its card is not on this machine.")
    elif place is None:
        _unmeasured(pair[0])
    else:
        drawn[view](pair, place)


def _places(evaluations: Sequence[Evaluation]) -> list[Place]:
    return list(dict.fromkeys((each.snapshot, each.split) for each in evaluations))


def _unmeasured(model: ModelVersion) -> None:
    quiet = "This version was not measured here yet. Measure it on a snapshot."
    if model.metrics:
        st.html(matrix(model.metrics))
        quiet += " Above is what it brought with it."
    st.html(f'<div class="rr-quiet">{quiet}</div>')


def _scores(pair: Sequence[ModelVersion], place: Place) -> None:
    house = session.house()
    measured = [service.evaluations(house, model.name) for model in pair]
    show_difference(pair, place)
    note = (
        '<div class="rr-quiet">Beneath each value its 95 % interval, resampled by patient; N, how many it counts, '
        "shows where the pointer rests.</div>"
    )
    alone = len(pair) == 1
    for column, model, evaluations in zip(_columns(pair), pair, measured, strict=True):
        with column:
            _title(pair, model)
            left, right = st.columns([0.62, 0.38], gap="large") if alone else (st.container(), st.container())
            metrics = _metrics(evaluations, place)
            left.html(matrix(metrics) + note if metrics else '<div class="rr-quiet">It was not measured here.</div>')
            right.html(places_table(evaluations, model.headline, place))


def _words(pair: Sequence[ModelVersion], place: Place) -> None:
    """Does it listen: Dice to other words, and whose truth each prompt finds."""
    house = session.house()
    st.html(
        '<div class="rr-quiet">Dice as asked, and to words that should ruin it; then what each prompt marked on each '
        "structure's truth, where only its own should be high.</div>"
    )
    for column, model in zip(_columns(pair), pair, strict=True):
        with column:
            _title(pair, model)
            metrics = _metrics(service.evaluations(house, model.name), place) or {}
            details = figures.details(house, model, *place)
            left, right = st.columns([0.56, 0.44], gap="large") if len(pair) == 1 else (st.container(), st.container())
            with left:
                _chart(charts.wording(metrics), f"wording-{model.name}", "Other words were not tried here.")
            with right:
                found = charts.prompts(details) if details is not None else None
                _chart(found, f"prompts-{model.name}", "No answers to single prompts were kept here.")


def _calibration(pair: Sequence[ModelVersion], place: Place) -> None:
    """Can it be believed: probabilities beside the truth, expected Dice beside the Dice found."""
    house = session.house()
    for column, model in zip(_columns(pair), pair, strict=True):
        with column:
            _title(pair, model)
            metrics = _metrics(service.evaluations(house, model.name), place) or {}
            details = figures.details(house, model, *place)
            if "ece" in metrics:
                words = f"Expected calibration error, over pixels: {interval(metrics['ece'].overall)} patients"
                st.html(f'<div class="rr-quiet">{frame.escaped(words)}</div>')
            if details is None or not details.reliability:
                st.html('<div class="rr-quiet">No probabilities were kept here.</div>')
                continue
            left, right = st.columns(2, gap="large") if len(pair) == 1 else (st.container(), st.container())
            with left:
                _chart(charts.reliability(details.reliability), f"reliability-{model.name}", "")
            with right:
                _chart(charts.sureness(details.sureness), f"sureness-{model.name}", "No film told how sure it was.")


def _chart(figure: go.Figure | None, key: str, without: str) -> None:
    if figure is None:
        st.html(f'<div class="rr-quiet">{without}</div>')
    else:
        st.plotly_chart(figure, key=key, theme=None, config={"displayModeBar": False})


def _columns(pair: Sequence[ModelVersion]) -> Sequence[DeltaGenerator]:
    return st.columns(len(pair), gap="large")


def _title(pair: Sequence[ModelVersion], model: ModelVersion) -> None:
    if len(pair) > 1:
        st.html(f'<div class="rr-title">{frame.escaped(model.name)}</div>')


def _metrics(evaluations: Sequence[Evaluation], place: Place) -> Mapping[str, Metric] | None:
    return next((each.metrics for each in evaluations if (each.snapshot, each.split) == place), None)


def _curves(pair: Sequence[ModelVersion]) -> None:
    for column, model in zip(_columns(pair), pair, strict=True):
        with column:
            st.html(f'<div class="rr-title">{frame.escaped(model.name)}</div>')
            points = training.curve(session.house(), model.job) if model.job is not None else ()
            figure = jobs.curves(points, 380) if points else None
            _chart(figure, f"curve-{model.name}", "It brought no curves.")


def _film_by_film(pair: Sequence[ModelVersion], place: Place, by: str = "") -> None:
    """Film by film, where the first of the two does worst: by the headline, or another score that items have."""
    compared = service.compare(session.house(), pair[0].name, pair[-1].name, *place)
    if compared is None:
        st.html('<div class="rr-quiet">The two were not both measured film by film here.</div>')
        return
    name = by or pair[0].headline
    scored = [(one, other) for one, other in compared.pairs if one.values.get(name) is not None]
    if not scored:
        st.html('<div class="rr-quiet">Nothing here could be scored by itself.</div>')
        return
    scored.sort(key=lambda two: two[0].values.get(name) or 0.0)
    rows = [
        (
            one.item,
            one.finding.replace("_", " "),
            *(_score(score.values.get(name)) for score in (one, other)[: len(pair)]),
        )
        for one, other in scored[:30]
    ]
    with st.container(width=980):
        st.html(html_table(("Film", "Finding", *(model.name for model in pair)), rows, numbers=(2, 3)))


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _study_by_study(pair: Sequence[ModelVersion], place: Place) -> None:
    st.html(
        '<div class="rr-quiet">Studies with a finding, by the share of those without it that they rank before. Their '
        "mean is the finding's AUROC; those it would miss come first.</div>"
    )
    _film_by_film(pair, place, "placement")


_VIEWS: Mapping[str, Mapping[str, Callable[[Sequence[ModelVersion], Place], None]]] = {
    "segmentation": {
        "Scores": _scores,
        "Words": _words,
        "Calibration": _calibration,
        "Pictures": show_pictures,
        "Same films": show_same_films,
        "Film by film": _film_by_film,
    },
    "classification": {
        "Columns": show_columns,
        "ROC and PR": show_curves,
        "Calibration": show_calibration,
        "Scores": _scores,
        "Study by study": _study_by_study,
    },
    "retrieval": {"Beside floors": show_beside_floors, "Pictures": show_sheets},
    "generation": {"Beside floors": show_beside_floors, "Pictures": show_sheets},
    "pretraining": {"Scores": _scores, "Pictures": show_sheets},
}
"""What can be looked into, by family; the first is shown first."""
