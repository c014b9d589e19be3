"""Charts of a measurement: does the model listen to words, and can its probabilities be believed."""

from collections.abc import Mapping

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app import theme
from app.screens import frame, jobs
from app.screens.models_scores import WORDINGS
from app.services.figures import Bin, Details
from core.metrics import NOT_EVALUABLE, Estimate, Metric

_HEAT = [[0.0, theme.RAISED], [1.0, "#3E6A91"]]
_ROW = 26


def wording(metrics: Mapping[str, Metric], height: int = 300) -> go.Figure | None:
    """Dice to each wording, by finding, with its interval; None where the words were not tried."""
    tried = {name: words for name, words in WORDINGS.items() if name in metrics}
    if len(tried) < 2:
        return None
    figure = go.Figure()
    for place, finding in enumerate(metrics["dice"].per_finding):
        estimates = [metrics[name].per_finding.get(finding, NOT_EVALUABLE) for name in tried]
        figure.add_bar(
            x=list(tried.values()),
            y=[each.value for each in estimates],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [_above(each) for each in estimates],
                "arrayminus": [_below(each) for each in estimates],
                "color": theme.FAINT,
                "thickness": 1,
                "width": 3,
            },
            customdata=[each.n for each in estimates],
            hovertemplate="%{y:.3f}, N %{customdata}",
            name=_spoken(finding),
            marker={"color": _colour(place), "opacity": 1.0 if place < len(theme.CURVES) else 0.5},
        )
    jobs.quiet(figure, height)
    figure.update_layout(barmode="group", bargap=0.35, showlegend=True)
    figure.update_yaxes(range=[0, 1.02], title="Dice")
    return figure


def prompts(details: Details) -> go.Figure | None:
    """The mean Dice of what each prompt marked on each structure's truth; None where none was measured."""
    asked = list(details.prompts)
    on = list(dict.fromkeys(key for row in details.prompts.values() for key in row))
    if not on:
        return None
    table = [[details.prompts[one].get(other) for other in on] for one in asked]
    figure = go.Figure(
        go.Heatmap(
            x=[_spoken(key) for key in on],
            y=[_spoken(key) for key in asked],
            z=table,
            text=[["" if value is None else f"{value:.2f}" for value in row] for row in table],
            texttemplate="%{text}",
            textfont={"color": theme.INK},
            hovertemplate="asked for %{y}, on %{x}: %{z:.3f}<extra></extra>",
            colorscale=_HEAT,
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    jobs.quiet(figure, 150 + _ROW * len(asked))
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(title={"text": "truth of", "standoff": 8}, showgrid=False, automargin=True, tickangle=-30)
    figure.update_yaxes(
        title={"text": "asked for", "standoff": 8}, showgrid=False, automargin=True, autorange="reversed"
    )
    return figure


def reliability(tables: Mapping[str, tuple[Bin, ...]], height: int = 420) -> go.Figure:
    """Above, how often pixels of a probability are true; below, how many there are of each."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.06)
    line = {"color": theme.FAINT, "width": 1, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="as it should be", line=line, hoverinfo="skip")
    for place, (finding, bins) in enumerate(tables.items()):
        whole = sum(each.pixels for each in bins) or 1.0
        look = {"color": _colour(place), "width": 1.6, "dash": "solid" if place < len(theme.CURVES) else "dash"}
        style = {"mode": "lines+markers", "marker": {"size": 4}, "line": look}
        x = [each.probability for each in bins]
        named = {"name": _spoken(finding), "legendgroup": finding}
        figure.add_scatter(x=x, y=[each.true for each in bins], **named, **style, row=1, col=1)
        shares = [each.pixels / whole for each in bins]
        figure.add_scatter(x=x, y=shares, **named, **style, showlegend=False, row=2, col=1)
    jobs.quiet(figure, height)
    figure.update_layout(hovermode="closest")
    figure.update_yaxes(title="share that is true", range=[0, 1.02], row=1, col=1)
    figure.update_yaxes(title="pixels", type="log", dtick=2, exponentformat="power", row=2, col=1)
    figure.update_xaxes(title="probability that it gave", range=[-0.01, 1.01], row=2, col=1)
    return figure


def sureness(tables: Mapping[str, tuple[tuple[float, float], ...]], height: int = 420) -> go.Figure | None:
    """The Dice that was found over the Dice that the model expected, film by film; None where no film told."""
    if not any(tables.values()):
        return None
    figure = go.Figure()
    line = {"color": theme.FAINT, "width": 1, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="as it should be", line=line, hoverinfo="skip")
    for place, (finding, pairs) in enumerate(tables.items()):
        figure.add_scatter(
            x=[expected for expected, _ in pairs],
            y=[found for _, found in pairs],
            mode="markers",
            name=_spoken(finding),
            marker={"size": 5, "opacity": 0.75, "color": _colour(place), "symbol": _symbol(place)},
        )
    jobs.quiet(figure, height)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(title="Dice that it expected", range=[-0.01, 1.02])
    figure.update_yaxes(title="Dice that was found", range=[-0.01, 1.02])
    return figure


def _colour(place: int) -> str:
    return theme.CURVES[place % len(theme.CURVES)]


def _symbol(place: int) -> str:
    return "circle" if place < len(theme.CURVES) else "diamond-open"


def _above(estimate: Estimate) -> float:
    return 0.0 if estimate.high is None or estimate.value is None else estimate.high - estimate.value


def _below(estimate: Estimate) -> float:
    return 0.0 if estimate.low is None or estimate.value is None else estimate.value - estimate.low


def _spoken(finding: str) -> str:
    # Plotly reads some markup in labels.
    return frame.escaped(finding.replace("_", " "))
