"""The words' decoder and how it is written with, piece by piece."""

from collections.abc import Sequence

import pytest
import torch

from core.writing import Decoding
from trainers.generation.decoding import write
from trainers.generation.words import Seen, Words

VOCABULARY, WIDTH, END = 40, 32, 1
CONDITIONINGS = ["additive", "cross", "prefix"]


def words(conditioning: str, seed: int = 0) -> Words:
    torch.manual_seed(seed)
    made = Words(VOCABULARY, WIDTH, 3, 4, 24, 16, conditioning, 3, 0.0).eval()
    for parameter in made.parameters():
        # Larger than at the start of a training, so that what is written is not all one piece.
        torch.nn.init.normal_(parameter, std=0.3)
    return made


def seen(count: int = 3, seed: int = 1) -> Seen:
    torch.manual_seed(seed)
    there = torch.ones(count, 6, dtype=torch.bool)
    there[0, 4:] = False
    return Seen(torch.randn(count, 16), torch.randn(count, 6, WIDTH), there)


@pytest.mark.parametrize("conditioning", CONDITIONINGS)
@pytest.mark.parametrize("cut", [1, 4, 9])
@torch.inference_mode()
def test_going_on_from_what_is_kept_says_the_same_as_saying_all_at_once(conditioning: str, cut: int) -> None:
    model, told = words(conditioning), seen()
    pieces = torch.randint(0, VOCABULARY, (3, 10))
    whole = model(pieces, told)
    first = model(pieces[:, :cut], told)
    rest = model(pieces[:, cut:], told, first.past)
    torch.testing.assert_close(torch.cat([first.logits, rest.logits], dim=1), whole.logits, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("conditioning", CONDITIONINGS)
@torch.inference_mode()
def test_no_piece_knows_of_those_behind_it(conditioning: str) -> None:
    model, told = words(conditioning), seen()
    pieces = torch.randint(0, VOCABULARY, (3, 8))
    other = pieces.clone()
    other[:, 5:] = (other[:, 5:] + 1) % VOCABULARY
    torch.testing.assert_close(model(pieces, told).logits[:, :5], model(other, told).logits[:, :5])


@pytest.mark.parametrize("conditioning", CONDITIONINGS)
@torch.inference_mode()
def test_what_is_seen_changes_what_is_said(conditioning: str) -> None:
    model, pieces = words(conditioning), torch.randint(0, VOCABULARY, (3, 4))
    assert not torch.allclose(model(pieces, seen(seed=1)).logits, model(pieces, seen(seed=2)).logits, atol=1e-3)


@torch.inference_mode()
def test_places_that_are_not_there_are_never_attended_to() -> None:
    model, told = words("cross"), seen()
    heed = model(torch.randint(0, VOCABULARY, (3, 5)), told).heed
    assert heed is not None
    assert heed[0, :, 4:].max() < 1e-6
    torch.testing.assert_close(heed.sum(dim=-1), torch.ones(3, 5))


def slow(model: Words, told: Seen, opening: Sequence[int], most: int) -> list[list[int]]:
    """Written the likeliest way, everything said anew for each piece."""
    found = []
    for row in range(len(told.latent)):
        pieces = list(opening)
        while len(pieces) < len(opening) + most:
            logits = model(torch.tensor([pieces]), told.of(torch.tensor([row]))).logits[0, -1]
            logits[0] = -1e9
            if int(logits.argmax()) == END:
                break
            pieces.append(int(logits.argmax()))
        found.append(pieces[len(opening) :])
    return found


@pytest.mark.parametrize("conditioning", CONDITIONINGS)
@pytest.mark.parametrize("beams", [1, 2])
@torch.inference_mode()
def test_reports_written_together_are_those_written_alone_without_keeping_anything(
    conditioning: str, beams: int
) -> None:
    model, told = words(conditioning, seed=4), seen(5)
    found = write(model, told, [2, 3], END, [0], Decoding(most_tokens=12, beams=beams))
    expected = slow(model, told, [2, 3], 12)
    if beams == 1:
        assert [list(one.pieces) for one in found] == expected
        assert [one.is_cut for one in found] == [len(pieces) == 12 for pieces in expected]
    for one in found:
        assert 0 not in one.pieces and END not in one.pieces and len(one.pieces) <= 12
        assert one.heed is None or one.heed.shape == (len(one.pieces), 6)


@torch.inference_mode()
def test_many_beams_find_nothing_less_likely_than_one() -> None:
    model, told = words("cross", seed=7), seen(4)

    def likelihood(row: int, pieces: Sequence[int]) -> float:
        told_pieces = torch.tensor([[2, *pieces]])
        scores = model(told_pieces, told.of(torch.tensor([row]))).logits[0].log_softmax(dim=-1)
        return float(sum(scores[place, piece] for place, piece in enumerate(pieces)))

    one = write(model, told, [2], END, [END], Decoding(most_tokens=6))
    many = write(model, told, [2], END, [END], Decoding(most_tokens=6, beams=8))
    for row, (greedy, searched) in enumerate(zip(one, many, strict=True)):
        assert likelihood(row, searched.pieces) >= likelihood(row, greedy.pieces) - 1e-4


@torch.inference_mode()
def test_only_the_likeliest_pieces_are_drawn_from() -> None:
    model, told = words("cross", seed=2), seen(1)
    likeliest = model(torch.tensor([[2]]), told).logits[0, -1].topk(3).indices.tolist()
    drawn = {
        write(model, told, [2], END, [], Decoding(1.0, 3, most_tokens=1, seed=seed))[0].pieces for seed in range(40)
    }
    assert {piece for pieces in drawn for piece in pieces} <= set(likeliest)
    assert len(drawn) > 1
