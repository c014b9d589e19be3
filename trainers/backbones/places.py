"""Where weights lie that no installed package holds: local folders first, then the Hugging Face hub."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import (
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    is_offline_mode,
    try_to_load_from_cache,
)
from huggingface_hub.errors import EntryNotFoundError

from core.errors import ReadingRoomError, room_for
from trainers.backbones.origins import WeightOrigin, WeightsNotFound
from trainers.checkpoints import sha256_of

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
WEIGHTS_FILES = ("model.safetensors", "pytorch_model.bin")
HUB_PATIENCE_SECONDS = 5.0


class NotFromHub(ReadingRoomError):
    """The hub's cache lacks a file, and the hub does not give it. Its text says where was looked, and why in vain."""


@dataclass(frozen=True)
class Repository:
    """A model's repository on the hub, and the licence that it declares."""

    name: str
    revision: str = "main"
    licence: str = "unknown"


def own_place_first(folder: str, house: Sequence[Path]) -> tuple[Path, ...]:
    """Where pretrained weights are looked for: in a recipe's own folder, if it names one, then in the house's."""
    return (*((Path(folder).expanduser(),) if folder else ()), *house)


def find_weights(part: str, name: str, repository: Repository, places: Sequence[Path]) -> tuple[Path, WeightOrigin]:
    """The file that holds the weights of the encoder `name`, in one of the folders or else from the hub.

    Raises WeightsNotFound.
    """
    for place in places:
        for path in _files_named(name, place):
            if path.is_file():
                return path, local_origin(part, path)
    try:
        path = hub_file(repository, *WEIGHTS_FILES)
    except NotFromHub as error:
        wanted = f"{name}/model.safetensors or {name}.safetensors, also ending in {', '.join(SUFFIXES[1:])}"
        remedy = 'choose weights "random" in the recipe'
        raise WeightsNotFound(part, looked_in(places, wanted, error), remedy_for(places, remedy)) from error
    return path, hub_origin(part, repository, path)


def hub_file(repository: Repository, *names: str) -> Path:
    """The first of these files that a repository has: from the hub's cache on this machine, or else from the hub.

    Raises NotFromHub at once where HF_HUB_OFFLINE is set, and after a few seconds where the hub does not answer.
    Raises DiskFull.
    """
    for name in names:
        cached = try_to_load_from_cache(repository.name, name, revision=repository.revision)
        if isinstance(cached, str):
            return Path(cached)
    where = f"the hub's cache for {' or '.join(names)} of {repository.name}"
    if is_offline_mode():
        raise NotFromHub(f"{where} (the hub itself is not asked while HF_HUB_OFFLINE is set)")
    for name in names:
        try:
            return _fetched(repository, name)
        except EntryNotFoundError:
            continue
        except (httpx2.HTTPError, OSError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            raise NotFromHub(f"{where} and on the hub, which did not give it ({reason})") from error
    raise NotFromHub(f"{where} and on the hub, which has no such file")


def _fetched(repository: Repository, name: str) -> Path:
    # The download alone would ask a hub that does not answer again and again, for minutes.
    url = hf_hub_url(repository.name, name, revision=repository.revision)
    get_hf_file_metadata(url, timeout=HUB_PATIENCE_SECONDS)
    with room_for("fetching weights from the hub"):
        return Path(hf_hub_download(repository.name, name, revision=repository.revision))


def local_origin(part: str, path: Path) -> WeightOrigin:
    return WeightOrigin(part, f"local folder {path.parent}, {path.name}", sha256=sha256_of(path))


def hub_origin(part: str, repository: Repository, path: Path) -> WeightOrigin:
    """`path` lies in the hub's cache, in a folder named by the commit."""
    source = f"{repository.name} on the Hugging Face hub"
    return WeightOrigin(part, source, path.parent.name, sha256_of(path), repository.licence)


def looked_in(places: Sequence[Path], wanted: str, hub: NotFromHub) -> str:
    """Every place where weights were looked for, as WeightsNotFound says it."""
    folders = [f"the folder {place} for {wanted}" for place in places]
    return "; ".join([*folders, str(hub)])


def remedy_for(places: Sequence[Path], otherwise: str) -> str:
    put = f"Put the file into {places[0]}" if places else "Name a folder that holds them as weights_folder"
    return f"{put}, or set HF_HUB_OFFLINE=0 where the hub can be reached, or {otherwise}."


def _files_named(name: str, place: Path) -> Iterator[Path]:
    """Where in a folder an encoder's weights may be, safetensors first: in a folder of its name, beside others as a
    file of its name, or as torchvision's downloads are named, with the first digits of their hash."""
    for file in (*WEIGHTS_FILES, *(f"model{suffix}" for suffix in SUFFIXES[1:])):
        yield place / name / file
    for suffix in SUFFIXES:
        yield place / f"{name}{suffix}"
    for suffix in SUFFIXES:
        yield from sorted(place.glob(f"{name}-*{suffix}"))
