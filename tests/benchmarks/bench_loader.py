"""What loading costs a training step: the cache of small squares against decoding each film anew.

python -m tests.benchmarks.bench_loader [--films 64] [--side 512]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import trainers  # noqa: F401 - before anything that imports torchvision
from core.findings import by_key
from core.recipes import SegmentationRecipe, preset
from data.images import from_pixels, mask_png
from data.store import Store
from trainers.augmentation import AUGMENTATIONS, normalise
from trainers.backbones import TextFeatures
from trainers.datasets import FilmCache, mask_to_square, read_film, to_square
from trainers.memory import keep_freed_memory
from trainers.segmentation.augmentation import augment
from trainers.segmentation.data import Collate, Film
from trainers.segmentation.losses import segmentation_loss
from trainers.segmentation.model import start_network

STEPS = 5


def films(store: Store, count: int, side: int) -> list[Film]:
    """Noise with a square mask, one finding each: as costly to decode as a film."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        pixels = rng.normal(120, 30, (side, side)).clip(0, 255).astype(np.uint8)
        mask = np.zeros((side, side), np.bool_)
        mask[side // 4 : side // 2, side // 4 : side // 2] = True
        sha, mask_sha = store.put(from_pixels(pixels, 8).payload), store.put(mask_png(mask))
        made.append(Film(sha, str(number), str(number), str(number), side, side, {"heart": (mask_sha,)}))
    return made


def milliseconds(work: Callable[[], object], rounds: int = STEPS) -> float:
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=64)
    parser.add_argument("--side", type=int, default=512)
    chosen = parser.parse_args()
    keep_freed_memory()
    recipe = preset("segmentation", "cpu")
    assert isinstance(recipe, SegmentationRecipe)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(str(Path(folder) / "store"))
        some = films(store, chosen.films, chosen.side)
        cache = FilmCache(Path(folder) / "cache", store, recipe.image_size, recipe.fit)
        collate = Collate(cache, [by_key()["heart"]], TextFeatures("hash"), recipe, varied=True)
        rng = np.random.default_rng(0)

        def load() -> None:
            picked = [some[i] for i in rng.integers(len(some), size=recipe.batch_size)]
            collate(picked, rng)

        def decode() -> None:
            for i in rng.integers(len(some), size=recipe.batch_size):
                payload = store.get(some[i].sha)
                to_square(read_film(payload), recipe.image_size, recipe.fit)
                mask_to_square(cache.native_mask(some[i].truths["heart"], chosen.side, chosen.side), 256, recipe.fit)

        cache.warm([film.sha for film in some], [sha for film in some for sha in film.truths["heart"]], lambda _: None)
        network, _ = start_network(replace(recipe, weights="random"), 64, None, ())
        optimizer = torch.optim.AdamW(network.parameters())
        batch = collate(some[: recipe.batch_size], rng)

        def step() -> None:
            images, masks, text = augment(batch, AUGMENTATIONS[recipe.augment], recipe.flip_probability)
            ready = normalise(images, recipe.normalise).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(ready, text, batch.image_of)
            segmentation_loss(logits, masks, batch.image_of, recipe).total.backward()
            optimizer.step()
            optimizer.zero_grad()

        loading, decoding, stepping = milliseconds(load, 50), milliseconds(decode), milliseconds(step)
    print(f"loading a batch of {recipe.batch_size} from the cache  {loading:8.2f} ms")
    print(f"decoding it from the store                {decoding:8.2f} ms")
    print(f"a training step of the cpu recipe         {stepping:8.2f} ms")
    print(f"loader's share of a step                  {100 * loading / (loading + stepping):8.2f} %")


if __name__ == "__main__":
    main()
