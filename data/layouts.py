"""The names of the files in which studies are written out, and from which all but the last two are read back."""

from typing import Final

CASES: Final = "cases.csv"
MASKS: Final = "masks.csv"
REGIONS: Final = "regions.csv"
LABELS: Final = "labels.csv"
ANNOTATIONS: Final = "annotations.json"
STUDIES: Final = "studies.jsonl"
MASTER: Final = "master.jsonl"
FINDINGS_BY_SPLIT: Final = "findings_by_split.csv"

SEPARATOR: Final = ";"
"""Between the keys in a cell that lists several findings."""
