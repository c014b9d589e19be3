"""Models of open_clip, such as BiomedCLIP, from a local folder or the hub: whole, or tower by tower.

open_clip builds the network from the configuration in the folder. The weights are read here, and never from a pickle
that could run code; nothing is fetched that the folder does not name.
"""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from trainers.backbones.bert import BertTokens
from trainers.backbones.bioclinical import CONFIG, TOKENIZER, VOCABULARY, bert_tokenizer
from trainers.backbones.origins import IMAGE_ENCODER, TEXT_ENCODER, UnexpectedWeights, WeightOrigin, WeightsNotFound
from trainers.backbones.places import (
    NotFromHub,
    Repository,
    hub_file,
    hub_origin,
    local_origin,
    looked_in,
    remedy_for,
)
from trainers.backbones.published import Published, encoder_state
from trainers.backbones.words import EmptyText, words_in
from trainers.checkpoints import read_state

BIOMEDCLIP_NAME = "BiomedCLIP-PubMedBERT_256-vit_base_patch16_224"
BIOMEDCLIP = Repository(f"microsoft/{BIOMEDCLIP_NAME}", licence="mit")
CONFIGURATION = "open_clip_config.json"
OPEN_CLIP_WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
)
VIT_TOWER = Published(BIOMEDCLIP_NAME, BIOMEDCLIP, stem="patch_embed.proj.weight", head=("head.",))
WHOLE = "whole model"
BERTS_HEAD = 64
TEXTS_AT_ONCE = 32
_TEXT = "text.transformer."


