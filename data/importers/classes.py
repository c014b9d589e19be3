"""How the classes of public datasets are called in the findings vocabulary. Data, to be read and extended."""

from collections.abc import Mapping
from typing import Final

from core.findings import NO_FINDING, State, slug

SAME_AS: Final[Mapping[str, str]] = {
    "normal": NO_FINDING,
    "no_finding": NO_FINDING,
    "effusion": "pleural_effusion",
    "airspace_opacity": "lung_opacity",
    "infiltrate": "infiltration",
}
"""Only what means the same. "Infiltration", "Mass" or "Pleural_Thickening" stay findings of their own, because the
CheXpert finding nearest to each says something wider."""

CHESTXRAY14: Final[tuple[str, ...]] = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Effusion",
    "Emphysema",
    "Fibrosis",
    "Hernia",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pleural_Thickening",
    "Pneumonia",
    "Pneumothorax",
)
"""All that the makers of ChestX-ray14 looked for in its reports (Wang et al. 2017)."""

STATES: Final[Mapping[str, State]] = {
    "1": State.PRESENT,
    "1.0": State.PRESENT,
    "0": State.ABSENT,
    "0.0": State.ABSENT,
    "-1": State.UNCERTAIN,
    "-1.0": State.UNCERTAIN,
}
"""CheXpert's numbers; a blank cell says nothing (Irvin et al. 2019)."""


def finding_of(class_name: str) -> str:
    """The finding's key for a dataset's class name; a class not listed keeps its own name."""
    key = slug(class_name)
    return SAME_AS.get(key, key)
