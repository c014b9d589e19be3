"""The starter model's folder: what ships with the house, so that the very first study has a suggestion.

Beside the model's own files it holds the sources' terms, the hashes of the films that taught it, and `starter.json`,
which names every file with its SHA-256 and is written last: a folder that is not whole is told from one that is.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ReadingRoomError
from core.metrics import Metric, metric_from_json

FOLDER = Path(__file__).resolve().parent / "starter"
FAMILY = "segmentation"
DESCRIPTION = "starter.json"
WEIGHTS = "weights.safetensors"
RECIPE = "recipe.json"
METRICS = "metrics.json"
IMAGES = "training-images.txt"
TERMS = "TERMS.md"

LIMIT = 9_000_000
"""Bytes that all of it may take together."""

_FORMAT = 1


class DamagedStarter(ReadingRoomError):
    """A starter folder that does not hold what its description says."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"The starter model in {folder} is damaged: {reason}. Check the installation out again.")


class StarterTooLarge(ReadingRoomError):
    def __init__(self, size: int) -> None:
        super().__init__(
            f"The starter model takes {size / 1e6:.1f} MB, and at most {LIMIT / 1e6:.0f} MB may ship with the house. "
            "Train it with a smaller encoder or decoder."
        )


@dataclass(frozen=True)
class Starter:
    """A starter model as it lies in its folder, every file of it whole.

    `images` are the content hashes of the films that it was trained on, `files` the SHA-256 of each file by its name;
    `digest`, the description's own SHA-256, stands for all of it.
    """

    folder: Path
    findings: tuple[str, ...]
    headline: str
    learned_from: str
    recipe: Mapping[str, Any]
    metrics: Mapping[str, Metric]
    images: tuple[str, ...]
    files: Mapping[str, str]
    digest: str


def seal(folder: Path, findings: tuple[str, ...], headline: str, learned_from: str) -> None:
    """Describe what lies in a folder as a starter model. Raises StarterTooLarge; the folder then stays undescribed."""
    (folder / DESCRIPTION).unlink(missing_ok=True)
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    description = {
        "format": _FORMAT,
        "family": FAMILY,
        "findings": list(findings),
        "headline": headline,
        "learned_from": learned_from,
        "files": {name: hashlib.sha256(body).hexdigest() for name, body in files.items()},
    }
    text = json.dumps(description, indent=1, ensure_ascii=False) + "\n"
    size = sum(len(body) for body in files.values()) + len(text.encode())
    if size > LIMIT:
        raise StarterTooLarge(size)
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")


def read(folder: Path) -> Starter | None:
    """The starter model in a folder; None where none has been put yet. Raises DamagedStarter."""
    if not (folder / DESCRIPTION).exists() and not (folder / WEIGHTS).exists():
        return None
    try:
        told = (folder / DESCRIPTION).read_bytes()
        description = json.loads(told)
        files = {str(name): str(sha) for name, sha in description["files"].items()}
        strange = [name for name in files if Path(name).name != name]
        if strange:
            raise DamagedStarter(folder, f"it names {strange[0]}, which does not lie in it")
        bodies = {name: (folder / name).read_bytes() for name in files}
        wrong = [name for name, body in bodies.items() if hashlib.sha256(body).hexdigest() != files[name]]
        if wrong:
            raise DamagedStarter(folder, f"{', '.join(wrong)} is not what was put there")
        if description["format"] != _FORMAT:
            raise DamagedStarter(folder, f"its format {description['format']} is not known here")
        return Starter(
            folder=folder,
            findings=tuple(description["findings"]),
            headline=str(description["headline"]),
            learned_from=str(description["learned_from"]),
            recipe={name: value for name, value in json.loads(bodies[RECIPE]).items() if name != "family"},
            metrics={name: metric_from_json(metric) for name, metric in json.loads(bodies[METRICS])["metrics"].items()},
            images=tuple(bodies[IMAGES].decode("ascii").split()),
            files=files,
            digest=hashlib.sha256(told).hexdigest(),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedStarter(folder, f"{type(error).__name__}: {error}") from error
