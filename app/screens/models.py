"""The models screen: every version by family, two of them side by side, and which one answers the readers."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.screens import deciding, frame, jobs, session, times
from app.screens.pages import pages
from app.screens.tables import html_table
from app.services import figures, training
from app.services import models as service
from core.metrics import Estimate, Evaluation, Metric
from core.registry import ModelState, ModelVersion
from core.studies import Split

_NONE = "Nothing"
_METRICS = {"dice": "Dice", "iou": "IoU", "ece": "ECE", "mse": "MSE", "psnr": "PSNR", "ssim": "SSIM", "auroc": "AUROC"}


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
    st.html(versions_table(versions))
    st.html('<hr class="rr-line">')
    _side_by_side(versions, named)


def versions_table(versions: Sequence[ModelVersion]) -> str:
    """The versions of a family, newest first, what each learned from and how good it is."""
    rows = [
        (
            model.name,
            str(model.state) if model.promotable else f"{model.state}, evaluation only",
            model.snapshot or "",
            f"{metric_name(model.headline)} {interval(model.metrics[model.headline].overall)}"
            if model.headline in model.metrics
            else "",
            ", ".join(finding.replace("_", " ") for finding in model.findings),
            times.moment(model.created_at),
            model.created_by,
            model.reason or "",
        )
        for model in versions
    ]
    return html_table(("Version", "State", "Learned from", "Validated", "Answers for", "When", "By", "Why"), rows)


def metric_name(name: str) -> str:
    return _METRICS.get(name, name.replace("_", " ").capitalize())


def interval(estimate: Estimate) -> str:
    """A value with its 95 % interval and N, as "0.951 (0.940 to 0.962), N 12"."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not measured"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f}), N {estimate.n}"


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
    view = st.segmented_control(
        "Show",
        ["Scores", "Curves", "Examples", "Failures", "Card"],
        default="Scores",
        required=True,
        label_visibility="collapsed",
        key="models-view",
    )
    if view == "Curves":
        _curves(pair)
    elif view == "Card":
        for column, model in zip(st.columns(len(pair), gap="large"), pair, strict=True):
            column.markdown(figures.card(house, model) or "Its card is not on this machine.")
    elif place is None:
        st.html('<div class="rr-quiet">This version was not measured yet. Measure it on a snapshot.</div>')
    elif view == "Examples":
        _examples(pair, place)
    elif view == "Failures":
        _failures(pair, place)
    else:
        _scores(pair, place)


def _places(evaluations: Sequence[Evaluation]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((each.snapshot, each.split) for each in evaluations))


def _scores(pair: Sequence[ModelVersion], place: tuple[str, str]) -> None:
    house = session.house()
    told = [_metrics(service.evaluations(house, model.name), place) for model in pair]
    if len(pair) == 2 and told[1] is not None and place[1] in set(Split):
        compared = service.compare(house, pair[0].name, pair[1].name, place[0], Split(place[1]))
        if compared is not None and compared.difference.value is not None:
            words = f"{pair[0].name} minus {pair[1].name} on the same films: {metric_name(pair[0].headline)} "
            st.html(f'<div class="rr-finding-out">{frame.escaped(words + signed(compared.difference))}</div>')
    rows = []
    for name, metric in (told[0] or {}).items():
        for finding in ("", *metric.per_finding):
            cells = [interval(_estimate(each, name, finding)) if each else "not measured here" for each in told]
            rows.append((metric_name(name) if not finding else "", finding.replace("_", " ") or "all", *cells))
    with st.container(width=980):
        st.html(html_table(("", "Finding", *(model.name for model in pair)), rows))
    st.html('<div class="rr-quiet">In brackets the 95 % interval, resampled by patient. N counts films.</div>')


def signed(difference: Estimate) -> str:
    if difference.value is None or difference.low is None or difference.high is None:
        return "cannot be compared"
    return f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f}), N {difference.n}"


def _metrics(evaluations: Sequence[Evaluation], place: tuple[str, str]) -> Mapping[str, Metric] | None:
    return next((each.metrics for each in evaluations if (each.snapshot, each.split) == place), None)


def _estimate(metrics: Mapping[str, Metric], name: str, finding: str) -> Estimate:
    metric = metrics.get(name, Metric(Estimate(None, None, None, 0)))
    return metric.per_finding.get(finding, Estimate(None, None, None, 0)) if finding else metric.overall


def _curves(pair: Sequence[ModelVersion]) -> None:
    for column, model in zip(st.columns(len(pair), gap="large"), pair, strict=True):
        with column:
            st.html(f'<div class="rr-title">{frame.escaped(model.name)}</div>')
            points = training.curve(session.house(), model.job) if model.job is not None else ()
            if points:
                figure = jobs.curves(points, 380)
                st.plotly_chart(figure, key=f"curve-{model.name}", theme=None, config={"displayModeBar": False})
            else:
                st.html('<div class="rr-quiet">It brought no curves.</div>')


def _examples(pair: Sequence[ModelVersion], place: tuple[str, str]) -> None:
    for column, model in zip(st.columns(len(pair), gap="medium"), pair, strict=True):
        with column:
            st.html(f'<div class="rr-title">{frame.escaped(model.name)}: film, truth, prediction; failures first</div>')
            shown = figures.examples(session.house(), model, *place)
            with st.grid(1 if len(pair) > 1 else 2, gap="small"):
                for example in shown:
                    st.image(example.path, caption=frame.plain(example.name), width="stretch")
            if not shown:
                st.html('<div class="rr-quiet">It left no pictures here.</div>')


def _failures(pair: Sequence[ModelVersion], place: tuple[str, str]) -> None:
    """Film by film, where the first of the two does worst."""
    compared = None
    if place[1] in set(Split):
        other = pair[-1].name
        compared = service.compare(session.house(), pair[0].name, other, place[0], Split(place[1]))
    if compared is None:
        st.html('<div class="rr-quiet">The two were not both measured film by film here.</div>')
        return
    headline = pair[0].headline
    scored = [(one, other) for one, other in compared.pairs if one.values.get(headline) is not None]
    scored.sort(key=lambda two: two[0].values.get(headline) or 0.0)
    rows = [
        (
            one.item,
            one.finding.replace("_", " "),
            *(_score(score.values.get(headline)) for score in (one, other)[: len(pair)]),
        )
        for one, other in scored[:30]
    ]
    with st.container(width=980):
        st.html(html_table(("Film", "Finding", *(model.name for model in pair)), rows, numbers=(2, 3)))


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
