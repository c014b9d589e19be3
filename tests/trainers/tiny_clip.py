"""A CLIP text tower of a few thousand random weights, with a vocabulary of its own, laid out as on the hub."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer

WORDS = ("lung", "heart", "left", "right")
END = "<|endoftext|>"


def vocabulary_of(words: Sequence[str] = WORDS) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Every letter, inside and at the end of words, and what merges them into `words`, as CLIP has it."""
    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(letter + "</w>" for letter in letters)]
    merges = []
    for word in words:
        *parts, last = word
        parts.append(last + "</w>")
        while len(parts) > 1:
            first, second, *rest = parts
            if (first, second) not in merges:
                merges.append((first, second))
                tokens.append(first + second)
            parts = [first + second, *rest]
    return {token: number for number, token in enumerate([*tokens, "<|startoftext|>", END])}, merges


def save_tiny_clip(folder: Path, width: int = 12, tokenizer_file: bool = True, seed: int = 0) -> CLIPTextConfig:
    """Write config.json, model.safetensors and the vocabulary; its texts become rows of `width` numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary, merges = vocabulary_of()
    config = CLIPTextConfig(
        vocab_size=len(vocabulary), hidden_size=16, intermediate_size=32, projection_dim=width, num_hidden_layers=2,
        num_attention_heads=2, bos_token_id=vocabulary["<|startoftext|>"], eos_token_id=vocabulary[END],
    )  # fmt: skip
    torch.manual_seed(seed)
    model = CLIPTextModelWithProjection(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    config.save_pretrained(folder)
    save_file(model.state_dict(), folder / "model.safetensors")
    if tokenizer_file:
        CLIPTokenizer(vocab=vocabulary, merges=merges).save_pretrained(folder)
    else:
        (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
        lines = ["#version: 0.2", *(" ".join(merge) for merge in merges)]
        (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return config
