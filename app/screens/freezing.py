"""Freezing curated data under a name, in a dialog that the train and the data screens open."""

import streamlit as st

from app.screens import frame, session
from app.services import holdings, snapshots, vocabulary
from core.findings import by_key
from core.reports import SHORT_REPORT, Cleaning
from core.snapshots import SnapshotFilter
from core.splits import SplitPolicy
from core.studies import View


@st.dialog("New snapshot", width="medium")
def freeze_dialog() -> None:
    house = session.house()
    known = holdings.dataset_names(house)
    if not known:
        st.text("There is no dataset to freeze yet. Import one on the Data screen.")
        return
    name = st.text_input("Name", placeholder="such as lungs-2")
    datasets = st.multiselect("Datasets", known, default=known if len(known) == 1 else [])
    names = by_key(vocabulary.vocabulary(house, include_retired=True))
    findings = st.multiselect(
        "Only masks of", list(names), format_func=lambda key: names[key].name, placeholder="All findings"
    )
    left, right = st.columns(2, gap="small")
    views = left.multiselect("Only views", list(View), placeholder="All views")
    split = right.text_input(
        "Split", placeholder="0.8, 0.1, 0.1", help="Shares of patients for train, validation, test"
    )
    with_masks = left.toggle("Only studies with a mask")
    with_report = right.toggle("Only studies with a report")
    long_reports = left.toggle(f"Only reports of {SHORT_REPORT} characters or more")
    full_narrative = right.toggle("Only reports with findings and impression")
    frontal_only = left.toggle("Only frontal films")
    paired_views = right.toggle("Only studies with a frontal and a lateral film")
    lung_findings_only = right.toggle(
        "Only findings of the lungs", help="Studies with a finding outside the lungs and the pleura stay out"
    )
    image_and_text = right.toggle("Only studies with an image and a text", help="Each image is looked up in the store")
    positive_only = left.toggle("Only labels of findings that are present")
    drop_marks = right.toggle("Take XXXX marks out of reports")
    drop_normals = left.toggle("Take templated normal sentences out")
    max_patients = right.number_input(
        "Patients of each dataset",
        min_value=1,
        value=None,
        placeholder="All of them",
        help="Always the same ones, in the shares of the splits",
    )
    st.html(
        '<div class="rr-quiet">The first snapshot of a dataset fixes for ever which patients learn and which judge. '
        "In validation and test only masks count that no model had a hand in. What a filter leaves out stays on "
        "record, and the snapshot counts it.</div>"
    )
    if st.button("Freeze", type="primary", disabled=not (name.strip() and datasets)):
        with frame.told():
            frozen = snapshots.freeze(
                house,
                name.strip(),
                datasets,
                session.reader(),
                split=SplitPolicy.parse(split) if split.strip() else None,
                wanted=SnapshotFilter(
                    findings=tuple(findings),
                    views=tuple(views),
                    with_masks=with_masks,
                    with_report=with_report,
                    min_report_characters=SHORT_REPORT if long_reports else 0,
                    max_patients=max_patients,
                    frontal_only=frontal_only,
                    full_narrative=full_narrative,
                    positive_only=positive_only,
                    image_and_text=image_and_text,
                    paired_views=paired_views,
                    lung_findings_only=lung_findings_only,
                ),
                cleaning=Cleaning(drop_marks=drop_marks, drop_templated_normals=drop_normals),
            )
            st.session_state["train-snapshot"] = frozen.name
            st.rerun()
