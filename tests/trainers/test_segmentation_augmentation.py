import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainers.conftest import drawn_film
from trainers.augmentation import LIGHT, NONE, STRONG, normalise
from trainers.backbones import TextFeatures
from trainers.mirroring import mirrored_text
from trainers.segmentation.augmentation import augment, flip, move
from trainers.segmentation.batches import SegmentationBatch

PROMPTS = ["left lung", "right lung", "heart"]
TEXT = TextFeatures("hash")


def batch_of(count: int, seed: int = 0) -> SegmentationBatch:
    films, masks = [], []
    for number in range(count):
        film, truth = drawn_film(seed + number, side=64)
        films.append(torch.from_numpy(film)[None])
        masks += [torch.from_numpy(truth[key]).byte()[None] for key in ("left_lung", "right_lung", "heart")]
    return SegmentationBatch(
        images=torch.stack(films),
        masks=torch.stack(masks),
        image_of=torch.arange(count).repeat_interleave(3),
        text=TEXT(PROMPTS * count)[:, None],
        mirrored_text=TEXT([mirrored_text(prompt) for prompt in PROMPTS * count])[:, None],
        finding_of=torch.arange(3).repeat(count),
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=4), st.integers(0, 100))
def test_a_flip_mirrors_film_and_masks_and_swaps_the_sides_in_the_prompts(flipped: list[bool], seed: int) -> None:
    batch = batch_of(len(flipped), seed)
    images, masks, text = flip(
        batch.images, batch.masks, batch.text, batch.mirrored_text, batch.image_of, torch.tensor(flipped)
    )
    for prompt, image in enumerate(batch.image_of.tolist()):
        if flipped[image]:
            assert torch.equal(masks[prompt], batch.masks[prompt].flip(-1))
            assert torch.equal(text[prompt], TEXT([mirrored_text(PROMPTS[prompt % 3])]))
            assert torch.equal(images[image], batch.images[image].flip(-1))
        else:
            assert torch.equal(masks[prompt], batch.masks[prompt])
            assert torch.equal(text[prompt], batch.text[prompt])
            assert torch.equal(images[image], batch.images[image])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 100))
def test_flipping_twice_gives_everything_back(seed: int) -> None:
    batch, every = batch_of(2, seed), torch.tensor([True, True])
    images, masks, text = flip(batch.images, batch.masks, batch.text, batch.mirrored_text, batch.image_of, every)
    again = flip(images, masks, text, batch.text, batch.image_of, every)
    assert all(torch.equal(a, b) for a, b in zip(again, (batch.images, batch.masks, batch.text), strict=True))


def test_after_a_flip_the_prompt_left_lung_still_asks_for_the_lung_on_the_patients_left() -> None:
    batch = batch_of(1)
    _, masks, text = flip(
        batch.images, batch.masks, batch.text, batch.mirrored_text, batch.image_of, torch.tensor([True])
    )
    (left,) = [row for row in range(3) if torch.equal(text[row], TEXT(["left lung"]))]
    columns = masks[left, 0].nonzero()[:, 1].float()
    assert columns.mean() > 32  # the patient's left lies on the right of the image


def test_masks_move_with_their_film() -> None:
    batch = batch_of(3)
    drawn = batch.masks[2::3].float()  # the heart's mask, taken for the film itself
    torch.manual_seed(0)
    films, masks = move(drawn, batch.masks.float(), batch.image_of, STRONG)
    hearts = masks[2::3]
    assert torch.equal(hearts, (films > 0.5).float())
    assert not torch.equal(hearts, drawn)


def test_no_augmentation_changes_nothing() -> None:
    batch = batch_of(2)
    images, masks, text = augment(batch, NONE, flip_probability=0.0)
    assert torch.equal(images, batch.images / 255)
    assert torch.equal(masks, batch.masks.float())
    assert torch.equal(text, batch.text)


def test_augmented_films_stay_films_and_masks_stay_masks_and_the_seed_decides_all() -> None:
    batch = batch_of(4)
    for how in (LIGHT, STRONG):
        torch.manual_seed(3)
        first = augment(batch, how, 0.5)
        torch.manual_seed(3)
        second = augment(batch, how, 0.5)
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
        images, masks, _ = first
        assert images.min() >= 0 and images.max() <= 1
        assert set(masks.unique().tolist()) <= {0.0, 1.0}
        assert not torch.equal(images, batch.images / 255)


def test_grey_values_are_never_inverted() -> None:
    batch = batch_of(4)
    torch.manual_seed(0)
    for _ in range(10):
        images, masks, _ = augment(batch, STRONG, 0.0)
        for film in range(4):
            heart, lung = masks[3 * film + 2] > 0, masks[3 * film] > 0
            assert images[film][heart].mean() > images[film][lung].mean()


def test_normalised_films_have_the_promised_range() -> None:
    films = torch.rand(3, 1, 16, 16) * 0.5 + 0.2
    scored = normalise(films, "zscore")
    torch.testing.assert_close(scored.mean(dim=(1, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(scored.std(dim=(1, 2, 3)), torch.ones(3), atol=1e-3, rtol=0)
    ranged = normalise(films, "minmax")
    torch.testing.assert_close(ranged.amin(dim=(1, 2, 3)), -torch.ones(3))
    torch.testing.assert_close(ranged.amax(dim=(1, 2, 3)), torch.ones(3))
    assert torch.isfinite(normalise(torch.zeros(1, 1, 8, 8), "zscore")).all()
