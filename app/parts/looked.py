"""A film as large as the window allows, and over it, in a finding's colour, where a model looked."""

from dataclasses import asdict, dataclass

from app.parts.part import register

_mount = register("looked")


@dataclass(frozen=True)
class Shown:
    """Addresses of a film and of the map over it, None where nothing spoke for the finding."""

    film: str
    map: str | None
    width: int
    height: int
    colour: str
    words: str


def looked(shown: Shown, *, key: str) -> None:
    _mount(key=key, data=asdict(shown))
