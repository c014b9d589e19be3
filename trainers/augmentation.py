"""Films as other hospitals make them: augmentation of whole batches of films, in tensors, and what networks are given.

Grey values are never inverted: MONOCHROME1 is undone at import, so an inverted film is an error, not a variation.
All randomness comes from torch's global generator.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Augmentation:
    """How far a film may be changed. Each intensity change happens to a film with `probability`.

    Angles in degrees; `scale` and `aspect` are the largest factors (1.2: from 1/1.2 to 1.2), `shift` a fraction of the
    side; `gamma` and `contrast` the largest factors; `brightness`, `noise` and `haze` fractions of the grey range;
    `blur` the largest standard deviation in pixels; `coarsen` the largest loss of resolution; `cutouts` the most
    rectangles painted over, each side at most `cutout_side` of the image.
    """

    probability: float
    rotation: float = 0.0
    shear: float = 0.0
    scale: float = 1.0
    aspect: float = 1.0
    shift: float = 0.0
    gamma: float = 1.0
    contrast: float = 1.0
    brightness: float = 0.0
    haze: float = 0.0
    blur: float = 0.0
    coarsen: float = 1.0
    noise: float = 0.0
    cutouts: int = 0
    cutout_side: float = 0.0


NONE = Augmentation(probability=0.0)
LIGHT = Augmentation(probability=0.5, rotation=7, scale=1.1, shift=0.04, gamma=1.2, contrast=1.2, brightness=0.05)
STRONG = Augmentation(
    probability=0.5,
    rotation=12,
    shear=6,
    scale=1.25,
    aspect=1.12,
    shift=0.08,
    gamma=1.8,
    contrast=1.6,
    brightness=0.15,
    haze=0.25,
    blur=1.5,
    coarsen=2.5,
    noise=0.06,
    cutouts=3,
    cutout_side=0.25,
)
AUGMENTATIONS = {"none": NONE, "light": LIGHT, "strong": STRONG}


def as_floats(images: Tensor) -> Tensor:
    """uint8 grey values as floats in [0, 1]."""
    return images.float() / 255


def normalise(images: Tensor, how: str) -> Tensor:
    """What the encoder is given. "zscore": each film with mean 0 and deviation 1; "minmax": each film from -1 to 1."""
    middle, reach = levels(images, how)
    return (images - middle) / reach


def levels(images: Tensor, how: str) -> tuple[Tensor, Tensor]:
    """Each film's grey value that becomes 0 when it is normalised, and the step from there to 1; both (B, 1, 1, 1)."""
    if how == "zscore":
        deviation, mean = torch.std_mean(images, dim=(1, 2, 3), keepdim=True)
        return mean, deviation.clamp(min=1e-3)
    low, high = images.amin(dim=(1, 2, 3), keepdim=True), images.amax(dim=(1, 2, 3), keepdim=True)
    reach = (high - low).clamp(min=1e-3) / 2
    return low + reach, reach


def vary(images: Tensor, how: Augmentation) -> Tensor:
    """Films in [0, 1] moved, changed in their grey values and painted over."""
    if how.probability == 0:
        return images
    return paint_over(change_grey(fetch(images, places(images, how)), how), how)


def places(images: Tensor, how: Augmentation) -> Tensor:
    """Where each pixel of the changed films comes from, for `fetch`, (B, H, W, 2): each film rotated, sheared, scaled,
    stretched and shifted about its centre."""
    count, device = len(images), images.device
    angle, shear = (torch.deg2rad(_symmetric(count, limit, device)) for limit in (how.rotation, how.shear))
    zoom, aspect = _factor(count, how.scale, device), _factor(count, how.aspect, device).sqrt()
    cos, sin = angle.cos(), angle.sin()
    matrices = torch.stack(
        [
            torch.stack([cos * zoom * aspect, (cos * shear.tan() - sin) * zoom * aspect], dim=1),
            torch.stack([sin * zoom / aspect, (sin * shear.tan() + cos) * zoom / aspect], dim=1),
        ],
        dim=1,
    )
    shift = torch.stack([_symmetric(count, 2 * how.shift, device) for _ in range(2)], dim=1)
    theta = torch.cat([matrices, shift[:, :, None]], dim=2)
    return functional.affine_grid(theta, list(images.shape), align_corners=False)


