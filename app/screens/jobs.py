"""Long work on a screen: what it is, how far, how long still, its curves and its log, and the ways to stop it."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from app import theme
from app.screens import frame, session, times
from app.screens.pages import pages
from app.services import training, workers
from core.jobs import CurvePoint, Job, JobKind, JobState

_DEEDS = {
    JobKind.TRAIN: "Training",
    JobKind.EVALUATE: "Measuring",
    JobKind.PREDICT: "Suggestions",
    JobKind.IMPORT: "Import",
    JobKind.EXPORT: "Export",
    JobKind.INDEX: "Search index",
}
_COLOURS = {
    JobState.QUEUED: "gray",
    JobState.RUNNING: "blue",
    JobState.CANCELLING: "orange",
    JobState.CANCELLED: "gray",
    JobState.FAILED: "red",
    JobState.SUCCEEDED: "green",
}


def title(job: Job) -> str:
    """The job in a few words."""
    p = job.parameters
    words = {
        JobKind.TRAIN: f"{job.family} on {job.snapshot}, {p.get('recipe', {}).get('preset', '')}",
        JobKind.EVALUATE: f"{p.get('model')} on {job.snapshot}, {p.get('split')}",
        JobKind.PREDICT: f"{p.get('model')} for {p.get('dataset') or 'all studies not yet reviewed'}",
        JobKind.IMPORT: f"{p.get('kind')} into {p.get('dataset')}",
        JobKind.EXPORT: f"{p.get('form')} of {p.get('snapshot') or p.get('dataset')}",
        JobKind.INDEX: f"{p.get('model')} looks at all studies",
    }
    deed = "Look" if p.get("rehearsal") else _DEEDS[job.kind]
    return f"{deed}: {words[job.kind]}"


def standing(job: Job) -> str:
    """Where the job stands, in words: how far, how long still, or how long it took."""
    progress = job.progress
    if job.state is JobState.QUEUED:
        return "waits for its turn"
    if not job.state.is_over:
        parts = [progress.message or "begins"]
        if progress.total:
            parts.append(f"{progress.done:,} of {progress.total:,}")
        if progress.seconds_left is not None:
            parts.append(f"{times.lasting(progress.seconds_left)} left")
        return " · ".join(["stopping", *parts] if job.state is JobState.CANCELLING else parts)
    if job.started_at and job.finished_at:
        return f"{job.state} after {times.lasting((job.finished_at - job.started_at).total_seconds())}"
    return str(job.state)


def badge(job: Job) -> None:
    st.badge(str(job.state), color=_COLOURS[job.state])  # type: ignore[arg-type]


def show_detail(job: Job) -> None:
    """Everything about one job. Call inside a fragment that runs again by itself while the job goes on."""
    house = session.house()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<span class="rr-title">{frame.escaped(title(job))}</span>', width="content")
        badge(job)
        st.space("stretch")
        buttons(job)
    st.html(
        f'<div class="rr-quiet">{frame.escaped(standing(job))} · asked for by {frame.escaped(job.requested_by)}, '
        f"{times.moment(job.requested_at)}</div>"
    )
    if not job.state.is_over and job.progress.total:
        st.progress(job.progress.share)
    if job.error:
        frame.problem(job.error)
    if job.kind is JobKind.TRAIN:
        points = training.curve(house, job.id)
        if points:
            st.plotly_chart(curves(points), key=f"curves-{job.id}", theme=None, config={"displayModeBar": False})
        elif not job.state.is_over:
            st.html('<div class="rr-quiet">The curves begin with the first steps.</div>')
    if job.traceback:
        with st.expander("What the program said", key=f"traceback-{job.id}"):
            st.code(job.traceback, language="text", height=260)
    log = training.log_tail(house, job.id)
    if log:
        with st.expander("Log", key=f"log-{job.id}"):
            st.code(log, language="text", height=260)


def curves(points: Sequence[CurvePoint], height: int = 300) -> go.Figure:
    """The loss above, what was validated below, over the steps."""
    names = sorted({point.name for point in points})
    losses = [name for name in names if name.startswith("train_")]
    others = [name for name in names if name not in losses]
    rows = 2 if losses and others else 1
    figure = make_subplots(rows=rows, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    for row, group in enumerate([group for group in (losses, others) if group], 1):
        for place, name in enumerate(group):
            line = [point for point in points if point.name == name]
            colour = theme.CURVES[(place + row - 1) % len(theme.CURVES)]
            figure.add_scatter(
                x=[point.step for point in line],
                y=[point.value for point in line],
                name=name.replace("_", " "),
                mode="lines+markers" if len(line) < 40 else "lines",
                line={"color": colour, "width": 1.6},
                marker={"size": 4},
                row=row,
                col=1,
            )
    return quiet(figure, height)


def quiet(figure: go.Figure, height: int) -> go.Figure:
    """A chart in the house's colours."""
    figure.update_layout(
        height=height,
        margin={"l": 44, "r": 8, "t": 8, "b": 30},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": theme.FAINT, "size": 11},
        legend={"orientation": "h", "y": 1.06, "x": 0, "yanchor": "bottom"},
        hovermode="x unified",
        hoverlabel={"bgcolor": theme.RAISED, "font": {"color": theme.INK}},
    )
    figure.update_xaxes(gridcolor=theme.LINE, zeroline=False)
    figure.update_yaxes(gridcolor=theme.LINE, zeroline=False)
    return figure


def warn_without(role: str, waiting: Sequence[Job]) -> None:
    """Say so when jobs wait for a process that is not running."""
    if any(not job.state.is_over for job in waiting) and not workers.lives(session.house(), role):
        frame.caution(f"The {role} is not running, so nothing will happen. Start the workstation with make app.")


def buttons(job: Job) -> None:
    """Cancel, try again, or the way to the model that came of it."""
    house, reader = session.house(), session.reader()
    if job.state in (JobState.QUEUED, JobState.RUNNING) and st.button("Cancel", key=f"cancel-{job.id}"):
        with frame.told():
            training.cancel(house, job.id, reader)
            st.rerun()
    if job.state is JobState.FAILED and st.button("Try again", key=f"retry-{job.id}"):
        with frame.told():
            training.retry(house, job.id, reader)
            st.rerun()
    made = job.result.get("model")
    if job.state is JobState.SUCCEEDED and made and job.kind is not JobKind.PREDICT:
        st.page_link(pages().models, label=f"See {made}", query_params={"model": str(made)})
