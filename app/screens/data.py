"""The data screen: what comes in, what is held and frozen, what goes out, and the words for it."""

from collections.abc import Callable

import streamlit as st

from app.parts.pulse import pulse
from app.routes import PREFIX
from app.screens import frame, importing, jobs, session, times
from app.screens.freezing import freeze_dialog
from app.screens.tables import html_table
from app.screens.train import counts_table
from app.screens.words import show_vocabulary
from app.services import handing, holdings, training
from core.jobs import Job, JobKind, JobState
from core.reviews import ReviewState
from core.studies import DatasetSummary
from data.exporters import EXPORTERS

REFRESH_SECONDS = 1.5
_FORMS = {
    "coco": "COCO, run lengths",
    "png": "PNG masks with a table",
    "jsonl": "JSON lines",
    "master": "Master list, no films",
}


def show() -> None:
    sections: dict[str, Callable[[], None]] = {
        "Import": importing.show,
        "Datasets": _datasets,
        "Snapshots": _snapshots,
        "Exports": _exports,
        "Findings": show_vocabulary,
        "Quality reports": importing.show_reports,
    }
    section = st.segmented_control(
        "Section",
        list(sections),
        default="Import",
        required=True,
        label_visibility="collapsed",
        key="section",
        bind="query-params",
    )
    sections[section or "Import"]()


def _datasets() -> None:
    held = holdings.holdings(session.house())
    if not held.datasets:
        frame.empty("No dataset is here yet.", "Choose Import above and bring one in.")
        return
    for summary in held.datasets:
        _dataset(summary, held.thumbnails[summary.name])


def _dataset(summary: DatasetSummary, thumbnails: tuple[str, ...]) -> None:
    films = "".join(f'<img src="{PREFIX}/thumbnail/{sha}" alt="" loading="lazy">' for sha in thumbnails)
    states = ", ".join(f"{summary.by_state.get(state, 0):,} {state}" for state in ReviewState)
    split = ", ".join(f"{count:,} {name}" for name, count in summary.by_split.items())
    facts = (
        f"{summary.studies:,} studies of {summary.patients:,} patients · {summary.images:,} films · "
        f"{summary.masks:,} mask versions · {summary.reports:,} reports"
    )
    st.html(
        f'<div class="rr-dataset"><div class="films">{films}</div><div><b>{frame.escaped(summary.name)}</b>'
        f'<div>{facts}</div><div class="rr-quiet">{states}</div><div class="rr-quiet">By split: {split}</div>'
        "</div></div>"
    )
    blind = st.toggle(
        "Read without suggestions",
        summary.blind,
        key=f"blind-{summary.name}",
        help="No model's suggestion is shown on any of its studies",
    )
    if blind != summary.blind:
        holdings.read_blind(session.house(), summary.name, blind, session.reader())
        st.rerun()
    st.html('<hr class="rr-line">')


def _snapshots() -> None:
    snapshots = holdings.all_snapshots(session.house())
    with st.container(horizontal=True):
        if st.button("New snapshot", type="primary"):
            freeze_dialog()
    if not snapshots:
        frame.empty("No snapshot is frozen yet.", "A snapshot is curated data under a name: what models learn from.")
        return
    left, right = st.columns([0.55, 0.45], gap="large")
    rows = [
        (each.name, ", ".join(each.datasets), f"{each.counts.studies:,}", f"{each.counts.masks:,}", each.created_by)
        for each in snapshots
    ]
    left.html(html_table(("Snapshot", "Datasets", "Studies", "Masks", "By"), rows, numbers=(2, 3)))
    with right:
        chosen = st.selectbox("Look at", [each.name for each in snapshots])
        snapshot = next(each for each in snapshots if each.name == chosen)
        st.html(counts_table(snapshot))
        st.html(f'<div class="rr-quiet">SHA-256 {snapshot.sha}</div>')


def _exports() -> None:
    house = session.house()
    left, right = st.columns([0.36, 0.64], gap="large")
    with left:
        names = holdings.dataset_names(house)
        sources = [("snapshot", each.name) for each in holdings.all_snapshots(house)]
        sources += [("dataset", name) for name in names]
        if not sources:
            frame.empty("There is nothing to export yet.", "Choose Import above and bring a dataset in.")
            return
        kind, name = st.selectbox("What", sources, format_func=lambda each: f"{each[0].capitalize()}: {each[1]}")
        form = st.selectbox("Format", list(EXPORTERS), format_func=lambda each: _FORMS.get(each, each))
        st.html(
            '<div class="rr-quiet">With each export goes a manifest of hashes, versions, authors and splits. Imported '
            "again, it gives the same masks; a master list only names films, with their texts and labels.</div>"
        )
        if st.button("Export", type="primary"):
            handing.ask(house, form, session.reader(), **{kind: name})
            st.rerun()
    with right:
        _exports_made()


@st.fragment
def _exports_made() -> None:
    pulse(REFRESH_SECONDS, key="exports")
    with frame.told():
        made = [job for job in training.recent_jobs(session.house(), 100) if job.kind is JobKind.EXPORT]
        if not made:
            st.html('<div class="rr-quiet">Finished exports appear here, to be taken away as one file.</div>')
            return
        jobs.warn_without("clerk", made)
        for job in made[:12]:
            _export(job)


def _export(job: Job) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text(jobs.title(job), width="content")
        st.space("stretch")
        result = job.result
        told = f"{result['images']:,} films, {result['masks']:,} masks · " if job.state is JobState.SUCCEEDED else ""
        told += f"{jobs.standing(job)} · {times.moment(job.requested_at)}"
        st.html(f'<span class="rr-quiet">{frame.escaped(told)}</span>', width="content")
        if job.state is JobState.SUCCEEDED:
            # A link and no download button: Streamlit forgets a button's file whenever the list is drawn anew.
            address = f"{PREFIX}/exports/{job.id}.zip"
            tip = frame.quoted(f"It also lies in {result['out']}")
            st.html(f'<a class="rr-button" href="{address}" download title="{tip}">Download</a>', width="content")
        else:
            jobs.buttons(job)
    if job.error:
        frame.problem(job.error)
