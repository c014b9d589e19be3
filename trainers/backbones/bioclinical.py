"""BioClinicalBERT and DistilBERT, whose weights come from a local folder or the hub."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from torch import Tensor

from trainers.backbones.bert import BertTokens
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
from trainers.checkpoints import read_state

BIOCLINICAL_NAME = "Bio_ClinicalBERT"
DISTILBERT_NAME = "distilbert-base-uncased"
CONFIG = "config.json"
VOCABULARY = "vocab.txt"
TOKENIZER = "tokenizer.json"
MARKS = ("[CLS]", "[SEP]")
UNKNOWN = "[UNK]"
_UNUSED = re.compile(r"^(?:cls|pooler|classifier|pre_classifier|vocab_\w+)\.|\.position_ids$")
_KINDS_OF_SENTENCES = "embeddings.token_type_embeddings.weight"


def _as_it_is(name: str) -> str:
    return name


def _bert_shape(folder: Path) -> Any:
    from transformers import BertConfig

    return BertConfig.from_pretrained(folder, local_files_only=True)


def _distilbert_shape(folder: Path) -> Any:
    """A DistilBERT as the BERT that it is: without kinds of sentences, all else the same under other names."""
    from transformers import BertConfig, DistilBertConfig

    told: Any = DistilBertConfig.from_pretrained(folder, local_files_only=True)
    return BertConfig(
        vocab_size=told.vocab_size, hidden_size=told.dim, num_hidden_layers=told.n_layers,
        num_attention_heads=told.n_heads, intermediate_size=told.hidden_dim, hidden_act=told.activation,
        hidden_dropout_prob=told.dropout, attention_probs_dropout_prob=told.attention_dropout,
        max_position_embeddings=told.max_position_embeddings, type_vocab_size=1,
    )  # fmt: skip


def _distilbert_name(name: str) -> str:
    """What BERT calls a parameter of DistilBERT's."""
    name = name.removeprefix("distilbert.").replace("transformer.layer.", "encoder.layer.")
    for theirs, ours in (
        ("attention.q_lin", "attention.self.query"),
        ("attention.k_lin", "attention.self.key"),
        ("attention.v_lin", "attention.self.value"),
        ("attention.out_lin", "attention.output.dense"),
        ("sa_layer_norm", "attention.output.LayerNorm"),
        ("ffn.lin1", "intermediate.dense"),
        ("ffn.lin2", "output.dense"),
        ("output_layer_norm", "output.LayerNorm"),
    ):
        name = name.replace(f".{theirs}.", f".{ours}.")
    return name


@dataclass(frozen=True)
class PublishedBert:
    """How a BERT is published: the name of its folder, its repository on the hub, and the kind that its configuration
    states. `shape` reads that as BERT's, and `renamed` turns names of parameters into BERT's."""

    name: str
    repository: Repository
    kind: str = "bert"
    shape: Callable[[Path], Any] = _bert_shape
    renamed: Callable[[str], str] = _as_it_is


BIOCLINICAL = PublishedBert(BIOCLINICAL_NAME, Repository(f"emilyalsentzer/{BIOCLINICAL_NAME}", licence="mit"))
DISTILBERT = PublishedBert(
    DISTILBERT_NAME, Repository(f"distilbert/{DISTILBERT_NAME}", licence="apache-2.0"), "distilbert",
    _distilbert_shape, _distilbert_name,
)  # fmt: skip


def bioclinical_tokens(learned: int, tokens: int, places: Sequence[Path]) -> BertTokens:
    """BioClinicalBERT (Alsentzer et al. 2019). Raises WeightsNotFound, UnexpectedWeights, PickledModel, NotWeights."""
    return _tokens_of(BIOCLINICAL, learned, tokens, places)


def distilbert_tokens(learned: int, tokens: int, places: Sequence[Path]) -> BertTokens:
    """DistilBERT (Sanh et al. 2019). Raises WeightsNotFound, UnexpectedWeights, PickledModel, NotWeights."""
    return _tokens_of(DISTILBERT, learned, tokens, places)


def _tokens_of(published: PublishedBert, learned: int, tokens: int, places: Sequence[Path]) -> BertTokens:
    # Slow to import, and not needed by the recipes that do not read.
    from transformers import BertModel

    folder, weights, origin = _find(published, places)
    config = published.shape(folder)
    model: Any = BertModel(config, add_pooling_layer=False)
    model.load_state_dict(_bert_state(weights, model.state_dict(), published.renamed), strict=True)
    return BertTokens(bert_tokenizer(folder, int(config.vocab_size)), model, origin, learned, tokens)


