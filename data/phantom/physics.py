"""From materials to pixels: attenuation, scatter, noise, and the processing that a digital system does for display.

Attenuation follows Beer and Lambert with effective coefficients at 80 to 120 kVp. Scatter is the coarse blur of the
primary image, as convolution models of scatter have it; noise has a quantum part and an electronic part. Processing is
logarithm, compression of large areas, edge enhancement, a sigmoid look-up (as in "for presentation" images).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from data.phantom.films import Materials, Setup, noise
from data.phantom.geometry import Floats, blurred

STORED_BITS = 12
MAXIMUM = (1 << STORED_BITS) - 1

PIXEL_MM = 0.75
"""The pixel pitch for which `Setup.exposure` gives the quantum noise; smaller pixels catch fewer photons."""

ELECTRONIC = 2e-8
"""Variance of the detector's own noise, in units of the unattenuated beam squared."""

FINE_MM, FINE_GAIN = 1.6, 0.7
MEDIUM_MM, MEDIUM_GAIN = 9.0, 0.55
CONTRAST = 3.3
"""Edge enhancement at two scales, and the slope of the display's sigmoid."""


def expose(materials: Materials, setup: Setup, rng: np.random.Generator) -> NDArray[np.uint16]:
    """(H, W) stored pixels, 0 to 4095, bone bright (MONOCHROME2)."""
    hardness = (setup.kvp - 80) / 40
    signal = materials.soft * np.float32(-0.0215 + 0.002 * hardness)
    signal -= materials.bone * np.float32(0.050 - 0.012 * hardness)
    if materials.metal is not None:
        signal -= materials.metal * np.float32(2.4)
    np.exp(signal, out=signal)
    signal += _scatter(signal, setup)
    area = (setup.frame.spacing_mm / PIXEL_MM) ** 2
    spread = signal * np.float32(setup.exposure / area)
    spread += np.float32(ELECTRONIC / area)
    np.sqrt(spread, out=spread)
    spread *= noise(setup.frame.size, rng)
    signal += spread
    np.maximum(signal, np.float32(1e-4), out=signal)
    np.log(signal, out=signal)
    return _present(np.negative(signal, out=signal), setup)


def _scatter(primary: Floats, setup: Setup) -> Floats:
    size = setup.frame.size
    small = cv2.resize(primary, (32, 32), interpolation=cv2.INTER_AREA)
    thick = np.minimum(small, np.float32(0.22)) * np.float32(setup.scatter)
    spread = cv2.GaussianBlur(thick, (0, 0), 2.6, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(spread, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def _present(density: Floats, setup: Setup) -> NDArray[np.uint16]:
    size, spacing = setup.frame.size, setup.frame.spacing_mm
    small = cv2.resize(density, (64, 64), interpolation=cv2.INTER_AREA)
    broad = cv2.GaussianBlur(small, (0, 0), 3.2, borderType=cv2.BORDER_REPLICATE)
    within = small[small > 0.6]
    low, high = (float(v) for v in np.percentile(within if within.size > 64 else small, (4, 96)))
    coarse = max(size // 4, 8)
    medium = cv2.resize(density, (coarse, coarse), interpolation=cv2.INTER_AREA)
    medium = cv2.GaussianBlur(medium, (0, 0), max(0.5, MEDIUM_MM * coarse / (size * spacing)))
    local = cv2.resize(broad, (coarse, coarse), interpolation=cv2.INTER_LINEAR) * np.float32(setup.processing)
    local += medium * np.float32(MEDIUM_GAIN)
    fine = blurred(density, max(0.8, FINE_MM / spacing))
    image = density
    image *= np.float32(1 + FINE_GAIN + MEDIUM_GAIN)
    image -= cv2.resize(local, (size, size), interpolation=cv2.INTER_LINEAR)
    fine *= np.float32(FINE_GAIN)
    image -= fine
    keep = 1 - setup.processing
    span = max((high - low) * keep, 0.35)
    image -= np.float32((low + 0.42 * (high - low)) * keep - setup.brightness)
    image *= np.float32(-CONTRAST / span)
    np.exp(image, out=image)
    image += np.float32(1)
    np.divide(np.float32(MAXIMUM), image, out=image)
    return image.astype(np.uint16)
