"""The text-conditioned U-Net: one image, one sentence, one mask.

    image ---- encoder ----> five feature maps, each half the size of the one before
                                 |  deepest                        | the four others
    prompt --- frozen text encoder --- projection --- joined --- decoder block, skip --- ... --- 1x1 head --- logits
                                           |                        |
                                           +------ scale, shift ----+

The sentence is joined to the deepest features and projected back to the encoder's width. There it can say what is
wanted, but everything sharp comes in later by the skips, which know nothing of the sentence: a decoder that finds the
skips sufficient learns to ignore it. So the sentence also scales and shifts every decoder block's channels (FiLM, Perez
et al. 2018), and at each resolution can silence what was not asked for.

The encoder never sees the sentence. One image's features serve all its prompts: `encode` once, `decode` for each.
"""

from collections.abc import Sequence

import torch
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoderBlock  # type: ignore[import-untyped]
from torch import Tensor, nn

from core.errors import ReadingRoomError
from trainers.backbones import ImageEncoder


class TextWidthMismatch(ReadingRoomError):
    """A network is given features of a text encoder other than the one it was trained with."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(
            f"This model reads sentences as {expected} numbers, and the text encoder gives {found}. "
            "Use the text encoder that its recipe names."
        )


class TextConditionedUnet(nn.Module):
    """U-Net (Ronneberger et al. 2015) over a pretrained encoder, told by a sentence which structure to outline."""

    def __init__(
        self,
        encoder: ImageEncoder,
        text_dimension: int,
        decoder_channels: Sequence[int],
        text_width: int,
        dropout: float = 0.0,
        sections: int = 0,
    ) -> None:
        """`decoder_channels` are the widths of the decoder's blocks, deepest first; each doubles the size. With fewer
        blocks than the encoder has stages the 1x1 head gives several logits a pixel, laid side by side. `sections` is
        how many sections of a report are read beside each prompt."""
        super().__init__()
        deepest, *skips = reversed(encoder.channels)
        self.encoder = encoder
        self.text_dimension = text_dimension
        self.sections = sections
        # A frozen encoder's unit vectors differ little between "left lung" and "right lung": the normalisation brings
        # their difference to the scale of the image features.
        self.read = nn.Sequential(nn.Linear(text_dimension, text_width), nn.LayerNorm(text_width), nn.GELU())
        self.read_report = ReportReader(text_dimension, text_width) if sections else None
        self.join = nn.Sequential(
            nn.Conv2d(deepest + text_width, deepest, 1, bias=False),
            nn.BatchNorm2d(deepest),
            nn.ReLU(inplace=True),
            nn.Dropout2d(dropout),
        )
        widths = list(decoder_channels)
        self.blocks = nn.ModuleList(
            UnetDecoderBlock(below, skip, width)
            for below, skip, width in zip([deepest, *widths[:-1]], [*skips, 0], widths, strict=False)
        )
        self.modulations = nn.ModuleList(TextModulation(text_width, width) for width in widths)
        finer = 2 ** (len(encoder.channels) - len(widths))
        self.head = nn.Sequential(nn.Conv2d(widths[-1], finer**2, 1), nn.PixelShuffle(finer))

    def forward(self, images: Tensor, text: Tensor, image_of: Tensor) -> Tensor:
        """Logits (N, 1, H, W) for N prompts about B images; their sigmoid is the probability of each pixel.

        `images` (B, 1, H, W) are normalised floats, `text` (N, 1 + sections, text_dimension) the features of the
        words, `image_of` (N,) the image that each prompt asks about. Raises TextWidthMismatch.
        """
        return self.decode(self.encode(images), text, image_of)

    def encode(self, images: Tensor) -> list[Tensor]:
        """The images' feature maps, at full size first and deepest last."""
        return [images, *self.encoder(images)]

    def decode(self, features: Sequence[Tensor], text: Tensor, image_of: Tensor) -> Tensor:
        """Logits (N, 1, H, W) of N prompts, from the feature maps that `encode` gave for their images."""
        if text.shape[-1] != self.text_dimension:
            raise TextWidthMismatch(self.text_dimension, text.shape[-1])
        sentence = self.read(text[:, 0])
        if self.read_report is not None:
            sentence = sentence + self.read_report(sentence, text[:, 1:])
        deepest, *skips = [level[image_of] for level in reversed(features[1:])]
        sizes = [level.shape[-2:] for level in reversed(features[:-1])]

        everywhere = sentence[:, :, None, None].expand(-1, -1, *deepest.shape[-2:])
        x = self.join(torch.cat([deepest, everywhere.to(deepest.dtype)], dim=1))
        for block, modulate, skip, (height, width) in zip(
            self.blocks, self.modulations, [*skips, None], sizes, strict=False
        ):
            x = modulate(block(x, height, width, skip_connection=skip), sentence)
        logits: Tensor = self.head(x)
        return logits


class ReportReader(nn.Module):
    """What a report adds to a prompt: its sections' features, weighted by how much each matters for what is asked.

    Additive attention (Bahdanau et al. 2015) of the prompt over findings and impression. A section that is a row of
    zeros was not written and gets no weight; a report without any adds nothing.
    """

    def __init__(self, text_dimension: int, text_width: int) -> None:
        super().__init__()
        self.read = nn.Sequential(nn.Linear(text_dimension, text_width), nn.LayerNorm(text_width), nn.GELU())
        self.key, self.query = nn.Linear(text_width, text_width), nn.Linear(text_width, text_width)
        self.score = nn.Linear(text_width, 1)

    def forward(self, sentence: Tensor, sections: Tensor) -> Tensor:
        """(N, width) from the read prompts (N, width) and the sections' features (N, S, text_dimension)."""
        read = self.read(sections)
        added: Tensor = (self.weights(sentence, sections, read)[:, :, None] * read).sum(dim=1)
        return added

    def weights(self, sentence: Tensor, sections: Tensor, read: Tensor | None = None) -> Tensor:
        """(N, S) shares that add up to 1, or to 0 where no section was written."""
        read = self.read(sections) if read is None else read
        score = self.score(torch.tanh(self.key(read) + self.query(sentence)[:, None])).squeeze(-1).float()
        written = sections.abs().sum(dim=-1) > 0
        shares = torch.softmax(score.masked_fill(~written, -1e4), dim=1)
        return (shares * written).to(read.dtype)


class TextModulation(nn.Module):
    """Feature-wise linear modulation: x (1 + scale) + shift by channel, both read from the sentence, at first 0."""

    def __init__(self, text_width: int, channels: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(text_width, 2 * channels)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, sentence: Tensor) -> Tensor:
        scale, shift = self.modulation(sentence)[:, :, None, None].to(x.dtype).chunk(2, dim=1)
        return torch.addcmul(x + shift, x, scale)
