"""Charts of a classifier: what it makes of film, text and both, at every threshold, and whether to believe it."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from app import theme
from app.screens import frame, jobs
from app.screens.models_scores import metric_name
from app.services.columns import COLUMNS, SUFFIXES, Bin, Columns, Curve
from core.metrics import NOT_EVALUABLE, Metric

_ROW = 46
_STEP = 0.19
_CHANCE = 0.5


def dots(told: Columns, metrics: Mapping[str, Metric], name: str, findings: Sequence[str]) -> go.Figure:
    """A metric with its intervals by finding, a colour for each column; the mean on top."""
    figure = go.Figure()
    for place, column in enumerate(told.names):
        metric = metrics.get(f"{name}{SUFFIXES[column]}")
        if metric is None:
            continue
        estimates = [metric.overall, *(metric.per_finding.get(finding, NOT_EVALUABLE) for finding in findings)]
        shown = [(row, each) for row, each in enumerate(estimates) if each.value is not None]
        offset = (place - (len(told.names) - 1) / 2) * _STEP
        figure.add_scatter(
            x=[each.value for _, each in shown],
            y=[row + offset for row, _ in shown],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [(each.high or 0) - (each.value or 0) for _, each in shown],
                "arrayminus": [(each.value or 0) - (each.low or 0) for _, each in shown],
                "thickness": 1,
                "width": 0,
            },
            customdata=[each.n for _, each in shown],
            hovertemplate="%{x:.3f}, N %{customdata}",
            mode="markers",
            name=COLUMNS[column],
            marker={"color": _colour(place), "size": 7, "symbol": "circle" if place < 3 else "circle-open"},
        )
    names = ["mean", *findings]
    jobs.quiet(figure, 70 + _ROW * len(names))
    if name == "auroc":
        figure.add_vline(x=_CHANCE, line={"color": theme.FAINT, "width": 1, "dash": "dot"})
    figure.update_layout(hovermode="closest", margin={"l": 8, "r": 8, "t": 8, "b": 30})
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=[_spoken(each) for each in names],
        autorange="reversed",
        showgrid=False,
        automargin=True,
    )
    figure.update_xaxes(title=metric_name(name))
    return figure


def operating(
    curves: Mapping[str, Curve], axes: tuple[str, str], height: int, chance: tuple[float, float] | None
) -> go.Figure:
    """Curves by name over [0, 1] each way. `chance` is what a model without skill has at 0 and at 1."""
    figure = go.Figure()
    if chance is not None:
        dotted = {"color": theme.FAINT, "width": 1, "dash": "dot"}
        figure.add_scatter(x=[0, 1], y=list(chance), mode="lines", line=dotted, name="chance", hoverinfo="skip")
    for place, (name, points) in enumerate(curves.items()):
        figure.add_scatter(
            x=[x for x, _ in points],
            y=[y for _, y in points],
            mode="lines",
            name=_spoken(COLUMNS.get(name, name)),
            line={"color": _colour(place), "width": 1.7, "dash": "solid" if place < len(theme.CURVES) else "dash"},
            hovertemplate="%{x:.2f}, %{y:.2f}",
        )
    jobs.quiet(figure, height)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(title=axes[0], range=[-0.01, 1.01])
    figure.update_yaxes(title=axes[1], range=[-0.01, 1.02])
    return figure


def believed(before: Sequence[Bin], after: Sequence[Bin], height: int = 360) -> go.Figure:
    """How often a finding was there of those to which about one probability was given, before and after scaling."""
    figure = go.Figure()
    line = {"color": theme.FAINT, "width": 1, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="as it should be", line=line, hoverinfo="skip")
    for place, (name, bins) in enumerate((("before scaling", before), ("after", after))):
        figure.add_scatter(
            x=[each.probability for each in bins],
            y=[each.present for each in bins],
            customdata=[each.studies for each in bins],
            hovertemplate="%{x:.2f} given, %{y:.2f} present, %{customdata:.0f} studies",
            mode="lines+markers",
            name=name,
            line={"color": (theme.FAINT, theme.ACCENT)[place], "width": 1.6},
            marker={"size": 5},
        )
    jobs.quiet(figure, height)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(title="probability that it gave", range=[-0.01, 1.01])
    figure.update_yaxes(title="share that is present", range=[-0.01, 1.02])
    return figure


def _colour(place: int) -> str:
    return theme.CURVES[place % len(theme.CURVES)]


def _spoken(finding: str) -> str:
    # Plotly reads some markup in labels.
    return frame.escaped(finding.replace("_", " "))