def fetch(images: Tensor, grid: Tensor) -> Tensor:
    """The films, or masks, with their pixels taken from where `places` says. Outside is black."""
    return functional.grid_sample(images, grid, mode="bilinear", align_corners=False)


def change_grey(images: Tensor, how: Augmentation) -> Tensor:
    """Exposure, contrast, brightness, scatter-like haze, sharpness and noise; the result stays in [0, 1]."""
    count, device = len(images), images.device
    exposure = images.clamp(1e-4, 1) ** _column(_factor(count, how.gamma, device))
    images = _sometimes(images, exposure, how.probability)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    contrasted = (images - mean) * _column(_factor(count, how.contrast, device)) + mean
    contrasted = contrasted + _column(_symmetric(count, how.brightness, device))
    images = _sometimes(images, contrasted, how.probability)
    if how.haze > 0:
        images = _sometimes(images, images + _smooth_field(images) * how.haze, how.probability)
    if how.blur > 0:
        images = _sometimes(images, _blurred(images, how.blur * torch.rand(count, device=device)), how.probability / 2)
    if how.coarsen > 1:
        images = _sometimes(images, _coarsened(images, how.coarsen), how.probability / 4)
    if how.noise > 0:
        strength = _column(how.noise * torch.rand(count, device=device))
        images = _sometimes(images, images + torch.randn_like(images) * strength, how.probability)
    return images.clamp(0, 1)


def paint_over(images: Tensor, how: Augmentation) -> Tensor:
    """Cutout (DeVries & Taylor 2017): rectangles of one grey value. The masks stay: an organ goes on under a marker."""
    count, _, height, width = images.shape
    rows = torch.arange(height, device=images.device)[None, :, None] / height
    columns = torch.arange(width, device=images.device)[None, None, :] / width
    for _ in range(how.cutouts):
        top, left, grey = (torch.rand(count, 1, 1, device=images.device) for _ in range(3))
        tall, wide = (how.cutout_side * torch.rand(count, 1, 1, device=images.device) for _ in range(2))
        inside = (rows >= top) & (rows < top + tall) & (columns >= left) & (columns < left + wide)
        images = _sometimes(images, torch.where(inside[:, None], grey[:, None], images), how.probability)
    return images


def _smooth_field(images: Tensor) -> Tensor:
    """Per film, a field of a few broad hills and hollows of about unit height."""
    count, _, height, width = images.shape
    cells = torch.randn(count, 1, 5, 5, device=images.device)
    return functional.interpolate(cells, size=(height, width), mode="bicubic", align_corners=False)


def _blurred(images: Tensor, deviations: Tensor) -> Tensor:
    """Gaussian blur, separable, with a deviation in pixels of its own for every film."""
    radius = max(1, math.ceil(3 * float(deviations.max())))
    steps = torch.arange(-radius, radius + 1, device=images.device)
    kernels = torch.exp(-0.5 * (steps[None] / deviations.clamp(min=1e-2)[:, None]) ** 2)
    kernels = (kernels / kernels.sum(dim=1, keepdim=True))[:, None, None]
    as_channels = functional.pad(images.transpose(0, 1), [radius] * 4, mode="replicate")
    across = functional.conv2d(as_channels, kernels, groups=len(images))
    return functional.conv2d(across, kernels.transpose(2, 3), groups=len(images)).transpose(0, 1)


def _coarsened(images: Tensor, limit: float) -> Tensor:
    """Sampled down by one factor for the whole batch, and up again."""
    height, width = images.shape[-2:]
    factor = 1 + (limit - 1) * float(torch.rand(()))
    small = functional.interpolate(
        images, size=(round(height / factor), round(width / factor)), mode="bilinear", antialias=True
    )
    return functional.interpolate(small, size=(height, width), mode="bilinear")


def _sometimes(images: Tensor, changed: Tensor, probability: float) -> Tensor:
    chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < probability
    return torch.where(chosen, changed, images)


def _symmetric(count: int, limit: float, device: torch.device) -> Tensor:
    return limit * (2 * torch.rand(count, device=device) - 1)


def _factor(count: int, limit: float, device: torch.device) -> Tensor:
    return torch.exp(_symmetric(count, math.log(limit), device))


def _column(values: Tensor) -> Tensor:
    return values[:, None, None, None]
