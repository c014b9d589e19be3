"""DistilBERT read as the BERT that it is."""

from pathlib import Path

import pytest
import torch
from transformers import DistilBertConfig, DistilBertForMaskedLM

from tests.trainers.tiny_bert import WORDS
from trainers.backbones import WeightsNotFound, build_token_encoder

TEXTS = ["chest pain", "coughing, chest pain. heart"]
IDS = [[2, 7, 8, 3], [2, 9, 10, 11, 7, 8, 12, 5, 3]]


def save_tiny_distilbert(folder: Path) -> DistilBertForMaskedLM:
    """Laid out as on the hub, with the head that it was pretrained with."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    config = DistilBertConfig(
        vocab_size=len(WORDS), dim=16, hidden_dim=32, n_layers=3, n_heads=2, max_position_embeddings=24
    )
    model = DistilBertForMaskedLM(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    config.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    torch.save(dict(model.state_dict()), folder / "pytorch_model.bin")
    return model


@pytest.mark.parametrize("learned", [0, 2])
def test_it_reads_as_transformers_own_does(tmp_path: Path, learned: int) -> None:
    whole = save_tiny_distilbert(tmp_path / "distilbert-base-uncased")
    encoder = build_token_encoder("distilbert", learned, 20, [tmp_path])
    for read, ids in zip(encoder.read(TEXTS), IDS, strict=True):
        states = read.states[None]
        with torch.inference_mode():
            if encoder.top is not None:
                states = encoder.top.eval()(states, torch.ones(1, len(ids), dtype=torch.bool))
            expected = whole.distilbert(input_ids=torch.tensor([ids])).last_hidden_state
        torch.testing.assert_close(states, expected, rtol=1e-4, atol=1e-5)


def test_one_that_is_nowhere_names_every_place(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFound, match=r"distilbert-base-uncased/config\.json.*HF_HUB_OFFLINE=0"):
        build_token_encoder("distilbert", 0, 20, [tmp_path])
