import json
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from tests.trainers.hub import COMMIT, a_hub
from tests.trainers.tiny_bert import WORDS, save_tiny_bert
from trainers.backbones import UnexpectedWeights, WeightsNotFound, build_token_encoder
from trainers.backbones.bioclinical import bert_tokenizer
from trainers.checkpoints import sha256_of

TEXTS = ["chest pain", "coughing, chest pain. heart"]
IDS = [[2, 7, 8, 3], [2, 9, 10, 11, 7, 8, 12, 5, 3]]


@pytest.mark.parametrize("inside", ["Bio_ClinicalBERT", "."])
def test_a_local_bert_reads_as_transformers_own_does(tmp_path: Path, inside: str) -> None:
    folder = tmp_path / inside
    whole = save_tiny_bert(folder)
    encoder = build_token_encoder("bioclinical", 0, 20, [tmp_path / "empty", tmp_path])
    for read, ids in zip(encoder.read(TEXTS), IDS, strict=True):
        with torch.inference_mode():
            expected = whole.bert(input_ids=torch.tensor([ids])).last_hidden_state[0]
        torch.testing.assert_close(read.states, expected, rtol=1e-4, atol=1e-5)
    assert encoder.read(TEXTS)[1].words == ("coughing", "chest", "pain", "heart")
    assert encoder.origin.source == f"local folder {folder}, pytorch_model.bin"
    assert encoder.origin.sha256 == sha256_of(folder / "pytorch_model.bin")


def test_a_bert_comes_from_the_hub_and_then_from_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_tiny_bert(tmp_path / "theirs")
    with a_hub(monkeypatch, tmp_path / "cache") as hub:
        hub.hold(tmp_path / "theirs")
        first = build_token_encoder("bioclinical", 1, 20, [tmp_path / "empty"])
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        again = build_token_encoder("bioclinical", 1, 20)
    assert str(first.origin).startswith(
        f"text encoder: emilyalsentzer/Bio_ClinicalBERT on the Hugging Face hub {COMMIT}, licence mit, sha256 "
    )
    assert torch.equal(first.read(TEXTS)[1].states, again.read(TEXTS)[1].states)
    assert first.top is not None and len(first.top.layers) == 1


def test_capitals_count_where_the_vocabulary_has_some_unless_a_configuration_says_otherwise(tmp_path: Path) -> None:
    save_tiny_bert(tmp_path / "cased")
    save_tiny_bert(tmp_path / "lower", lowercase=True)
    assert bert_tokenizer(tmp_path / "cased", len(WORDS)).encode("Heart").tokens == ["[CLS]", "Heart", "[SEP]"]
    assert bert_tokenizer(tmp_path / "lower", len(WORDS)).encode("Heart").tokens == ["[CLS]", "heart", "[SEP]"]


def test_names_of_parameters_from_the_beginning_are_understood(tmp_path: Path) -> None:
    state = save_tiny_bert(tmp_path).state_dict()
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for name, value in state.items()
    }
    now = build_token_encoder("bioclinical", 0, 20, [tmp_path]).read(TEXTS)
    torch.save({**old, "bert.embeddings.position_ids": torch.arange(24)[None]}, tmp_path / "pytorch_model.bin")
    then = build_token_encoder("bioclinical", 0, 20, [tmp_path]).read(TEXTS)
    assert all(torch.equal(one.states, other.states) for one, other in zip(now, then, strict=True))


def test_a_text_is_cut_at_the_places_that_the_weights_have(tmp_path: Path) -> None:
    save_tiny_bert(tmp_path)
    (read,) = build_token_encoder("bioclinical", 0, 512, [tmp_path]).read(["chest pain " * 500])
    assert len(read.states) == 24
    assert read.read_words == 22


def test_a_bert_that_is_nowhere_names_every_place_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFound) as refused:
        build_token_encoder("bioclinical", 0, 20, [tmp_path])
    for told in (tmp_path, "Bio_ClinicalBERT/config.json", "emilyalsentzer/Bio_ClinicalBERT", "HF_HUB_OFFLINE=0"):
        assert str(told) in str(refused.value)


@pytest.mark.parametrize("lost", ["vocab.txt", "pytorch_model.bin"])
def test_a_bert_that_is_not_whole_says_what_it_needs(tmp_path: Path, lost: str) -> None:
    save_tiny_bert(tmp_path)
    (tmp_path / lost).unlink()
    with pytest.raises(UnexpectedWeights, match=r"no whole BERT.*model\.safetensors.*vocab\.txt"):
        build_token_encoder("bioclinical", 0, 20, [tmp_path])


def test_weights_that_do_not_fit_are_refused_by_the_first_odd_name(tmp_path: Path) -> None:
    state = {name: value.contiguous() for name, value in save_tiny_bert(tmp_path).bert.state_dict().items()}
    (tmp_path / "pytorch_model.bin").unlink()

    def refusal(changed: dict[str, torch.Tensor]) -> str:
        save_file(changed, tmp_path / "model.safetensors")
        with pytest.raises(UnexpectedWeights) as refused:
            build_token_encoder("bioclinical", 0, 20, [tmp_path])
        return str(refused.value)

    name = "encoder.layer.2.output.dense.weight"
    assert f'lacks the parameter "{name}"' in refusal({key: value for key, value in state.items() if key != name})
    assert "(3, 3)" in refusal({**state, name: torch.zeros(3, 3)})
    assert '"odd.weight"' in refusal({**state, "odd.weight": torch.zeros(1)})


def test_a_vocabulary_of_other_words_than_the_weights_is_refused(tmp_path: Path) -> None:
    save_tiny_bert(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS[:-1]))
    with pytest.raises(UnexpectedWeights, match="12 words, and the weights 13"):
        build_token_encoder("bioclinical", 0, 20, [tmp_path])
    (tmp_path / "vocab.txt").write_text("\n".join(word.replace("heart", "kidney") for word in WORDS))
    with pytest.raises(UnexpectedWeights, match=r'"heart" is read as \[CLS\] \[UNK\] \[SEP\]'):
        build_token_encoder("bioclinical", 0, 20, [tmp_path])
    (tmp_path / "vocab.txt").write_text("heart\nlung\n")
    with pytest.raises(UnexpectedWeights, match=r"lacks \[UNK\]"):
        build_token_encoder("bioclinical", 0, 20, [tmp_path])


def test_a_configuration_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    save_tiny_bert(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(UnexpectedWeights, match="is no JSON"):
        build_token_encoder("bioclinical", 0, 20, [tmp_path])
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "clip"}))
    with pytest.raises(WeightsNotFound):
        build_token_encoder("bioclinical", 0, 20, [tmp_path])
