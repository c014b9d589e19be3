"""ViT-B/16, whose weights come from a local folder or the hub, and where its attention goes."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from trainers.backbones.convolutions import one_channel_stem
from trainers.backbones.origins import IMAGE_ENCODER, UnexpectedWeights, WeightOrigin, random_origin
from trainers.backbones.places import Repository
from trainers.backbones.published import Published, load_published

PATCH = 16
SHAPE: Mapping[str, Any] = {"embed_dim": 768, "depth": 12, "num_heads": 12}


class VitB16(nn.Module):
    """ViT-B/16 (Dosovitskiy et al. 2021), timm's, on one grey channel. Its only map holds the patches, at stride 16.

    It learned on films of 224 pixels a side; for others the embeddings of the places are stretched.
    """

    def __init__(
        self,
        weights: str,
        places: Sequence[Path] = (),
        load: Callable[[nn.Module, Sequence[Path]], WeightOrigin] | None = None,
    ) -> None:
        """Local weights are those of ImageNet, unless `load` fills the body with others.

        Raises WeightsNotFound, UnexpectedWeights, PickledModel, NotWeights.
        """
        super().__init__()
        body: Any = timm.create_model(
            "vit_base_patch16_224", pretrained=False, num_classes=0, global_pool="", dynamic_img_size=True, **SHAPE
        )
        self.channels: tuple[int, ...] = (int(body.embed_dim),)
        self.origin = random_origin(IMAGE_ENCODER)
        if weights == "local":
            self.origin = load(body, places) if load is not None else load_published(body, VIT_B16, places)
        body.patch_embed.proj = one_channel_stem(body.patch_embed.proj)
        self.body: Any = body

    def forward(self, images: Tensor) -> list[Tensor]:
        height, width = (side // PATCH for side in images.shape[-2:])
        patches = self.body.forward_features(images)[:, self.body.num_prefix_tokens :]
        return [patches.transpose(1, 2).unflatten(2, (height, width))]

    def stages_up_to(self, count: int) -> list[nn.Module]:
        """The embeddings of patches and places, then a quarter of the blocks each."""
        body, blocks = self.body, list(self.body.blocks)
        if not count:
            return []
        embeddings = [body.patch_embed, nn.ParameterList([body.cls_token, body.pos_embed])]
        norm = [body.norm] if count == 5 else []
        return [*embeddings, *blocks[: len(blocks) * (count - 1) // 4], *norm]

    def give_last(self, count: int) -> tuple[list[nn.Module], nn.Module]:
        """Its last blocks, which it does without from then on, and the norm that follows them.

        Raises UnexpectedWeights where it has no more than these.
        """
        body = self.body
        blocks, norm, stay = list(body.blocks), body.norm, len(body.blocks) - count
        if stay < 1:
            raise UnexpectedWeights(f"The image encoder has {len(blocks)} layers, so it cannot give {count} of them.")
        body.blocks, body.norm = nn.Sequential(*blocks[:stay]), nn.Identity()
        return blocks[stay:], norm

    @torch.inference_mode()
    def rollout(self, images: Tensor) -> Tensor:
        """(B, P, P): how much of each patch on the way in there is in each on the way out (attention rollout, Abnar &
        Zuidema 2020): the mean attention of all heads and what passes by it, half each, multiplied block by block."""
        x = self.body.norm_pre(self.body._pos_embed(self.body.patch_embed(images)))
        itself = torch.eye(x.shape[1], device=x.device)
        mixed = itself.expand(len(x), -1, -1)
        for block in self.body.blocks:
            mixed = (0.5 * itself + 0.5 * _attention(block.attn, block.norm1(x))) @ mixed
            x = block(x)
        skipped = self.body.num_prefix_tokens
        return mixed[:, skipped:, skipped:]


def _attention(layer: Any, x: Tensor) -> Tensor:
    """(B, N, N): the mean over the heads of how much each token attends to each."""
    count, tokens, _ = x.shape
    mixed = layer.qkv(x).reshape(count, tokens, 3, layer.num_heads, layer.head_dim).permute(2, 0, 3, 1, 4)
    query, key = layer.q_norm(mixed[0]), layer.k_norm(mixed[1])
    return functional.softmax((query * layer.scale) @ key.transpose(-2, -1), dim=-1).mean(dim=1)


VIT_B16 = Published(
    name="vit_b16",
    repository=Repository("timm/vit_base_patch16_224.augreg2_in21k_ft_in1k", licence="apache-2.0"),
    stem="patch_embed.proj.weight",
    head=("head.", "fc_norm.", "pre_logits."),
)
