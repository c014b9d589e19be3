"""The train screen: what to learn, from what, how; and what is being learned now."""

from typing import Any

import streamlit as st

from app.parts.pulse import pulse
from app.screens import frame, jobs, session, times
from app.screens.freezing import freeze_dialog
from app.screens.pages import pages
from app.screens.tables import html_table
from app.services import holdings, training, workers
from core.jobs import Job, JobState
from core.recipes import PRESETS, BadRecipe, FieldSpec, Recipe, changed, form, preset
from core.snapshots import Snapshot
from core.studies import Split

REFRESH_SECONDS = 1.5
_LISTED = 14


def show() -> None:
    left, right = st.columns([0.4, 0.6], gap="large")
    with left:
        _plan()
    with right:
        _work()


def _plan() -> None:
    house = session.house()
    snapshots = holdings.all_snapshots(house)
    if not snapshots:
        _no_snapshot()
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        family = st.selectbox("Family", list(PRESETS), format_func=str.capitalize, key="train-family", width=160)
        name = st.selectbox("Snapshot", [each.name for each in snapshots], key="train-snapshot", width="stretch")
        if st.button("New snapshot", help="Freeze curated data under a name"):
            freeze_dialog()
    snapshot = next((each for each in snapshots if each.name == name), None)
    if family is None or snapshot is None:
        return
    st.html(counts_table(snapshot))
    recipe = _recipe(family, snapshot)
    promote = st.toggle(
        "Put it in use by itself if it is better than the present one beyond chance", key="train-promote"
    )
    if st.button("Start training", type="primary", disabled=recipe is None) and recipe is not None:
        job = training.train(house, recipe, snapshot.name, session.reader(), "rule" if promote else "never")
        st.session_state["train-job"] = job.id
        st.rerun()


def counts_table(snapshot: Snapshot) -> str:
    """What a snapshot counts, as a table."""
    counts = snapshot.counts
    split = ", ".join(f"{counts.by_split.get(each, 0):,} {each}" for each in Split)
    masks, labels = (
        ", ".join(f"{finding.replace('_', ' ')} {count:,}" for finding, count in counted.items())
        for counted in (counts.by_finding, counts.by_label)
    )
    rows = [
        ("Datasets", ", ".join(snapshot.datasets)),
        ("Studies", f"{counts.studies:,} of {counts.patients:,} patients, {counts.images:,} films"),
        ("Split", split if snapshot.fold is None else f"{split}; fold {snapshot.fold.index + 1} of {snapshot.fold.of}"),
        ("Masks", masks or "none"),
        ("Present by label", labels or "none"),
        ("Reports", f"{counts.reports:,}"),
        ("Reports by readers", ", ".join(f"{what} {count:,}" for what, count in counts.curated.items()) or "none"),
        ("Left out", ", ".join(f"{what} {count:,}" for what, count in counts.left_out.items()) or "nothing"),
    ]
    return html_table(("", ""), rows)


def _recipe(family: str, snapshot: Snapshot) -> Recipe | None:
    """The recipe that the form states; None, with the reason on the screen, when it contradicts itself."""
    name = st.segmented_control(
        "Preset", list(PRESETS[family]), default=next(iter(PRESETS[family])), required=True, key=f"preset-{family}"
    )
    start = preset(family, name or next(iter(PRESETS[family])))
    fields = [spec for spec in form(start) if spec.name != "preset"]
    values = _fields([spec for spec in fields if spec.basic], start, snapshot, 3)
    with st.expander("Advanced", key=f"advanced-{family}"):
        values |= _fields([spec for spec in fields if not spec.basic], start, snapshot, 3)
    try:
        return changed(start, values)
    except BadRecipe as contradiction:
        frame.caution(str(contradiction))
        return None


def _fields(specs: list[FieldSpec], start: Recipe, snapshot: Snapshot, columns: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for begin in range(0, len(specs), columns):
        for cell, spec in zip(st.columns(columns, gap="small"), specs[begin : begin + columns], strict=False):
            with cell:
                key = f"recipe-{start.family}-{start.preset}-{spec.name}"
                values[spec.name] = _field(spec, start.family, key, snapshot)
    return values


def _field(spec: FieldSpec, family: str, key: str, snapshot: Snapshot) -> Any:
    """A widget for one field. Numbers with a point are typed as text, so that 1e-4 can be said."""
    label = spec.name.replace("_", " ").capitalize()
    if spec.kind == "choice":
        return st.selectbox(label, spec.choices, spec.choices.index(spec.default), help=spec.doc, key=key)
    if spec.kind == "flag":
        return st.toggle(label, spec.default, help=spec.doc, key=key)
    if spec.kind == "integer":
        return st.number_input(label, value=spec.default, step=1, help=spec.doc, key=key)
    if spec.name == "findings":
        by_label = family == "classification"
        known = list(snapshot.counts.by_label if by_label else snapshot.counts.by_finding)
        every = "All with labels" if by_label else "All with masks"
        return st.multiselect(label, known, help=spec.doc, placeholder=every, key=f"{key}-{snapshot.id}")
    shown = ", ".join(str(part) for part in spec.default) if spec.kind == "list" else _number(spec.default)
    return st.text_input(label, shown, help=spec.doc, key=key)


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _no_snapshot() -> None:
    has_data = bool(holdings.dataset_names(session.house()))
    if has_data:
        frame.empty(
            "No snapshot is frozen yet.", "A model learns from a snapshot: curated data under a name, split by patient."
        )
    else:
        frame.empty("There is nothing to learn from yet.", "Import studies with masks, then freeze a snapshot of them.")
    with st.container(horizontal_alignment="center"):
        if has_data and st.button("New snapshot", type="primary"):
            freeze_dialog()
        if not has_data and st.button("Import studies", type="primary"):
            st.switch_page(pages().data)


@st.fragment
def _work() -> None:
    pulse(REFRESH_SECONDS, key="train")
    with frame.told():
        house = session.house()
        if not workers.lives(house, "trainer"):
            frame.caution(
                "No training worker is running, so nothing will start. Run make app, or python -m app worker in a "
                "terminal."
            )
        listed = [job for job in training.recent_jobs(house, 60) if job.kind.needs_models][:_LISTED]
        if not listed:
            st.html(
                '<div class="rr-quiet">Nothing was trained yet. What you start appears here, with its curves.</div>'
            )
            return
        chosen = _chosen(listed)
        jobs.show_detail(chosen)
        st.html('<hr class="rr-line">')
        for job in listed:
            _row(job, job.id == chosen.id)


def _chosen(listed: list[Job]) -> Job:
    wanted = st.session_state.get("train-job")
    active = next((job for job in listed if job.state is JobState.RUNNING), listed[0])
    return next((job for job in listed if job.id == wanted), active)


def _row(job: Job, is_chosen: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"job-row-{job.id}"):
        if st.button(frame.plain(jobs.title(job)), type="tertiary", key=f"job-{job.id}", disabled=is_chosen):
            st.session_state["train-job"] = job.id
            st.rerun(scope="fragment")
        st.space("stretch")
        when = f"{jobs.standing(job)} · {times.moment(job.requested_at)}"
        st.html(f'<span class="rr-quiet">{frame.escaped(when)}</span>', width="content")
        jobs.badge(job)