class OpenClip:
    """A whole contrastive model (Radford et al. 2021) as open_clip runs it, with nothing learned here.

    `side` is that of the squares that it sees, in pixels, `dimension` the numbers in an embedding; `parameters` counts
    its weights.
    """

    def __init__(self, folder: Path) -> None:
        """Raises WeightsNotFound, UnexpectedWeights, PickledModel, NotWeights."""
        if not (folder / CONFIGURATION).is_file():
            raise WeightsNotFound(
                WHOLE, f"the folder {folder} for {CONFIGURATION}", "Name a folder in the layout of open_clip."
            )
        self.model, weights = _built(folder)
        self.origin = local_origin(WHOLE, weights)
        self.tokenizer: Any = _tokenizer_of(folder)
        self.side, self._middle, self._reach = _preprocessing(self.model)
        self.parameters = sum(parameter.numel() for parameter in self.model.parameters())
        self.dimension = self.texts(["heart"]).shape[1]

    @torch.inference_mode()
    def films(self, squares: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(N, dimension), rows of length one, of films (side, side)."""
        grey = torch.from_numpy(np.stack(squares)).float()[:, None].expand(-1, 3, -1, -1) / 255
        return _unit(self.model.encode_image((grey - self._middle) / self._reach))

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, dimension), rows of length one. What is beyond the model's context is cut off. Raises EmptyText."""
        if not texts or not all(words_in(text) for text in texts):
            raise EmptyText
        groups = (list(texts[first : first + TEXTS_AT_ONCE]) for first in range(0, len(texts), TEXTS_AT_ONCE))
        return np.concatenate([_unit(self.model.encode_text(self.tokenizer(group))) for group in groups])


def load_biomedclip(body: nn.Module, places: Sequence[Path]) -> WeightOrigin:
    """Fill a ViT of timm's, which still sees three channels, with BiomedCLIP's image encoder, and say from where.

    Raises WeightsNotFound, UnexpectedWeights, PickledModel, NotWeights.
    """
    folder, origin = find_biomedclip(IMAGE_ENCODER, places)
    model, weights = _built(folder)
    trunk = getattr(model.visual, "trunk", None)
    if trunk is None:
        raise UnexpectedWeights(f"{folder} has an image encoder that is not timm's, so it is not that of BiomedCLIP.")
    body.load_state_dict(encoder_state(trunk.state_dict(), VIT_TOWER, body.state_dict(), weights), strict=True)
    return origin


def biomedclip_tokens(learned: int, tokens: int, places: Sequence[Path]) -> BertTokens:
    """BiomedCLIP's PubMedBERT (Zhang et al. 2023), token by token.

    Raises WeightsNotFound, UnexpectedWeights, PickledModel, NotWeights.
    """
    folder, origin = find_biomedclip(TEXT_ENCODER, places)
    model, _ = _built(folder)
    bert: Any = getattr(model.text, "transformer", None)
    if bert is None or bert.config.model_type != "bert":
        raise UnexpectedWeights(f"{folder} reads text otherwise than by a BERT, so it is not BiomedCLIP.")
    return BertTokens(bert_tokenizer(folder, int(bert.config.vocab_size)), bert, origin, learned, tokens)


def find_biomedclip(part: str, places: Sequence[Path]) -> tuple[Path, WeightOrigin]:
    """The folder of BiomedCLIP in one of the places, in the hub's cache or from the hub. Raises WeightsNotFound."""
    for place in places:
        for folder in (place / BIOMEDCLIP_NAME, place):
            if (folder / CONFIGURATION).is_file():
                return folder, local_origin(part, _weights_in(folder))
    try:
        folder = hub_file(BIOMEDCLIP, CONFIGURATION).parent
        hub_file(BIOMEDCLIP, TOKENIZER, VOCABULARY)
        return folder, hub_origin(part, BIOMEDCLIP, hub_file(BIOMEDCLIP, *OPEN_CLIP_WEIGHTS))
    except NotFromHub as error:
        looked = looked_in(places, f"{BIOMEDCLIP_NAME}/{CONFIGURATION}", error)
        raise WeightsNotFound(part, looked, remedy_for(places, "choose another encoder in the recipe")) from error


def _built(folder: Path) -> tuple[Any, Path]:
    """The network of the folder's configuration with the folder's weights, all of them, and their file."""
    # Slow to import, and not needed by the recipes that start elsewhere. open_clip imports torchvision, which has to
    # come after torch's own operators.
    import open_clip

    weights, told = _weights_in(folder), _configuration(folder)
    state = {name: value for name, value in read_state(weights).items() if not name.endswith(".position_ids")}
    with TemporaryDirectory() as empty:
        _without_weights(told, state, folder, Path(empty))
        # It says loudly that nothing was loaded, and what is loaded comes after.
        logging.getLogger().addFilter(_is_not_open_clips)
        try:
            model: Any = open_clip.create_model(
                f"local-dir:{empty}", load_weights=False, pretrained_image=False, pretrained_text=False
            )
        except Exception as error:
            # Whatever a configuration says wrongly is raised as it comes by the library that stumbles over it.
            raise UnexpectedWeights(f"{folder / CONFIGURATION} describes no model of open_clip ({error}).") from error
        finally:
            logging.getLogger().removeFilter(_is_not_open_clips)
    try:
        nn.Module.load_state_dict(model, state, strict=True)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise UnexpectedWeights(f"{weights} does not fit its {CONFIGURATION}: {reason}") from error
    return model.float().eval().requires_grad_(False), weights


def _is_not_open_clips(record: logging.LogRecord) -> bool:
    return "open_clip" not in record.pathname


def _without_weights(told: Mapping[str, Any], state: Mapping[str, Tensor], folder: Path, empty: Path) -> None:
    """Write the configuration alone into a folder, with the shape of a text encoder of Hugging Face's beside it, which
    the configuration names by a repository."""
    told = deepcopy(dict(told))
    text = told["model_cfg"]["text_cfg"]
    if text.get("hf_model_name"):
        text["hf_model_name"] = str(empty)
        (empty / CONFIG).write_text(json.dumps(_text_shape(folder, text, state)), encoding="utf-8")
    (empty / CONFIGURATION).write_text(json.dumps(told), encoding="utf-8")


def _text_shape(folder: Path, text: Mapping[str, Any], state: Mapping[str, Tensor]) -> dict[str, Any]:
    """The configuration beside the weights; where there is none, that of the BERT that they are, by their shapes."""
    if (folder / CONFIG).is_file():
        beside: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if "model_type" in beside:
            return beside
    words = state.get(f"{_TEXT}embeddings.word_embeddings.weight")
    between = state.get(f"{_TEXT}encoder.layer.0.intermediate.dense.weight")
    if words is None or between is None:
        raise UnexpectedWeights(
            f"The text encoder in {folder} is no BERT, and {CONFIG}, which would say its shape, is not there. Put that "
            f"of {text.get('hf_model_name')} beside the weights."
        )
    layers = {int(found[1]) for name in state if (found := re.match(rf"{re.escape(_TEXT)}encoder\.layer\.(\d+)", name))}
    return {
        "model_type": "bert", "vocab_size": len(words), "hidden_size": words.shape[1],
        "num_hidden_layers": len(layers), "num_attention_heads": max(1, words.shape[1] // BERTS_HEAD),
        "intermediate_size": len(between),
        "max_position_embeddings": len(state[f"{_TEXT}embeddings.position_embeddings.weight"]),
        "type_vocab_size": len(state[f"{_TEXT}embeddings.token_type_embeddings.weight"]),
    }  # fmt: skip


def _configuration(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / CONFIGURATION).read_text(encoding="utf-8"))
        if isinstance(told["model_cfg"]["text_cfg"], dict) and isinstance(told["model_cfg"]["vision_cfg"], dict):
            return dict(told)
        raise KeyError("model_cfg")
    except (ValueError, KeyError, TypeError) as error:
        raise UnexpectedWeights(
            f"{folder / CONFIGURATION} describes no model of open_clip ({error}). Get the folder again."
        ) from error


def _weights_in(folder: Path) -> Path:
    for name in OPEN_CLIP_WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    raise UnexpectedWeights(f"{folder} has no weights beside {CONFIGURATION}: {' or '.join(OPEN_CLIP_WEIGHTS)}.")


def _tokenizer_of(folder: Path) -> Any:
    import open_clip

    try:
        return open_clip.get_tokenizer(f"local-dir:{folder}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UnexpectedWeights(f"{folder} has no vocabulary that can be read ({reason}).") from error


def _preprocessing(model: Any) -> tuple[int, Tensor, Tensor]:
    """The side of the squares, and the mean and deviation (3, 1, 1) of brightness in [0, 1]."""
    size = model.visual.image_size
    middle, reach = (torch.tensor(told)[:, None, None] for told in (model.visual.image_mean, model.visual.image_std))
    return int(size[0] if isinstance(size, (tuple, list)) else size), middle, reach


def _unit(rows: Tensor) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = functional.normalize(rows.float(), dim=-1).cpu().numpy()
    return unit
