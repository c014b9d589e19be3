"""A classifier's measurement on the screen: four columns side by side, its curves, and whether it can be believed."""

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from app.screens import columns_charts as charts
from app.screens import frame, session
from app.screens.models_scores import Place, metric_name, show_difference
from app.screens.tables import html_table
from app.services import columns as service
from app.services import models
from app.services.columns import COLUMNS, DIFFERENCES, SUFFIXES, Columns
from core.metrics import NOT_EVALUABLE, Estimate, Metric
from core.registry import ModelVersion

_METRICS = ("auroc", "average_precision", "f1", "recall", "precision", "accuracy", "brier", "ece")
_ALL = "All findings"
_WITHOUT = "Nothing was left here to look into. Measure it here again."


def show_columns(pair: Sequence[ModelVersion], place: Place) -> None:
    """Film alone, text alone, both, and both with another's text; and what each is worth beside another."""
    found = _found(pair, place)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        known = [name for name in _METRICS if any(name in metrics for _, _, metrics in found)]
        if not known:
            st.html(f'<div class="rr-quiet">{_WITHOUT}</div>')
            return
        name = st.segmented_control(
            "Metric",
            known,
            default=known[0],
            required=True,
            format_func=metric_name,
            label_visibility="collapsed",
            key="models-columns-metric",
        )
    show_difference(pair, place)
    for cell, (model, told, metrics) in zip(st.columns(len(pair), gap="large"), found, strict=True):
        with cell:
            _title(pair, model)
            if told is None or not told.names:
                st.html(f'<div class="rr-quiet">{_WITHOUT}</div>')
                continue
            for warning in told.warnings:
                frame.caution(warning)
            findings = findings_of(told, metrics, name)
            left, right = st.columns([0.56, 0.44], gap="large") if len(pair) == 1 else (st.container(), st.container())
            left.html(columns_table(told, metrics, name, findings))
            if told.compared:
                left.html(differences_table(told, findings))
            with right:
                shown = [finding for finding in findings if finding not in told.not_evaluable]
                chart = charts.dots(told, metrics, name, shown)
                st.plotly_chart(chart, key=f"dots-{model.name}", theme=None, config={"displayModeBar": False})


