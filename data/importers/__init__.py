"""Importers: each turns what lies on a disk, in a folder or a zip, into incoming studies, one after the other."""

from collections.abc import Mapping
from typing import Final

from data.importers import (
    chexlocalize,
    chexpert,
    dicom_files,
    folder,
    image_files,
    iu_xray,
    mimic,
    nih,
    openi_parquet,
    record_files,
)
from data.importers.plan import Importer
from data.importers.zipped import accepting_zip

IMPORTERS: Final[Mapping[str, Importer]] = {
    "iu-xray": accepting_zip(iu_xray.plan),
    "openi-parquet": accepting_zip(openi_parquet.plan),
    "chexpert": accepting_zip(chexpert.plan),
    "nih": accepting_zip(nih.plan),
    "mimic-cxr": accepting_zip(mimic.plan),
    "chexlocalize": accepting_zip(chexlocalize.plan),
    "folder": accepting_zip(folder.plan),
    "dicom": accepting_zip(dicom_files.plan),
    "images": accepting_zip(image_files.plan),
    "coco": accepting_zip(record_files.plan_coco),
    "jsonl": accepting_zip(record_files.plan_jsonl),
}
"""Every importer by the name that the command line and the Data screen give it."""
