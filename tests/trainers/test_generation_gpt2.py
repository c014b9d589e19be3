"""GPT-2 as the words' decoder: what is read from a folder says what GPT-2 says, and goes on to learn."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as Bytes
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import GPT2Config, GPT2LMHeadModel

from core.recipes import GenerationRecipe, preset
from tests.trainers.conftest import House
from tests.trainers.reported import add_reported
from trainers.backbones import UnexpectedWeights, WeightsNotFound
from trainers.contract import Silent
from trainers.generation.family import Generation
from trainers.generation.gpt2 import gpt2_pieces, start_as_gpt2
from trainers.generation.words import Seen, Words
from trainers.loop import train

LAYERS, WIDTH, HEADS, LONGEST = 2, 32, 2, 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small GPT-2 as it is laid out on the hub."""
    place = tmp_path_factory.mktemp("weights") / "gpt2"
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = ByteLevel(add_prefix_space=False), Bytes()
    trainer = BpeTrainer(vocab_size=300, initial_alphabet=ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(["The heart is enlarged. There is a huge square."] * 3, trainer)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(), n_positions=LONGEST, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS
    )
    GPT2LMHeadModel(config).save_pretrained(place)
    tokenizer.save(str(place / "tokenizer.json"))
    return place


def words(conditioning: str, vocabulary: int, layers: int = LAYERS) -> Words:
    return Words(vocabulary, WIDTH, layers, HEADS, 40, 16, conditioning, 2, 0.0).eval()


@pytest.mark.parametrize("conditioning", ["additive", "cross"])
@torch.inference_mode()
def test_it_says_what_gpt2_says_whatever_is_on_the_films(folder: Path, conditioning: str) -> None:
    pieces = gpt2_pieces([folder.parent])
    ours, theirs = words(conditioning, len(pieces)), GPT2LMHeadModel.from_pretrained(folder).eval()
    origin = start_as_gpt2(ours, [folder.parent])
    assert origin.source == f"local folder {folder}, model.safetensors"
    told = torch.tensor([pieces.spell("The heart is enlarged.")])
    seen = Seen(torch.randn(1, 16), torch.randn(1, 5, WIDTH), torch.ones(1, 5, dtype=torch.bool))
    expected = theirs(told).logits
    torch.testing.assert_close(ours(told, seen).logits[..., : expected.shape[-1]], expected, atol=1e-4, rtol=1e-4)


def test_its_pieces_keep_large_letters_and_ours_stand_behind_them(folder: Path) -> None:
    pieces = gpt2_pieces([folder])
    spelled = pieces.of_report([("findings", "The Heart is [end] enlarged."), ("impression", "A square.")])
    assert spelled.count(pieces.end) == 1 and spelled[-1] == pieces.end
    told = {section: pieces.read_out(own) for section, own in pieces.sections(spelled)}
    assert told == {"findings": "The Heart is end enlarged.", "impression": "A square."}


def test_a_model_goes_on_from_it_and_comes_back_from_disk_without_it(
    house: House, folder: Path, tmp_path: Path
) -> None:
    recipe, family = preset("generation", "smoke"), Generation()
    assert isinstance(recipe, GenerationRecipe)
    recipe = replace(
        recipe, decoder="gpt2", weights_folder=str(folder.parent), conditioning="additive", decoder_layers=LAYERS,
        decoder_width=WIDTH, decoder_heads=HEADS, minimum_steps=6, epochs=1,
    )  # fmt: skip
    add_reported(house, "drawn", 24)
    data = family.prepare(recipe, house.freeze("drawn-1", "drawn"), house.shelf, Silent())
    done = train(lambda wanted: family.module(wanted, data), recipe, family.headline, True, tmp_path / "run", Silent())
    model = done.module.publishable()
    assert [origin.part for origin in family.facts(model).origins] == ["image encoder", "decoder of words"]
    (tmp_path / "model").mkdir()
    family.save(model, tmp_path / "model")
    loaded = family.load(tmp_path / "model")
    assert loaded.pieces.cased and loaded.pieces.fingerprint == model.pieces.fingerprint


def test_another_shape_than_the_recipes_is_refused_with_what_to_set(folder: Path) -> None:
    with pytest.raises(UnexpectedWeights, match="Set decoder_layers=2"):
        start_as_gpt2(words("additive", len(gpt2_pieces([folder])), layers=3), [folder])


def test_a_folder_that_is_not_whole_is_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(UnexpectedWeights, match=r"needs model\.safetensors and tokenizer\.json"):
        gpt2_pieces([tmp_path])


def test_where_it_is_nowhere_the_error_says_where_was_looked(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFound, match=r"decoder of words.*gpt2/config\.json"):
        gpt2_pieces([tmp_path])
