"""Bringing data in: name it or drop it, look at what would come, then let it in."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app.parts.pulse import pulse
from app.screens import frame, jobs, session, times
from app.screens.pages import pages
from app.screens.tables import html_table
from app.services import importing as service
from app.services import training, uploads, workers
from app.services.importing import Choices
from core.jobs import Job, JobKind, JobState
from core.studies import View
from data.importers import IMPORTERS
from data.quality import QualityReport

REFRESH_SECONDS = 1.0
_MOST_SKIPPED = 200
_VIEWLESS = ("images", "folder", "openi-parquet")
_MARKED = ("folder", "coco")
_LOOKED = "import-looked"
_IMPORTED = "import-done"

_KINDS = {
    "images": ("Loose images", "PNG, JPEG or TIFF films, each a study of its own; 16 bits are kept."),
    "folder": (
        "Folder with masks",
        "images/ and masks/FINDING/ joined by file name, with a table of patients if there is one.",
    ),
    "dicom": ("DICOM", "CR and DX films. What names a patient is removed from the header before anything is kept."),
    "iu-xray": ("Indiana University", "The public Kaggle layout: two tables and the folder of images."),
    "openi-parquet": ("OpenI, parquet", "Indiana University's films as parquet files, one or a folder of them."),
    "chexpert": ("CheXpert", "train.csv or valid.csv with the folder of films that they name, at full or small size."),
    "nih": ("ChestX-ray14", "Data_Entry_2017.csv beside images or images_001 to images_012; boxes and lists if there."),
    "mimic-cxr": (
        "MIMIC-CXR",
        "The folder with mimic-cxr-2.0.0-metadata.csv, the tables of splits and labels, the reports' zip, and files.",
    ),
    "chexlocalize": ("CheXlocalize", "gt_segmentations JSON in or beside the folder of CheXpert films, at full size."),
    "coco": ("COCO", "An export of ours, or any COCO file with run lengths or polygons."),
    "jsonl": ("JSON lines", "An export of ours."),
}


def show() -> None:
    if (imported := st.session_state.pop(_IMPORTED, None)) is not None:
        st.switch_page(pages().worklist, query_params={"dataset": imported})
    left, right = st.columns([0.4, 0.6], gap="large")
    with left:
        kind = st.selectbox(
            "Kind", sorted(IMPORTERS, key=_place), format_func=lambda each: _named(each)[0], key="import-kind"
        )
        st.html(f'<div class="rr-quiet">{_named(kind)[1]}</div>')
        dataset = st.text_input("Dataset", placeholder="The name it will have here", key="import-dataset")
        way = st.segmented_control(
            "From", ["A folder or file", "Dropped files"], default="A folder or file", required=True, key="import-way"
        )
        path, dropped = "", []
        if way == "Dropped files":
            dropped = st.file_uploader(
                "Files", accept_multiple_files=True, label_visibility="collapsed", key="import-files"
            )
        else:
            path = st.text_input("Path", placeholder="A folder, a file or a zip on this machine", key="import-path")
        choices = _choices(kind)
        ready = bool(dataset.strip()) and bool(path.strip() or dropped)
        is_first = st.session_state.get(_LOOKED) is None
        if st.button(
            "Look first",
            type="primary" if is_first else "secondary",
            disabled=not ready,
            help="See what would come in, and what not and why",
        ):
            source = uploads.keep(session.house(), dropped) if dropped else Path(path.strip()).expanduser()
            job = service.request(
                session.house(), kind, source, dataset.strip(), session.reader(), rehearsal=True, choices=choices
            )
            st.session_state[_LOOKED] = job.id
            st.rerun()
    with right:
        _progress()


@st.fragment
def _progress() -> None:
    pulse(REFRESH_SECONDS, key="import")
    with frame.told():
        house = session.house()
        imports = workers.unfinished(house, [JobKind.IMPORT])
        jobs.warn_without("clerk", imports)
        number = st.session_state.get(_LOOKED)
        if number is None:
            _advice(imports)
            return
        job = training.job(house, number)
        jobs.show_detail(job)
        if job.state is not JobState.SUCCEEDED:
            return
        report = QualityReport.from_json(job.result)
        if not job.parameters.get("rehearsal"):
            if st.button("To the worklist", type="primary"):
                # Not from in here: a page switched to by a fragment that runs by itself is left half drawn.
                st.session_state[_IMPORTED] = report.dataset
                st.rerun()
        elif st.button(f"Import {report.studies:,} studies", type="primary", disabled=not report.studies):
            real = service.request_again(house, job, session.reader())
            st.session_state[_LOOKED] = real.id
            st.rerun()
        show_report(report, bool(job.parameters.get("rehearsal")))


def show_report(report: QualityReport, rehearsal: bool = False) -> None:
    """What came in, or would, and what not and why."""
    rows = [
        ("Studies", f"{report.studies:,}"),
        ("Films", f"{report.images:,}"),
        ("Masks", f"{report.masks:,}"),
        ("Reports", f"{report.reports:,}"),
        ("Already here", "not looked up" if rehearsal else f"{report.duplicates:,}"),
        ("Left out", f"{len(report.skipped):,}"),
        ("Without a report", f"{report.without_report:,}"),
        ("Reports under 30 characters", f"{report.short_reports:,}"),
        ("Masks of another size than their film", f"{report.size_mismatches:,}"),
    ]
    st.html(html_table(("Would come in" if rehearsal else "Came in", report.dataset), rows, numbers=(1,)))
    for warning in report.warnings:
        frame.caution(warning)
    if report.skipped:
        with st.expander(f"Left out, and why ({len(report.skipped):,})", expanded=len(report.skipped) < 12):
            shown = [(each.item, each.reason) for each in report.skipped[:_MOST_SKIPPED]]
            st.html(html_table(("Item", "Reason"), shown))
            if len(report.skipped) > _MOST_SKIPPED:
                st.html(f'<div class="rr-quiet">The first {_MOST_SKIPPED} are shown.</div>')


def show_reports() -> None:
    """The quality reports of all imports that ran, newest first."""
    done = [
        job
        for job in training.recent_jobs(session.house(), 200)
        if job.kind is JobKind.IMPORT and job.state is JobState.SUCCEEDED and not job.parameters.get("rehearsal")
    ]
    if not done:
        frame.empty("No import was run from here yet.", "Every import leaves its quality report here.")
        return
    chosen = st.selectbox(
        "Import", done, format_func=lambda job: f"{jobs.title(job)}, {times.full(job.requested_at)}", width=460
    )
    st.html(f'<div class="rr-quiet">From {frame.escaped(str(chosen.parameters["path"]))}</div>')
    with st.container(width=720):
        show_report(QualityReport.from_json(chosen.result))


def _choices(kind: str) -> Choices:
    """What the reader may say of films that do not say it themselves."""
    view: View | None = None
    table, per_folder, unmarked_absent = "", False, False
    if kind in _VIEWLESS:
        view = st.selectbox(
            "Films that state no view are", list(View), list(View).index(View.FRONTAL), key="import-view"
        )
    if kind == "folder":
        table = st.text_input("Table of patients", placeholder="Found by itself when left empty", key="import-table")
    if kind == "chexlocalize":
        table = st.text_input("Segmentations", placeholder="Found by themselves when left empty", key="import-json")
    if kind == "images":
        per_folder = st.toggle("Each folder is a patient", key="import-per-folder")
    if kind in _MARKED:
        unmarked_absent = st.toggle(
            "What is not marked is absent",
            key="import-unmarked-absent",
            help="For films whose annotators outlined everything: a finding that is marked on any of them is absent on "
            "those where it is not marked. Otherwise it is unknown there.",
        )
    return Choices(view, table.strip() or None, per_folder, unmarked_absent)


def _place(kind: str) -> int:
    return list(_KINDS).index(kind) if kind in _KINDS else len(_KINDS)


def _named(kind: str) -> tuple[str, str]:
    return _KINDS.get(kind, (kind, ""))


def _advice(imports: Sequence[Job]) -> None:
    if imports:
        jobs.show_detail(imports[-1])
        return
    st.html(
        '<div class="rr-quiet">Look first tells what would come in, and what not and why; nothing is kept until you '
        "import. Importing the same twice adds nothing.</div>"
    )
