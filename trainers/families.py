"""The model families there are, by name."""

from collections.abc import Mapping
from typing import Any

from core.errors import NotFound
from trainers.classification.family import Classification
from trainers.contract import Family
from trainers.generation.family import Generation
from trainers.pretraining.family import Pretraining
from trainers.retrieval.family import Retrieval
from trainers.segmentation.family import Segmentation

FAMILIES: Mapping[str, Family[Any]] = {
    "segmentation": Segmentation(),
    "pretraining": Pretraining(),
    "classification": Classification(),
    "retrieval": Retrieval(),
    "generation": Generation(),
}


def family_of(name: str | None) -> Family[Any]:
    """Raises NotFound."""
    if name is None or name not in FAMILIES:
        raise NotFound(f'There is no model family "{name}". There are: {", ".join(FAMILIES)}.')
    return FAMILIES[name]
