"""What a version scored, as a matrix of findings and metrics."""

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from app.screens import session
from app.screens.tables import html_table
from app.services import models
from app.services.columns import SUFFIXES
from core.metrics import NOT_EVALUABLE, Estimate, Evaluation, Metric
from core.registry import ModelVersion

WORDINGS = {
    "dice": "as asked",
    "dice_dropped": "without words",
    "dice_shuffled": "another finding's words",
    "dice_negated": "denied",
    "dice_wrong_prompt": "on other structures",
}
"""How Dice is named in the words test. The first is the honest answer; all the others should be low."""

_METRICS = {
    "dice": "Dice",
    "iou": "IoU",
    "ece": "ECE",
    "mse": "MSE",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "auroc": "AUROC",
    "f1": "F1",
    **{f"bleu{order}": f"BLEU-{order}" for order in range(1, 5)},
    "rouge_l": "ROUGE-L",
    "cider": "CIDEr",
    "meteor": "METEOR",
    "bertscore": "BERTScore F1",
    "radgraph_f1": "RadGraph F1",
    "report_f1": "Findings by report, F1",
    "label_micro_f1": "Findings, micro F1",
    "label_macro_f1": "Findings, macro F1",
    "normal_f1": "Normal studies, F1",
    "invented_rate": "Findings invented a report",
    "missed_rate": "Findings missed a report",
    "distinct_share": "Share of distinct reports",
    "recited_share": "Longest recited run, share of the report",
    "accuracy_majority": "Always the more frequent, accuracy",
    **{
        f"{measure}_{view}": f"{measure.upper()}, {view} film drawn again"
        for measure in ("ssim", "psnr", "mse")
        for view in ("frontal", "lateral")
    },
}

_WITH_TEXT = tuple(suffix for suffix in SUFFIXES.values() if suffix)

Place = tuple[str, str]


def metric_name(name: str) -> str:
    return _METRICS.get(name, name.replace("_", " ").capitalize())


def interval(estimate: Estimate) -> str:
    """A value with its 95 % interval and N, as "0.951 (0.940 to 0.962), N 12"."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "not measured"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f}), N {estimate.n}"


def signed(difference: Estimate) -> str:
    if difference.value is None or difference.low is None or difference.high is None:
        return "cannot be compared"
    return f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f}), N {difference.n}"


def floor(metrics: Mapping[str, Metric], headline: str) -> Estimate:
    """What the headline is without any skill (chance, a constant answer), where somebody recorded it as
    `<headline>_floor`."""
    metric = metrics.get(f"{headline}_floor")
    return metric.overall if metric is not None else NOT_EVALUABLE


def show_difference(pair: Sequence[ModelVersion], place: Place) -> None:
    """How much better the first of two versions is on the same items, where both were measured on them."""
    compared = models.compare(session.house(), pair[0].name, pair[1].name, *place) if len(pair) == 2 else None
    if compared is not None and compared.difference.value is not None:
        words = f"{pair[0].name} minus {pair[1].name} on the same films: {metric_name(pair[0].headline)} "
        st.html(f'<div class="rr-finding-out">{escape(words + signed(compared.difference), quote=False)}</div>')


def matrix(metrics: Mapping[str, Metric]) -> str:
    """Findings down, metrics across, each value over its interval; N shows where the pointer rests. Dice to other words
    and what a classifier makes of texts are told elsewhere, and of AUROC everybody knows what chance gives."""
    elsewhere = {*WORDINGS, "auroc_floor", *(name for name in metrics if name.endswith(_WITH_TEXT))} - {"dice"}
    shown = {name: metric for name, metric in metrics.items() if name not in elsewhere}
    findings = list(dict.fromkeys(finding for metric in shown.values() for finding in metric.per_finding))
    headings = "".join(f"<th class=number>{escape(metric_name(name))}</th>" for name in shown)
    alone = len(findings) == 1
    rows = [_row(findings[0] if alone else "all", [metric.overall for metric in shown.values()])]
    for finding in () if alone else findings:
        rows.append(_row(finding, [metric.per_finding.get(finding, NOT_EVALUABLE) for metric in shown.values()]))
    return (
        f'<div class="rr-wide"><table class="rr-table rr-matrix"><thead><tr><th></th>{headings}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def places_table(evaluations: Sequence[Evaluation], headline: str, chosen: Place | None) -> str:
    """Everything that a version was measured on, newest first, each place once; the chosen one is marked."""
    newest = {(each.snapshot, each.split): each for each in reversed(evaluations)}
    rows = [
        (
            f"{each.snapshot}, {each.split}",
            interval(each.metrics[headline].overall) if headline in each.metrics else "not measured",
            f"{each.n:,}",
            "shown" if place == chosen else "",
        )
        for place, each in sorted(newest.items(), key=lambda entry: evaluations.index(entry[1]))
    ]
    return html_table(("Measured on", metric_name(headline), "Films", ""), rows, numbers=(2,))


def _row(name: str, estimates: Sequence[Estimate]) -> str:
    cells = "".join(
        f'<td class=number title="{_hint(each)}">{_value(each)}<small>{_span(each)}</small></td>' for each in estimates
    )
    return f"<tr><td>{escape(name.replace('_', ' '))}</td>{cells}</tr>"


def _hint(estimate: Estimate) -> str:
    return f"N {estimate.n}" if estimate.value is not None else "Nothing here to measure it on"


def _value(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{estimate.value:.3f}"


def _span(estimate: Estimate) -> str:
    return "" if estimate.low is None or estimate.high is None else f"{estimate.low:.3f} to {estimate.high:.3f}"
