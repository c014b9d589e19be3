"""A model of open_clip in small, laid out as BiomedCLIP is on the hub: a ViT of timm's and a BERT, random weights."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import BertConfig

import trainers  # noqa: F401  (before open_clip, which imports torchvision)
from tests.trainers.tiny_bert import WORDS

DIMENSION = 24
MIDDLE, REACH = [0.48, 0.46, 0.41], [0.27, 0.26, 0.28]


def save_tiny_biomedclip(folder: Path, with_shape: bool = False) -> Any:
    """Write configuration, vocabulary and weights; `with_shape` with that of the BERT beside them."""
    import open_clip

    folder.mkdir(parents=True, exist_ok=True)
    text = {
        "hf_model_name": str(folder), "hf_tokenizer_name": "some/where", "hf_proj_type": "mlp",
        "hf_pooler_type": "cls_last_hidden_state_pooler", "context_length": 12,
    }  # fmt: skip
    vision = {
        "timm_model_name": "vit_tiny_patch16_224", "timm_model_pretrained": False, "timm_pool": "",
        "timm_proj": "linear", "image_size": 224,
    }  # fmt: skip
    BertConfig(
        vocab_size=len(WORDS), hidden_size=128, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2,
        max_position_embeddings=24,
    ).save_pretrained(folder)  # fmt: skip
    describe(folder, text, vision)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer", "do_lower_case": true}')
    torch.manual_seed(5)
    model: Any = open_clip.create_model(f"local-dir:{folder}", load_weights=False, pretrained_text=False)
    for parameter in model.text.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    torch.save(dict(model.state_dict()), folder / "open_clip_pytorch_model.bin")
    describe(folder, {**text, "hf_model_name": "some/where"}, vision)
    if not with_shape:
        (folder / "config.json").unlink()
    return model.eval()


def save_tiny_clip(folder: Path) -> Any:
    """The classic kind: both towers open_clip's own, and its own vocabulary."""
    import open_clip

    folder.mkdir(parents=True, exist_ok=True)
    vision = {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16}
    describe(folder, {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}, vision)
    torch.manual_seed(5)
    model: Any = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    torch.save(dict(model.state_dict()), folder / "open_clip_pytorch_model.bin")
    return model.eval()


def describe(folder: Path, text: dict[str, Any], vision: dict[str, Any]) -> None:
    told = {
        "model_cfg": {"embed_dim": DIMENSION, "vision_cfg": vision, "text_cfg": text},
        "preprocess_cfg": {"mean": MIDDLE, "std": REACH},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(told), encoding="utf-8")
