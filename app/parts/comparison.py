"""Two masks of one film, compared in the browser."""

from dataclasses import asdict, dataclass

from app.parts.part import register
from app.routes import PREFIX
from core.studies import Image

_mount = register("comparison")


@dataclass(frozen=True)
class Side:
    """One of the two. `url` None is an empty mask."""

    url: str | None
    label: str
    colour: str


def mask_address(sha: str, image: Image) -> str:
    return f"{PREFIX}/masks/{sha}?w={image.facts.width}&h={image.facts.height}"


def comparison(image: Image, one: Side, other: Side, *, key: str) -> None:
    """Show the two side by side, one after the other, or where they differ."""
    data = {
        "film": f"{PREFIX}/preview/{image.sha}",
        "width": image.facts.width,
        "height": image.facts.height,
        "one": asdict(one),
        "other": asdict(other),
    }
    _mount(key=key, data=data)
