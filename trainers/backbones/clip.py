"""The text tower of CLIP ViT-B/32, whose weights come from a local folder or the hub."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor, nn

from trainers.backbones.origins import TEXT_ENCODER, UnexpectedWeights, WeightOrigin, WeightsNotFound
from trainers.backbones.places import (
    WEIGHTS_FILES,
    NotFromHub,
    Repository,
    hub_file,
    hub_origin,
    local_origin,
    looked_in,
    remedy_for,
)
from trainers.backbones.words import in_batches
from trainers.checkpoints import read_state

CLIP_NAME = "clip-vit-base-patch32"
CLIP_REPOSITORY = Repository(f"openai/{CLIP_NAME}")
CLIP_KINDS = ("clip", "clip_text_model")
CLIP_VOCABULARY = 49_408
CLIP_PROBE = ("a photo of a cat", [49406, 320, 1125, 539, 320, 2368, 49407])
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
LEGACY_END = 2


class ClipText:
    """CLIP's text transformer (Radford et al. 2021): the state at the text's end, projected, scaled to length one.

    `dimension` is what the projection of the files gives, 512 for ViT-B/32.
    """

    def __init__(self, places: Sequence[Path] = ()) -> None:
        """Raises WeightsNotFound, UnexpectedWeights, PickledModel, NotWeights."""
        # Slow to import, and not needed by the recipes that do not read.
        from transformers import CLIPTextModelWithProjection, CLIPTokenizer

        folder, weights, self.origin = _find_clip(places)
        config = _configuration(folder)
        model: Any = CLIPTextModelWithProjection(config)
        model.load_state_dict(_text_tower(weights, model.state_dict()), strict=True)
        self._model: nn.Module = model.to(torch.float32).eval().requires_grad_(False)
        self.dimension = int(config.projection_dim)
        self._tokenizer: Any = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        self._tokens = int(config.max_position_embeddings)
        check_clip_vocabulary(self._tokenizer, config, folder)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """(N, dimension) unit rows. Texts beyond 77 tokens are cut there. Raises EmptyText."""
        return in_batches(self._encode_batch, texts, self.dimension)

    @torch.inference_mode()
    def _encode_batch(self, texts: list[str]) -> Tensor:
        tokens = self._tokenizer(
            texts, padding=True, truncation=True, max_length=self._tokens, return_tensors="pt"
        ).input_ids
        with torch.autocast("cpu", enabled=False):
            # No mask: each token sees only those before it, so the end of the text never sees what fills the row.
            features: Tensor = self._model(input_ids=tokens).text_embeds
        return nn.functional.normalize(features, dim=-1)


def check_clip_vocabulary(tokenizer: Any, config: Any, folder: Path) -> None:
    """Refuse a tokenizer that would take words for the text's end, or that reads another vocabulary than the weights'.

    CLIP has no word for the unknown: what a vocabulary lacks becomes the end of the text, and the rest is not read.
    Raises UnexpectedWeights.
    """
    wrong = _wrong_with(tokenizer, config)
    if wrong:
        raise UnexpectedWeights(
            f"The vocabulary in {folder} is not that of its weights: {wrong}. Get the folder again."
        )


def _wrong_with(tokenizer: Any, config: Any) -> str | None:
    vocabulary = tokenizer.get_vocab()
    if len(vocabulary) != config.vocab_size:
        return f"it has {len(vocabulary)} words, and the weights {config.vocab_size}"
    letters = [letter + end for letter in ByteLevel.alphabet() for end in ("", "</w>")]
    if lacking := sorted(letter for letter in letters if letter not in vocabulary):
        return f"{len(lacking)} of its letters are lacking, the first is {lacking[0]}"
    # Configurations from before that number was corrected say 2; transformers then takes the highest number for it.
    last = config.vocab_size - 1 if config.eos_token_id == LEGACY_END else config.eos_token_id
    start, *inner, end = tokenizer("heart").input_ids
    if start != tokenizer.bos_token_id or end != last or last in inner:
        return f'"heart" is read as {[start, *inner, end]}, where {last} was expected at the end alone'
    text, expected = CLIP_PROBE
    if config.vocab_size == CLIP_VOCABULARY and (found := tokenizer(text).input_ids) != expected:
        return f'"{text}" is read as {found}, where {expected} was expected'
    return None


def _find_clip(places: Sequence[Path]) -> tuple[Path, Path, WeightOrigin]:
    """The folder with configuration and vocabulary, the file of weights, and its origin."""
    for folder in _folders(places):
        weights = next((folder / name for name in WEIGHTS_FILES if (folder / name).is_file()), None)
        if weights is None or not _has_vocabulary(folder):
            raise UnexpectedWeights(
                f"{folder} is no whole CLIP: beside {CONFIG} it needs model.safetensors (or pytorch_model.bin), and "
                f"{TOKENIZER} (or vocab.json with merges.txt)."
            )
        return folder, weights, local_origin(TEXT_ENCODER, weights)
    try:
        folder = hub_file(CLIP_REPOSITORY, CONFIG).parent
        hub_file(CLIP_REPOSITORY, TOKENIZER)
        weights = hub_file(CLIP_REPOSITORY, *WEIGHTS_FILES)
    except NotFromHub as error:
        looked = looked_in(places, f"{CLIP_NAME}/{CONFIG}, or {CONFIG} of a CLIP", error)
        raise WeightsNotFound(
            TEXT_ENCODER, looked, remedy_for(places, "choose another text_encoder in the recipe")
        ) from error
    return folder, weights, hub_origin(TEXT_ENCODER, CLIP_REPOSITORY, weights)


def _folders(places: Sequence[Path]) -> Iterator[Path]:
    """Those folders in which a CLIP is laid out as on the hub."""
    for place in places:
        for folder in (place / CLIP_NAME, place):
            if (folder / CONFIG).is_file() and _kind(folder) in CLIP_KINDS:
                yield folder


def _kind(folder: Path) -> str | None:
    try:
        described = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UnexpectedWeights(f"{folder / CONFIG} is no JSON ({error}). Get the folder again.") from error
    return described.get("model_type") if isinstance(described, dict) else None


def _has_vocabulary(folder: Path) -> bool:
    return (folder / TOKENIZER).is_file() or all((folder / name).is_file() for name in ("vocab.json", "merges.txt"))


def _configuration(folder: Path) -> Any:
    """The text tower's part of a CLIP's configuration, with the projection that both towers share."""
    from transformers import CLIPConfig, CLIPTextConfig

    if _kind(folder) == "clip_text_model":
        return CLIPTextConfig.from_pretrained(folder, local_files_only=True)
    whole: Any = CLIPConfig.from_pretrained(folder, local_files_only=True)
    whole.text_config.projection_dim = whole.projection_dim
    return whole.text_config


def _text_tower(path: Path, wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """The text tower's tensors in a file of a whole CLIP or of its text tower.

    Raises UnexpectedWeights, naming the first parameter that is lacking or of another shape.
    """
    state = read_state(path)
    for name, value in wanted.items():
        if name not in state:
            raise UnexpectedWeights(f'{path} is no CLIP with its projection: it lacks the parameter "{name}".')
        if state[name].shape != value.shape:
            raise UnexpectedWeights(
                f'{path} does not fit its {CONFIG}: "{name}" has the shape {tuple(state[name].shape)}, where '
                f"{tuple(value.shape)} was expected."
            )
    return {name: state[name] for name in wanted}
