import io
from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
import pytest


@pytest.fixture
def film() -> np.ndarray:
    """A small 8-bit film with a gradient, a bright block and some grain."""
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[:48, :64]
    pixels = 2.0 * columns + rows + rng.normal(0, 2, (48, 64))
    pixels[10:20, 30:50] += 60
    return np.clip(pixels, 0, 255).astype(np.uint8)


@pytest.fixture
def encoded() -> Callable[..., bytes]:
    """Pixels (or a Pillow image) as a file of some format."""

    def encode(pixels: Any, kind: str = "PNG", **options: Any) -> bytes:
        image = pixels if isinstance(pixels, PIL.Image.Image) else PIL.Image.fromarray(pixels)
        out = io.BytesIO()
        image.save(out, kind, **options)
        return out.getvalue()

    return encode
