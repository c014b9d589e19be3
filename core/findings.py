"""The vocabulary of what can be said of a chest X-ray: findings, anatomy and devices, their sides and their states."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.errors import ReadingRoomError


class UnknownFinding(ReadingRoomError):
    """A finding that the vocabulary does not hold."""

    def __init__(self, key: str) -> None:
        super().__init__(f'"{key}" is not in the findings vocabulary. Add it on the Data screen, or use a known name.')
        self.key = key


class State(StrEnum):
    """What is known of a finding on a study (CheXpert's 1, 0, -1 and blank)."""

    PRESENT = "present"
    ABSENT = "absent"
    UNCERTAIN = "uncertain"
    UNASSESSED = "unassessed"


class Kind(StrEnum):
    FINDING = "finding"
    ANATOMY = "anatomy"
    DEVICE = "device"


class Side(StrEnum):
    """The patient's side. On a frontal film the patient's left lies on the right of the image."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"

    @property
    def mirrored(self) -> "Side":
        return {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT, Side.BOTH: Side.BOTH}[self]


@dataclass(frozen=True)
class Finding:
    """One entry of the vocabulary.

    `key` is its name in files, `name` on screens. `prompts` are other ways of saying it (used as text prompts).
    `parts` are findings whose union is this one: two lungs are one finding. A finding is retired, never deleted.
    """

    key: str
    name: str
    kind: Kind = Kind.FINDING
    colour: str = "#F2B84B"
    prompts: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    retired: bool = False

    def __post_init__(self) -> None:
        if slug(self.key) != self.key:
            raise ReadingRoomError(
                f'A finding\'s key is lower case with underscores: "{slug(self.key)}", not "{self.key}".'
            )


def slug(name: str) -> str:
    """The key that a name would have: "Pleural Effusion" gives "pleural_effusion"."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def mirrored_key(key: str) -> str:
    """The key after a left-right flip of the film: left_lung becomes right_lung, heart stays."""
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(word, word) for word in key.split("_"))


def _finding(key: str, name: str, colour: str, *prompts: str) -> Finding:
    return Finding(key, name, Kind.FINDING, colour, prompts)


def _anatomy(key: str, name: str, colour: str, *prompts: str, parts: tuple[str, ...] = ()) -> Finding:
    return Finding(key, name, Kind.ANATOMY, colour, prompts, parts)


def _device(key: str, name: str, colour: str, *prompts: str) -> Finding:
    return Finding(key, name, Kind.DEVICE, colour, prompts)


NO_FINDING = "no_finding"
SUPPORT_DEVICES = "support_devices"
"""What every device of the vocabulary is one of."""

CHEXPERT: tuple[Finding, ...] = (
    _finding(NO_FINDING, "No finding", "#8A94A6"),
    _finding("enlarged_cardiomediastinum", "Enlarged cardiomediastinum", "#C77DFF", "widened mediastinum"),
    _finding("cardiomegaly", "Cardiomegaly", "#FF6B6B", "enlarged heart", "enlarged cardiac silhouette"),
    _finding("lung_opacity", "Lung opacity", "#F2B84B", "airspace opacity", "pulmonary opacity"),
    _finding("lung_lesion", "Lung lesion", "#E07A5F", "pulmonary lesion", "lung mass"),
    _finding("edema", "Edema", "#5BC0EB", "pulmonary edema", "interstitial edema"),
    _finding("consolidation", "Consolidation", "#FF9F1C", "airspace consolidation", "dense opacification"),
    _finding("pneumonia", "Pneumonia", "#F26CA7", "infectious infiltrate"),
    _finding("atelectasis", "Atelectasis", "#B8DE6F", "volume loss", "collapsed lung segment"),
    _finding("pneumothorax", "Pneumothorax", "#48CAE4", "air in the pleural space", "collapsed lung"),
    _finding("pleural_effusion", "Pleural effusion", "#3A86FF", "pleural fluid", "effusion"),
    _finding("pleural_other", "Pleural, other", "#80A1D4", "pleural thickening"),
    _finding("fracture", "Fracture", "#FFD166", "rib fracture"),
    _finding(SUPPORT_DEVICES, "Support devices", "#9BF6FF", "lines and tubes"),
)

ANATOMY: tuple[Finding, ...] = (
    _anatomy(
        "lungs", "Lungs", "#2EC4B6", "both lungs", "lung fields", "right and left lung", "lungs on both sides",
        "pulmonary fields", "lung parenchyma", "bilateral lung fields", "whole lungs", "aerated lung on both sides",
        parts=("left_lung", "right_lung"),
    ),
    _anatomy(
        "left_lung", "Left lung", "#4CC9A7", "left lung field", "lung on the left", "left pulmonary field",
        "left-sided lung", "lung of the left side", "left lung parenchyma", "the patient's left lung",
        "aerated left lung", "left hemithorax", "lung, left",
    ),
    _anatomy(
        "right_lung", "Right lung", "#2A9D8F", "right lung field", "lung on the right", "right pulmonary field",
        "right-sided lung", "lung of the right side", "right lung parenchyma", "the patient's right lung",
        "aerated right lung", "right hemithorax", "lung, right",
    ),
    _anatomy(
        "heart", "Heart", "#EF476F", "cardiac silhouette", "heart shadow", "cardiac shadow", "heart silhouette",
        "heart size", "cardiac border", "cardiac area", "ventricles and atria", "myocardium",
    ),
    _anatomy("cardiomediastinum", "Cardiomediastinum", "#D16BA5", "heart and mediastinum"),
    _anatomy("airways", "Airways", "#A0C4FF", "trachea and main bronchi"),
    _anatomy("clavicles", "Clavicles", "#CDB4DB", "collar bones"),
)  # fmt: skip

DEVICES: tuple[Finding, ...] = (
    _device("endotracheal_tube", "Endotracheal tube", "#9BF6FF", "tracheal tube"),
    _device("central_venous_line", "Central venous line", "#90E0EF", "central line", "central venous catheter"),
    _device("nasogastric_tube", "Nasogastric tube", "#72EFDD", "gastric tube"),
    _device("pacemaker", "Pacemaker", "#80FFDB", "pacemaker generator and lead"),
    _device("tubings", "Tubings", "#64DFDF", "external tubing"),
    _device("monitoring_probes", "Monitoring probes", "#56CFE1", "electrodes", "monitor leads"),
)

MORE: tuple[Finding, ...] = (
    _finding("nodule", "Nodule", "#F4A261", "pulmonary nodule", "lung nodule"),
    _finding(
        "ground_glass_opacities", "Ground-glass opacities", "#F9C74F", "ground glass", "hazy opacity", "hazy veil"
    ),
)

VOCABULARY: tuple[Finding, ...] = (*CHEXPERT, *MORE, *ANATOMY, *DEVICES)
"""What every new database starts with. A project adds its own."""


LUNG_FINDINGS: Final = frozenset(
    {
        "lung_opacity", "lung_lesion", "edema", "consolidation", "pneumonia", "atelectasis", "pneumothorax",
        "pleural_effusion", "pleural_other", "nodule", "mass", "emphysema", "fibrosis", "infiltration",
        "pleural_thickening", "ground_glass_opacities",
    }
)  # fmt: skip
"""Findings of the lungs and the pleura."""


def by_key(findings: Iterable[Finding] = VOCABULARY) -> Mapping[str, Finding]:
    return {finding.key: finding for finding in findings}