def show_curves(pair: Sequence[ModelVersion], place: Place) -> None:
    """What every threshold would give: ROC and precision over recall, with the threshold chosen on validation told."""
    found = _found(pair, place)
    findings = list(dict.fromkeys(key for _, told, _ in found if told for row in told.roc.values() for key in row))
    if not findings:
        st.html(f'<div class="rr-quiet">{_WITHOUT}</div>')
        return
    names = [name for name in COLUMNS if any(told and name in told.roc for _, told, _ in found)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox(
            "Finding", [_ALL, *findings], format_func=frame.plain, key="models-curves-finding", width=240
        )
        column = names[0]
        if chosen == _ALL and len(names) > 1:
            column = st.selectbox(
                "Given", names, format_func=lambda name: COLUMNS[name], key="models-curves-column", width=240
            )
    for cell, (model, told, _) in zip(st.columns(len(pair), gap="large"), found, strict=True):
        with cell:
            _title(pair, model)
            if told is None:
                st.html(f'<div class="rr-quiet">{_WITHOUT}</div>')
                continue
            _two_curves(model, told, chosen, column, len(pair) == 1)


def show_calibration(pair: Sequence[ModelVersion], place: Place) -> None:
    """Can it be believed: probabilities beside what was there, before and after scaling, and the thresholds."""
    found = _found(pair, place)
    findings = list(dict.fromkeys(key for _, told, _ in found if told for key in told.reliability))
    if not findings:
        st.html('<div class="rr-quiet">No probabilities were kept here.</div>')
        return
    chosen = st.selectbox("Finding", findings, format_func=frame.plain, key="models-believed-finding", width=240)
    for cell, (model, told, metrics) in zip(st.columns(len(pair), gap="large"), found, strict=True):
        with cell:
            _title(pair, model)
            if told is None or chosen not in told.reliability:
                st.html('<div class="rr-quiet">It kept no probabilities of this finding here.</div>')
                continue
            left, right = st.columns(2, gap="large") if len(pair) == 1 else (st.container(), st.container())
            chart = charts.believed(told.reliability_before.get(chosen, ()), told.reliability[chosen])
            with left:
                st.plotly_chart(chart, key=f"believed-{model.name}", theme=None, config={"displayModeBar": False})
            right.html(calibration_table(told, metrics) + thresholds_table(told))


def findings_of(told: Columns, metrics: Mapping[str, Metric], name: str) -> list[str]:
    """All findings that were looked at, those in the mean first, those that could not be judged last."""
    measured = [key for column in told.names for key in _metric(metrics, name, column).per_finding]
    known = list(dict.fromkeys((*told.averaged, *measured, *told.counts, *told.not_evaluable)))
    return sorted(known, key=lambda key: (key in told.not_evaluable, key not in told.averaged))


def columns_table(told: Columns, metrics: Mapping[str, Metric], name: str, findings: Sequence[str]) -> str:
    """Findings down, columns across, each value over its interval; what could not be judged says why."""
    heads = "".join(f"<th class=number>{escape(COLUMNS[column])}</th>" for column in told.names)
    estimates = {column: _metric(metrics, name, column) for column in told.names}
    mean = f"mean of {len(told.averaged)}" if told.averaged else "mean"
    rows = [f"<tr><td>{mean}</td><td></td>{_cells([m.overall for m in estimates.values()])}</tr>"]
    for finding in findings:
        count = told.counts.get(finding)
        many = f"{count.positives:,} of {count.n:,}" if count else ""
        spoken = escape(finding.replace("_", " "))
        if finding in told.not_evaluable:
            why = f"not evaluable: {escape(told.not_evaluable[finding])}"
            rest = f'<td class="faint" colspan={len(told.names)}>{why}</td>'
        else:
            rest = _cells([m.per_finding.get(finding, NOT_EVALUABLE) for m in estimates.values()])
        mark = "" if not told.averaged or finding in told.averaged else ' title="Not in the mean"'
        rows.append(f"<tr{mark}><td>{spoken}</td><td class=number>{many}</td>{rest}</tr>")
    return (
        f'<div class="rr-title">{escape(metric_name(name))}</div>'
        '<div class="rr-wide"><table class="rr-table rr-matrix">'
        f"<thead><tr><th></th><th class=number>Present</th>{heads}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def differences_table(told: Columns, findings: Sequence[str]) -> str:
    """Paired differences of AUROC on the same studies. What chance cannot explain stands out."""
    pairs = [pair for pair in DIFFERENCES if pair in told.compared]
    heads = "".join(f"<th class=number>{escape(DIFFERENCES[pair])}<small>{_minus(pair)}</small></th>" for pair in pairs)
    rows = [("mean", [told.compared[pair].overall for pair in pairs])]
    rows += [
        (finding, [told.compared[pair].per_finding.get(finding, NOT_EVALUABLE) for pair in pairs])
        for finding in findings
        if finding not in told.not_evaluable
    ]
    body = "".join(
        f"<tr><td>{escape(name.replace('_', ' '))}</td>{''.join(_difference(each) for each in estimates)}</tr>"
        for name, estimates in rows
    )
    return (
        '<div class="rr-title">Paired differences of AUROC, on the same studies</div>'
        '<div class="rr-wide"><table class="rr-table rr-matrix">'
        f"<thead><tr><th></th>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def calibration_table(told: Columns, metrics: Mapping[str, Metric]) -> str:
    """Calibration errors of the mean by column, before temperature scaling and after."""
    rows = []
    for column in told.names:
        before = [told.before.get(name, {}).get(column, {}).get("") for name in ("ece", "brier")]
        after = [_metric(metrics, name, column).overall.value for name in ("ece", "brier")]
        temperature = told.temperature.get(column)
        ece, brier = ((_number(first), _number(then)) for first, then in zip(before, after, strict=True))
        rows.append((COLUMNS[column], "" if temperature is None else f"{temperature:.2f}", *ece, *brier))
    return html_table(
        ("Given", "Temperature", "ECE before", "after", "Brier before", "after"), rows, numbers=(1, 2, 3, 4, 5)
    )


def thresholds_table(told: Columns) -> str:
    """The probability from which on a finding is called present, by column, chosen on validation."""
    if not told.thresholds:
        return ""
    rows = [
        (finding.replace("_", " "), *(_number(row.get(column), 2) for column in told.names))
        for finding, row in told.thresholds.items()
    ]
    headings = ("", *(COLUMNS[column] for column in told.names))
    table = html_table(headings, rows, numbers=range(1, len(headings)))
    return f'<div class="rr-title">Called present from</div><div class="rr-wide">{table}</div>'


def _two_curves(model: ModelVersion, told: Columns, chosen: str, column: str, alone: bool) -> None:
    if chosen == _ALL:
        roc, pr = told.roc.get(column, {}), told.pr.get(column, {})
    else:
        roc = {name: row[chosen] for name, row in told.roc.items() if chosen in row}
        pr = {name: row[chosen] for name, row in told.pr.items() if chosen in row}
    count = told.counts.get(chosen)
    share = count.positives / count.n if count and count.n else None
    chance = None if share is None else (share, share)
    left, right = st.columns(2, gap="large") if alone else (st.container(), st.container())
    height = 440 if alone else 330
    with left:
        chart = charts.operating(roc, ("false alarms", "found"), height, (0.0, 1.0))
        st.plotly_chart(chart, key=f"roc-{model.name}", theme=None, config={"displayModeBar": False})
    with right:
        chart = charts.operating(pr, ("found (recall)", "right when it says present"), height, chance)
        st.plotly_chart(chart, key=f"pr-{model.name}", theme=None, config={"displayModeBar": False})


def _found(
    pair: Sequence[ModelVersion], place: Place
) -> list[tuple[ModelVersion, Columns | None, Mapping[str, Metric]]]:
    house = session.house()
    found = []
    for model in pair:
        measured = models.evaluations(house, model.name)
        metrics = next((each.metrics for each in measured if (each.snapshot, each.split) == place), {})
        found.append((model, service.columns(house, model, *place), metrics))
    return found


def _title(pair: Sequence[ModelVersion], model: ModelVersion) -> None:
    if len(pair) > 1:
        st.html(f'<div class="rr-title">{frame.escaped(model.name)}</div>')


def _metric(metrics: Mapping[str, Metric], name: str, column: str) -> Metric:
    return metrics.get(f"{name}{SUFFIXES[column]}", Metric(NOT_EVALUABLE))


def _cells(estimates: Sequence[Estimate]) -> str:
    return "".join(
        f'<td class=number title="N {each.n}">{each.value:.3f}<small>{_span(each)}</small></td>'
        if each.value is not None
        else "<td class=number>–</td>"
        for each in estimates
    )


def _difference(each: Estimate) -> str:
    if each.value is None or each.low is None or each.high is None:
        return "<td class=number>–</td>"
    told = f"{each.value:+.3f}<small>{each.low:+.3f} to {each.high:+.3f}</small>"
    is_beyond_chance = each.low > 0 or each.high < 0
    return f'<td class="number{"" if is_beyond_chance else " faint"}" title="N {each.n}">{told}</td>'


def _minus(pair: str) -> str:
    one, _, other = pair.partition("-")
    return escape(f"{COLUMNS.get(one, one)} minus {COLUMNS.get(other, other)}")


def _span(each: Estimate) -> str:
    return "" if each.low is None or each.high is None else f"{each.low:.3f} to {each.high:.3f}"


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
