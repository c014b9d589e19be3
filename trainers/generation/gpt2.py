"""GPT-2 (Radford et al. 2019) as the words' decoder: its weights and its tokenizer, from a local folder or the hub."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from trainers.backbones import UnexpectedWeights, WeightOrigin, WeightsNotFound
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
from trainers.checkpoints import read_state
from trainers.generation.pieces import FILE, Pieces
from trainers.generation.words import Layer, Words

NAME = "gpt2"
PART = "decoder of words"
REPOSITORY = Repository(f"openai-community/{NAME}", licence="mit")
CONFIG = "config.json"

_OURS = (
    ("ln_1", "before_words"),
    ("attn.c_attn", "words"),
    ("attn.c_proj", "from_words"),
    ("ln_2", "before_thought"),
    ("mlp.c_fc", "thought.0"),
    ("mlp.c_proj", "thought.2"),
)
_UNUSED = re.compile(r"(^|\.)attn\.(masked_)?bias$|^lm_head\.")


def gpt2_pieces(places: Sequence[Path]) -> Pieces:
    """GPT-2's own pieces, cased, with those that open and end a report behind them.

    Raises WeightsNotFound, UnexpectedWeights."""
    folder, _, _ = _find(places)
    try:
        return Pieces.of(Tokenizer.from_file(str(folder / FILE)))
    except Exception as error:
        # The library raises bare exceptions for whatever it cannot read.
        raise UnexpectedWeights(f"{folder / FILE} is no tokenizer ({error}). Get the folder again.") from error


def start_as_gpt2(words: Words, places: Sequence[Path]) -> WeightOrigin:
    """Give a decoder GPT-2's weights; what it is told of films adds nothing at first. Gives where they come from.

    Raises WeightsNotFound, UnexpectedWeights, PickledModel, NotWeights."""
    folder, file, origin = _find(places)
    told = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    ours = {
        "decoder_layers": (len(words.layers), int(told["n_layer"])),
        "decoder_width": (words.width, int(told["n_embd"])),
        "decoder_heads": (_heads(words), int(told["n_head"])),
    }
    for field, (wanted, there) in ours.items():
        if wanted != there:
            raise UnexpectedWeights(f"The GPT-2 in {folder} is another than the recipe's. Set {field}={there}.")
    state = _state(read_state(file), words, file)
    missing = words.load_state_dict(state, strict=False)
    if unknown := [*missing.unexpected_keys, *(key for key in missing.missing_keys if _is_gpt2s(key))]:
        raise UnexpectedWeights(f'{file} does not hold a GPT-2: "{unknown[0]}" is lacking or unknown.')
    for module in _new_ways(words):
        nn.init.zeros_(module.weight)
        nn.init.zeros_(module.bias)
    return origin


def _state(theirs: Mapping[str, Tensor], words: Words, file: Path) -> dict[str, Tensor]:
    """GPT-2's parameters under our names. Its linear maps are kept the other way round; its pieces stand before ours,
    which begin as the mean of all."""
    found: dict[str, Tensor] = {}
    for name, value in theirs.items():
        bare = name.removeprefix("transformer.")
        if _UNUSED.search(bare):
            continue
        layer = re.fullmatch(r"h\.(\d+)\.(.+)\.(weight|bias)", bare)
        if layer is None:
            found[bare] = value
            continue
        part = dict(_OURS).get(layer[2], layer[2])
        turned = value.T.contiguous() if layer[3] == "weight" and value.ndim == 2 else value
        found[f"layers.{layer[1]}.{part}.{layer[3]}"] = turned
    try:
        pieces, positions = found.pop("wte.weight"), found.pop("wpe.weight")
        found["last.weight"], found["last.bias"] = found.pop("ln_f.weight"), found.pop("ln_f.bias")
    except KeyError as error:
        raise UnexpectedWeights(f"{file} does not hold a GPT-2: it lacks the parameter {error}.") from error
    count, longest = len(words.pieces.weight), len(words.positions.weight)
    if len(positions) < longest or count < len(pieces):
        raise UnexpectedWeights(
            f"The GPT-2 in {file.parent} has {len(pieces)} pieces and {len(positions)} places, which do not fit its "
            f"tokenizer or most_tokens. Lower most_tokens, or get the folder again."
        )
    new = pieces.mean(dim=0, keepdim=True).repeat(count - len(pieces), 1)
    return {**found, "pieces.weight": torch.cat([pieces, new]), "positions.weight": positions[:longest]}


def _is_gpt2s(key: str) -> bool:
    return not re.search(r"(^|\.)(from_latent|before_places|asks|places|from_places)\.", key)


def _new_ways(words: Words) -> list[nn.Linear]:
    """The maps by which a decoder hears of films, and which GPT-2 has not."""
    found = [module for module in words.from_latent if isinstance(module, nn.Linear)]
    layers = [layer for layer in words.layers if isinstance(layer, Layer)]
    return [*found, *(layer.from_places for layer in layers if layer.from_places is not None)]


def _heads(words: Words) -> int:
    first = words.layers[0]
    assert isinstance(first, Layer)
    return first.heads


def _find(places: Sequence[Path]) -> tuple[Path, Path, WeightOrigin]:
    """The folder with configuration and tokenizer, the file of weights, and its origin."""
    for folder in (folder for place in places for folder in (place / NAME, place)):
        if not (folder / CONFIG).is_file() or not _is_gpt2(folder / CONFIG):
            continue
        weights = next((folder / name for name in WEIGHTS_FILES if (folder / name).is_file()), None)
        if weights is None or not (folder / FILE).is_file():
            raise UnexpectedWeights(
                f"{folder} is no whole GPT-2: beside {CONFIG} it needs model.safetensors and {FILE}."
            )
        return folder, weights, local_origin(PART, weights)
    try:
        folder = hub_file(REPOSITORY, CONFIG).parent
        hub_file(REPOSITORY, FILE)
        weights = hub_file(REPOSITORY, *WEIGHTS_FILES)
    except NotFromHub as error:
        looked = looked_in(places, f"{NAME}/{CONFIG}", error)
        raise WeightsNotFound(PART, looked, remedy_for(places, "choose decoder=new in the recipe")) from error
    return folder, weights, hub_origin(PART, REPOSITORY, weights)


def _is_gpt2(config: Path) -> bool:
    try:
        return bool(json.loads(config.read_text(encoding="utf-8")).get("model_type") == NAME)
    except (ValueError, AttributeError) as error:
        raise UnexpectedWeights(f"{config} is no configuration ({error}). Get the folder again.") from error
