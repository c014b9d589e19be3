"""From materials to pixels: attenuation, scatter, noise, and the processing that a digital system does for display.

Attenuation follows Beer and Lambert with effective coefficients at 80 to 120 kVp. Scatter is the coarse blur of the
primary image, as convolution models of scatter have it; noise has a quantum part and an electronic part. Processing is
logarithm, compression of large areas, edge enhancement, a sigmoid look-up (as in "for presentation" images).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from data.phantom.films import Materials, Setup
from data.phantom.geometry import Floats

STORED_BITS = 12
MAXIMUM = (1 << STORED_BITS) - 1


def expose(materials: Materials, setup: Setup, rng: np.random.Generator) -> NDArray[np.uint16]:
    """(H, W) stored pixels, 0 to 4095, bone bright (MONOCHROME2)."""
    size = setup.frame.size
    hardness = (setup.kvp - 80) / 40
    path = materials.soft * np.float32(0.0215 - 0.002 * hardness)
    path += materials.bone * np.float32(0.050 - 0.012 * hardness)
    if materials.metal is not None:
        path += materials.metal * np.float32(2.4)
    primary = np.exp(-path)
    signal = primary + _scatter(primary, setup)
    noise = rng.standard_normal((size, size), dtype=np.float32)
    grain = np.float32(setup.exposure)
    signal += noise * np.sqrt(signal * grain + np.float32(2e-8))
    np.maximum(signal, np.float32(1e-4), out=signal)
    return _present(-np.log(signal), setup)


def _scatter(primary: Floats, setup: Setup) -> Floats:
    size = setup.frame.size
    small = cv2.resize(primary, (32, 32), interpolation=cv2.INTER_AREA)
    thick = np.minimum(small, np.float32(0.22))
    spread = cv2.GaussianBlur(thick, (0, 0), 2.6, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(spread * np.float32(setup.scatter), (size, size), interpolation=cv2.INTER_LINEAR)


def _present(density: Floats, setup: Setup) -> NDArray[np.uint16]:
    size = setup.frame.size
    small = cv2.resize(density, (64, 64), interpolation=cv2.INTER_AREA)
    broad = cv2.GaussianBlur(small, (0, 0), 3.2, borderType=cv2.BORDER_REPLICATE)
    within = small[small > 0.6]
    low, middle, high = np.percentile(within if within.size > 64 else small, (4, 40, 96))
    large = cv2.resize(broad, (size, size), interpolation=cv2.INTER_LINEAR)
    image = density - np.float32(setup.processing) * (large - np.float32(middle))
    fine = cv2.GaussianBlur(density, (0, 0), max(0.8, 1.6 / setup.frame.spacing_mm))
    image += np.float32(0.7) * (density - fine)
    quarter = cv2.resize(density, (size // 4, size // 4), interpolation=cv2.INTER_AREA)
    medium = cv2.GaussianBlur(quarter, (0, 0), max(0.5, 9.0 / (4 * setup.frame.spacing_mm)))
    image += np.float32(0.55) * (density - cv2.resize(medium, (size, size), interpolation=cv2.INTER_LINEAR))
    keep = 1 - setup.processing
    span = max(float(high - low) * keep, 0.35)
    centre = float(low + 0.42 * (high - low)) * keep + float(middle) * setup.processing - setup.brightness
    image -= np.float32(centre)
    image *= np.float32(-3.3 / span)
    np.exp(image, out=image)
    image += np.float32(1)
    np.divide(np.float32(MAXIMUM), image, out=image)
    return image.astype(np.uint16)
