"""A BERT of a few thousand random weights, with a vocabulary of its own, laid out as BioClinicalBERT is on the hub."""

import json
from pathlib import Path

import torch
from transformers import BertConfig, BertForMaskedLM

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "heart", "Heart", "chest", "pain", "cough", "##ing", ",", ".")


def tiny_config(words: int = len(WORDS)) -> BertConfig:
    return BertConfig(
        vocab_size=words, hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2,
        max_position_embeddings=24,
    )  # fmt: skip


def save_tiny_bert(folder: Path, lowercase: bool | None = None, seed: int = 0) -> BertForMaskedLM:
    """Write config.json, vocab.txt and the weights of a BERT with the head it was pretrained with."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = BertForMaskedLM(tiny_config()).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    tiny_config().save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    if lowercase is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lowercase}), encoding="utf-8")
    torch.save(dict(model.state_dict()), folder / "pytorch_model.bin")
    return model
