"""A trained generation model: the network with its tokenizer and all it needs to write, and its folder on disk."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from core.recipes import GenerationRecipe
from core.reports import Report
from core.writing import Decoding
from trainers import folders
from trainers.augmentation import as_floats, normalise
from trainers.backbones import ImageEncoder, WeightOrigin, build_image_encoder, own_place_first, random_origin
from trainers.checkpoints import load_weights
from trainers.contract import Shelf
from trainers.datasets import Square
from trainers.folders import WEIGHTS
from trainers.generation.cropping import FOLDER, LungFinder, Views
from trainers.generation.data import asked_pieces, wanted_sections
from trainers.generation.decoding import Written, write
from trainers.generation.gpt2 import PART as WORDS
from trainers.generation.gpt2 import gpt2_pieces, start_as_gpt2
from trainers.generation.network import Indication, Looking, Redrawing, Reporter, telling
from trainers.generation.pieces import Pieces
from trainers.generation.words import Seen, Words
from trainers.precision import autocast
from trainers.retrieval.data import Pose
from trainers.starting import go_on_from, starting_encoder

STRIDE = 32


@dataclass
class GenerationModel:
    """`floor` is the training report that, written on every validation study, has the highest BLEU-4 there; `learned`
    are how many training reports it learned from, `left_out` how many studies it could not, by reason. `lungs` finds
    those to which frontal films are cropped; where nothing does, `uncropped` may say why."""

    network: Reporter
    recipe: GenerationRecipe
    pieces: Pieces
    origins: tuple[WeightOrigin, ...]
    floor: Report = field(default_factory=Report)
    learned: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    lungs: LungFinder | None = None
    uncropped: str = ""

    def views(self, shelf: Shelf) -> Views:
        """Films as it reads them."""
        return Views(shelf.films(self.recipe), self.lungs)

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    def ready(self, films: Tensor) -> Tensor:
        """Films (N, 1, H, W) uint8 as the encoder is given them."""
        floats = normalise(as_floats(films.to(self.device)), self.recipe.normalise)
        return floats.contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def see(self, studies: Sequence[Mapping[Pose, Square]], indications: Sequence[str]) -> Seen:
        """What the words are told of studies, each given as its films by pose and its indication."""
        with autocast(self.recipe, self.device):
            if self.network.indication is not None:
                asked, told = asked_pieces(indications, self.pieces, self.recipe)
                seen: Seen = self.network.indication(asked.to(self.device), told.to(self.device))
                return seen
            assert self.network.looking is not None
            there = torch.tensor([[pose in own for pose in Pose] for own in studies], device=self.device)
            squares = [own[pose] for own in studies for pose in Pose if pose in own]
            films = torch.stack([torch.from_numpy(np.ascontiguousarray(one)) for one in squares])[:, None]
            looked: Seen = self.network.looking(self.network.encode(self.ready(films))[-1], there)
            return looked

    @torch.inference_mode()
    def write(self, seen: Seen, how: Decoding) -> list[Written]:
        """A report on each study, opened by its first section and the words of the prompt; those stand first."""
        sections = wanted_sections(self.recipe)
        prompt = self.pieces.spell(how.prompt)[: self.recipe.most_tokens // 2]
        opening = [self.pieces.opening(sections[0]), *prompt]
        allowed = {self.pieces.opening(section) for section in sections[1:]}
        special = {self.pieces.nothing, *(self.pieces.opening(section) for section in ("findings", "impression"))}
        longest = min(how.most_tokens, self.recipe.most_tokens - len(opening) + 1)
        bounded = Decoding(how.temperature, how.top_k, how.beams, max(1, longest), "", how.seed)
        with autocast(self.recipe, self.device):
            found = write(self.network.words, seen, opening, self.pieces.end, sorted(special - allowed), bounded)
        return [_opened(opening, one) for one in found]


def start_model(
    recipe: GenerationRecipe, pieces: Pieces, start: Path | None, places: Sequence[Path]
) -> tuple[Reporter, tuple[WeightOrigin, ...]]:
    """A network as its training begins, and where its weights come from.

    Raises WeightsNotFound, UnexpectedWeights, CannotStartFrom.
    """
    if recipe.reads == "indication":
        return build_network(recipe, None, len(pieces)), (random_origin(WORDS),)
    encoder = starting_encoder(recipe, places, start)
    network = build_network(recipe, encoder, len(pieces))
    words = random_origin(WORDS)
    if recipe.decoder == "gpt2":
        words = start_as_gpt2(network.words, own_place_first(recipe.weights_folder, places))
    origin = encoder.origin if start is None else go_on_from(network, start, recipe.start_from, recipe.encoder)
    return network, (origin, words)


def pieces_of(recipe: GenerationRecipe, texts: Iterable[str], places: Sequence[Path]) -> Pieces:
    """The pieces that reports are written in. Raises WeightsNotFound, UnexpectedWeights."""
    if recipe.decoder == "gpt2":
        return gpt2_pieces(own_place_first(recipe.weights_folder, places))
    return Pieces.learned_from(texts, recipe.vocabulary)


def build_network(recipe: GenerationRecipe, encoder: ImageEncoder | None, vocabulary: int) -> Reporter:
    """In the memory layout that convolutions on a CPU like."""
    width, latent = recipe.decoder_width, len(Pose) * recipe.latent_width
    reads_films = encoder is not None
    words = Words(
        vocabulary, width, recipe.decoder_layers, recipe.decoder_heads, recipe.most_tokens + 1,
        latent if reads_films else width, recipe.conditioning, recipe.prefix_tokens, recipe.decoder_dropout,
        sinusoidal=not reads_films,
    )  # fmt: skip
    looking, indication, redrawing, normal = None, None, None, None
    if encoder is not None:
        looking = Looking(encoder, recipe.latent_width, width, (recipe.image_size // STRIDE) ** 2)
        if recipe.frontal_weight or recipe.lateral_weight:
            redrawing = nn.ModuleList(Redrawing(encoder.channels, recipe.skips) for _ in Pose)
        if recipe.normal_weight:
            normal = telling(latent, recipe.dropout)
    else:
        indication = Indication(
            words.pieces, width, recipe.decoder_heads, recipe.decoder_layers, recipe.most_tokens, recipe.decoder_dropout
        )
    network = Reporter(encoder, looking, indication, redrawing, normal, words)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def save(model: GenerationModel, folder: Path) -> None:
    """Write the weights, the tokenizer, and by which fingerprint it is known."""
    more = {
        "tokenizer": model.pieces.fingerprint,
        "cased": model.pieces.cased,
        "floor": {"findings": model.floor.findings, "impression": model.floor.impression},
        "learned": model.learned,
        "left_out": dict(model.left_out),
        "cropped_by": model.lungs.name if model.lungs is not None else "",
        "uncropped": model.uncropped,
    }
    folders.write(folder, model.network, model.recipe, model.origins, (), more)
    model.pieces.save(folder)
    if model.lungs is not None:
        model.lungs.save(folder)


def load(folder: Path) -> GenerationModel:
    """The model that `save` wrote. Raises CorruptModel, also where the tokenizer is not that of the weights."""
    told = folders.read(folder, GenerationRecipe)
    recipe, more = told.recipe, told.more
    with folders.whole(folder):
        pieces = Pieces.load(folder, str(more["tokenizer"]), bool(more.get("cased")))
        floor, learned, left_out = Report(**more["floor"]), int(more["learned"]), dict(more["left_out"])
        by, uncropped = str(more.get("cropped_by", "")), str(more.get("uncropped", ""))
        lungs = LungFinder.of(by, folder / FOLDER, recipe.crop_margin) if by else None
    encoder = build_image_encoder(recipe.encoder, "random") if recipe.reads == "films" else None
    network = build_network(recipe, encoder, len(pieces))
    load_weights(network, folder / WEIGHTS)
    return GenerationModel(network.eval(), recipe, pieces, told.origins, floor, learned, left_out, lungs, uncropped)


def _opened(opening: Sequence[int], one: Written) -> Written:
    """With the opening before it; nobody looked anywhere for that."""
    heed = one.heed
    if heed is not None:
        heed = torch.cat([heed.new_zeros(len(opening), heed.shape[1]), heed])
    return Written((*opening, *one.pieces), heed, one.is_cut)
