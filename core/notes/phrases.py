"""What synthetic notes are made of. Data, to be read and extended.

No phrase here may name a finding, a piece of anatomy or a device, nor any other word for one: a test holds every phrase
against the vocabulary, the classes of public datasets and the labeler's words. Complaints are few and findings many, so
most phrases stand in several groups, and all of the general ones come with every kind of film, normal ones too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Phrases:
    """What people with one kind of finding tell more often than others do."""

    complaints: tuple[str, ...]
    history: tuple[str, ...]


NO_COMPLAINT: Final = "none"
"""How a complaint begins that is none; it has no duration and nothing is added to it."""

GENERAL: Final = Phrases(
    complaints=(
        "cough",
        "dry cough",
        "shortness of breath",
        "shortness of breath on exertion",
        "chest pain",
        "chest tightness",
        "fever",
        "fatigue",
        "dizziness",
        "palpitations",
        "night sweats",
        "weight loss",
        "back pain",
        "upper abdominal pain",
        "sore throat",
        "a feeling of weakness",
        "none, routine examination",
        "none, examination before surgery",
        "none, examination before a new job",
        "none, examination before a journey",
    ),
    history=(
        "nothing of note",
        "high blood pressure",
        "type 2 diabetes",
        "smoker, 20 pack-years",
        "former smoker",
        "never smoked",
        "asthma in childhood",
        "acid reflux",
        "seasonal allergies",
        "overweight",
        "knee replacement three years ago",
        "depression",
        "thyroid disease",
        "anemia",
        "kidney disease, stage 3",
        "recent long flight",
    ),
)

GROUPS: Final[Mapping[str, Phrases]] = {
    "fluid": Phrases(
        complaints=(
            "shortness of breath on exertion",
            "shortness of breath when lying flat",
            "swollen ankles",
            "waking at night short of breath",
            "fatigue",
            "palpitations",
            "chest pain on breathing in",
            "dry cough",
            "check after a procedure",
            "admission to intensive care",
        ),
        history=(
            "high blood pressure",
            "kidney disease, stage 3",
            "atrial fibrillation",
            "angina",
            "type 2 diabetes",
            "cirrhosis",
            "dialysis",
            "chemotherapy",
            "alcohol dependence",
            "breast cancer eight years ago",
        ),
    ),
    "infection": Phrases(
        complaints=(
            "cough with yellow sputum",
            "fever and chills",
            "cough",
            "fever",
            "shortness of breath",
            "chest pain on breathing in",
            "confusion, reported by the family",
            "night sweats",
            "wheezing",
            "coughing up blood",
            "hoarseness",
        ),
        history=(
            "recent cold",
            "asthma in childhood",
            "lives in a nursing home",
            "difficulty swallowing since a stroke",
            "type 2 diabetes",
            "immunosuppressive treatment",
            "smoker, 20 pack-years",
            "chemotherapy",
            "bedridden for several days",
            "alcohol dependence",
            "sepsis",
        ),
    ),
    "air": Phrases(
        complaints=(
            "sudden chest pain",
            "shortness of breath",
            "chest pain on breathing in",
            "shallow breathing after surgery",
            "dry cough",
            "low oxygen saturation",
            "chest tightness",
            "chest pain after a fall",
            "pain on one side of the chest",
        ),
        history=(
            "abdominal surgery last week",
            "tall and slender build",
            "smoker, 20 pack-years",
            "asthma in childhood",
            "bedridden for several days",
            "overweight",
            "osteoporosis",
            "steroid treatment",
        ),
    ),
    "chronic": Phrases(
        complaints=(
            "shortness of breath on exertion",
            "cough for months",
            "wheezing",
            "dry cough",
            "weight loss",
            "fatigue",
            "upper abdominal pain",
            "shortness of breath when lying flat",
            "waking at night short of breath",
            "cough with yellow sputum",
            "hoarseness",
        ),
        history=(
            "smoker, 40 pack-years",
            "former smoker",
            "worked in a shipyard",
            "acid reflux",
            "recent cold",
            "steroid treatment",
            "tall and slender build",
            "repeated falls",
        ),
    ),
    "growth": Phrases(
        complaints=(
            "weight loss",
            "coughing up blood",
            "cough for months",
            "night sweats",
            "hoarseness",
            "none, routine examination",
            "back pain",
            "shoulder pain",
        ),
        history=(
            "smoker, 40 pack-years",
            "former smoker",
            "breast cancer eight years ago",
            "colon cancer, under treatment",
            "worked in a shipyard",
            "never smoked",
            "immunosuppressive treatment",
        ),
    ),
    "injury": Phrases(
        complaints=(
            "chest pain after a fall",
            "pain on one side of the chest",
            "traffic accident",
            "chest pain on breathing in",
            "shoulder pain",
            "back pain",
            "sudden chest pain",
        ),
        history=(
            "osteoporosis",
            "repeated falls",
            "alcohol dependence",
            "nothing of note",
            "steroid treatment",
            "lives in a nursing home",
            "difficulty swallowing since a stroke",
        ),
    ),
    "care": Phrases(
        complaints=(
            "low oxygen saturation",
            "check after a procedure",
            "admission to intensive care",
            "shallow breathing after surgery",
            "confusion, reported by the family",
            "fever",
            "swollen ankles",
            "fever and chills",
            "traffic accident",
        ),
        history=(
            "cirrhosis",
            "colon cancer, under treatment",
            "angina",
            "dialysis",
            "sepsis",
            "chemotherapy",
            "atrial fibrillation",
            "abdominal surgery last week",
            "repeated falls",
            "bedridden for several days",
        ),
    ),
}
"""Phrases that lean towards a group of findings. None is proof: each stands in another group as well, or among the
general ones."""

GROUP_OF: Final[Mapping[str, str]] = {
    "enlarged_cardiomediastinum": "fluid",
    "cardiomegaly": "fluid",
    "edema": "fluid",
    "pleural_effusion": "fluid",
    "lung_opacity": "infection",
    "consolidation": "infection",
    "pneumonia": "infection",
    "infiltration": "infection",
    "ground_glass_opacities": "infection",
    "atelectasis": "air",
    "pneumothorax": "air",
    "pleural_other": "chronic",
    "pleural_thickening": "chronic",
    "emphysema": "chronic",
    "fibrosis": "chronic",
    "hernia": "chronic",
    "lung_lesion": "growth",
    "nodule": "growth",
    "mass": "growth",
    "fracture": "injury",
    "support_devices": "care",
    "endotracheal_tube": "care",
    "central_venous_line": "care",
    "nasogastric_tube": "care",
    "pacemaker": "care",
    "tubings": "care",
    "monitoring_probes": "care",
}
"""Findings of no group, a project's own and anatomy, come with the general phrases alone."""

DURATIONS: Final[tuple[str, ...]] = (
    "since this morning",
    "one day",
    "two days",
    "three days",
    "five days",
    "one week",
    "two weeks",
    "a month",
    "three months",
    "half a year",
    "more than a year",
    "not stated",
)

INDICATIONS: Final[tuple[str, ...]] = (
    "look for a cause",
    "evaluate",
    "first examination",
    "follow-up",
    "no improvement under treatment",
    "symptoms came back",
    "request of the family doctor",
    "seen in the emergency department",
)