def bert_tokenizer(folder: Path, words: int) -> Tokenizer:
    """The tokenizer in the folder of a BERT of so many words.

    A vocabulary alone does not say whether capitals count. They do where it holds words with capitals, unless a
    configuration beside it says otherwise. Raises UnexpectedWeights where it is not the vocabulary of the weights.
    """
    if (folder / VOCABULARY).is_file():
        lines = (folder / VOCABULARY).read_text(encoding="utf-8").removesuffix("\n").split("\n")
        vocabulary = {word.rstrip("\r"): place for place, word in enumerate(lines)}
        if lacking := [mark for mark in (UNKNOWN, *MARKS) if mark not in vocabulary]:
            raise UnexpectedWeights(f"{folder / VOCABULARY} is no vocabulary of a BERT: it lacks {', '.join(lacking)}.")
        tokenizer = Tokenizer(WordPiece(vocabulary, unk_token=UNKNOWN))
        tokenizer.normalizer = BertNormalizer(lowercase=not _is_cased(folder, vocabulary))
        tokenizer.pre_tokenizer = BertPreTokenizer()
        ends = [(mark, vocabulary[mark]) for mark in MARKS]
        tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    else:
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    found, known = tokenizer.encode("heart").tokens, tokenizer.get_vocab_size()
    if known != words or UNKNOWN in found or (found[0], found[-1]) != MARKS:
        raise UnexpectedWeights(
            f"The vocabulary in {folder} is not that of its weights: it has {known} words, and the weights {words}; "
            f'"heart" is read as {" ".join(found)}. Get the folder again.'
        )
    return tokenizer


def _is_cased(folder: Path, vocabulary: Mapping[str, int]) -> bool:
    stated = folder / "tokenizer_config.json"
    told = json.loads(stated.read_text(encoding="utf-8")) if stated.is_file() else {}
    if "do_lower_case" in told:
        return not told["do_lower_case"]
    return any(word != word.lower() for word in vocabulary if not word.startswith("["))


def _find(published: PublishedBert, places: Sequence[Path]) -> tuple[Path, Path, WeightOrigin]:
    """The folder with configuration and vocabulary, the file of weights, and its origin."""
    for folder in _folders(published, places):
        weights = next((folder / name for name in WEIGHTS_FILES if (folder / name).is_file()), None)
        if weights is None or not any((folder / name).is_file() for name in (VOCABULARY, TOKENIZER)):
            raise UnexpectedWeights(
                f"{folder} is no whole BERT: beside {CONFIG} it needs model.safetensors (or pytorch_model.bin), and "
                f"{VOCABULARY} (or {TOKENIZER})."
            )
        return folder, weights, local_origin(TEXT_ENCODER, weights)
    try:
        folder = hub_file(published.repository, CONFIG).parent
        hub_file(published.repository, VOCABULARY, TOKENIZER)
        weights = hub_file(published.repository, *WEIGHTS_FILES)
    except NotFromHub as error:
        looked = looked_in(places, f"{published.name}/{CONFIG}, or {CONFIG} of a {published.kind.upper()}", error)
        remedy = remedy_for(places, "choose another text_encoder in the recipe")
        raise WeightsNotFound(TEXT_ENCODER, looked, remedy) from error
    return folder, weights, hub_origin(TEXT_ENCODER, published.repository, weights)


def _folders(published: PublishedBert, places: Sequence[Path]) -> Iterator[Path]:
    """Those folders in which such a BERT is laid out as on the hub."""
    for place in places:
        for folder in (place / published.name, place):
            if (folder / CONFIG).is_file() and _kind(folder) == published.kind:
                yield folder


def _kind(folder: Path) -> str | None:
    try:
        described = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UnexpectedWeights(f"{folder / CONFIG} is no JSON ({error}). Get the folder again.") from error
    return described.get("model_type", "bert") if isinstance(described, dict) else None


def _bert_state(path: Path, wanted: Mapping[str, Tensor], renamed: Callable[[str], str]) -> dict[str, Tensor]:
    """The encoder's tensors in a file of a BERT with or without what it was pretrained for. One that knows no kinds of
    sentences is one whose embeddings of them are 0.

    Raises UnexpectedWeights, naming the first parameter that is unknown, lacking or of another shape.
    """
    state = {renamed(_todays_name(name)): value for name, value in read_state(path).items()}
    if len(wanted[_KINDS_OF_SENTENCES]) == 1:
        state.setdefault(_KINDS_OF_SENTENCES, torch.zeros_like(wanted[_KINDS_OF_SENTENCES]))
    found = {name: value for name, value in state.items() if not _UNUSED.search(name)}
    wrong = f"{path} does not fit its {CONFIG}: "
    for name, value in found.items():
        if name not in wanted:
            raise UnexpectedWeights(f'{wrong}it has a parameter "{name}", which is unknown there.')
        if value.shape != wanted[name].shape:
            shapes = f"{tuple(value.shape)}, where {tuple(wanted[name].shape)} was expected"
            raise UnexpectedWeights(f'{wrong}its parameter "{name}" has the shape {shapes}.')
    for name in wanted:
        if name not in found:
            raise UnexpectedWeights(f'{wrong}it lacks the parameter "{name}".')
    return found


def _todays_name(name: str) -> str:
    """Files from the beginning call the weight and the bias of a norm gamma and beta."""
    bare = name.removeprefix("bert.")
    for old, today in (("gamma", "weight"), ("beta", "bias")):
        bare = bare.replace(f"LayerNorm.{old}", f"LayerNorm.{today}")
    return bare
