"""What one training step is given."""

from typing import NamedTuple

from torch import Tensor


class SegmentationBatch(NamedTuple):
    """B images and the N prompts asked of them; an image may be asked several, or none.

    `images` (B, 1, H, W) uint8. `masks` (N, 1, H, W) uint8, 1 inside the finding, all 0 where it is absent.
    `image_of` (N,) int64: the row of `images` that each prompt asks about. `text` (N, S, D) float32: the features of
    the words, the prompt's first, then, where the network reads them, those of the report's findings and impression;
    `mirrored_text` (N, S, D): those of the words with left and right exchanged, for films that get flipped.
    `finding_of` (N,) int64: the row of the finding in the data set's list, for scores by finding.
    """

    images: Tensor
    masks: Tensor
    image_of: Tensor
    text: Tensor
    mirrored_text: Tensor
    finding_of: Tensor
