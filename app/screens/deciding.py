"""Which model answers the readers: putting one in use, taking that back, measuring, and asking for suggestions."""

from collections.abc import Sequence

import streamlit as st

from app.screens import frame, session
from app.services import holdings, models, training
from core.errors import ReadingRoomError
from core.registry import ModelState, ModelVersion
from core.studies import Split


def bar(versions: Sequence[ModelVersion]) -> None:
    """The buttons over a family's versions."""
    if st.button("Measure", help="On any snapshot; each look at a test split is put on record"):
        _measure(versions)
    if st.button("Predict", help="Suggestions for a dataset"):
        _predict(versions)
    if st.button("Roll back", help="Take the last promotion back"):
        _roll_back(versions[0].family)
    if st.button("Promote", type="primary", help="Choose the version that answers the readers"):
        _promote(versions)


@st.dialog("Promote")
def _promote(versions: Sequence[ModelVersion]) -> None:
    house, reader = session.house(), session.reader()
    candidates = [model for model in versions if model.state is not ModelState.CHAMPION]
    champion = next((model for model in versions if model.state is ModelState.CHAMPION), None)
    if not candidates:
        st.text("The only version is in use already.")
        return
    name = st.selectbox("Version", [model.name for model in candidates])
    st.html(
        '<div class="rr-quiet">'
        + frame.escaped(f"{champion.name} is in use now." if champion else "No version is in use yet.")
        + " What is promoted makes new suggestions for every study not yet reviewed.</div>"
    )
    try:
        ruling = models.verdict(house, name)
        st.text(ruling.reason)
        if st.button("Promote by the rule", type="primary", disabled=not ruling.promote):
            models.promote_by_rule(house, name, reader)
            st.rerun()
    except ReadingRoomError as refusal:
        frame.caution(str(refusal))
    reason = st.text_input("Or by hand, because", placeholder="The reason is kept")
    if st.button("Promote by hand", disabled=not reason.strip()):
        with frame.told():
            models.promote(house, name, reason, reader)
            st.rerun()


@st.dialog("Roll back")
def _roll_back(family: str) -> None:
    st.text("The version that was in use before answers again, and makes its suggestions anew.")
    reason = st.text_input("Why?", placeholder="The reason is kept")
    if st.button("Roll back", type="primary", disabled=not reason.strip(), key="roll-back-now"):
        with frame.told():
            models.roll_back(session.house(), family, reason, session.reader())
            st.rerun()


@st.dialog("Suggestions for a dataset")
def _predict(versions: Sequence[ModelVersion]) -> None:
    name = st.selectbox("Version", [model.name for model in versions])
    everything = "All studies not yet reviewed"
    dataset = st.selectbox("Dataset", [everything, *holdings.dataset_names(session.house())])
    st.html('<div class="rr-quiet">Readers see the suggestions of the version in use.</div>')
    if st.button("Predict", type="primary", key="predict-now"):
        with frame.told():
            wanted = None if dataset == everything else dataset
            job = training.predict(session.house(), name, wanted, session.reader(), unreviewed=wanted is None)
            _follow(job.id)


@st.dialog("Measure")
def _measure(versions: Sequence[ModelVersion]) -> None:
    name = st.selectbox("Version", [model.name for model in versions])
    known = [snapshot.name for snapshot in holdings.all_snapshots(session.house())]
    snapshot = st.selectbox("Snapshot", known)
    split = st.segmented_control("Split", list(Split), default=Split.VALIDATION, required=True)
    if split is Split.TEST:
        st.html('<div class="rr-quiet">This look at the test split is put on record.</div>')
    if st.button("Measure", type="primary", key="measure-now") and split is not None:
        with frame.told():
            job = training.evaluate(session.house(), name, snapshot, split, session.reader())
            _follow(job.id)


def _follow(job: int) -> None:
    """Show the job on the train screen when the reader goes there, and close the dialog."""
    st.session_state["train-job"] = job
    st.toast("Queued. The Train screen shows how far it is.")
    st.rerun()
