"""Writing: piece after piece until the end, never more than so many (Holtzman et al. 2020 compare the ways).

Keys and values of what was written are kept, so that each piece costs one step of the decoder; with or without these,
the words are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.writing import Decoding
from trainers.generation.words import Past, Seen, Words

_NEVER = -1e9


@dataclass(frozen=True)
class Written:
    """Pieces after the opening ones, without the end; `heed` (n, M), how much each attended to each place, None where
    pieces do not attend to places. `is_cut`: it would have gone on."""

    pieces: tuple[int, ...]
    heed: Tensor | None
    is_cut: bool


def write(
    words: Words, seen: Seen, opening: Sequence[int], end: int, forbidden: Sequence[int], how: Decoding
) -> list[Written]:
    """Reports on B studies, each begun by the same opening pieces. `forbidden` pieces are never written.

    With more than one beam the likeliest beginnings are followed, study by study."""
    if how.beams > 1:
        rows = torch.arange(len(seen.latent), device=seen.latent.device)
        return [_follow(words, seen.of(row[None]), opening, end, forbidden, how) for row in rows]
    return _draw(words, seen, opening, end, forbidden, how)


def _draw(
    words: Words, seen: Seen, opening: Sequence[int], end: int, forbidden: Sequence[int], how: Decoding
) -> list[Written]:
    count, device = len(seen.latent), seen.latent.device
    chances = [torch.Generator().manual_seed(how.seed + row) for row in range(count)]
    said = words(torch.tensor([list(opening)], device=device).repeat(count, 1), seen)
    pieces: list[list[int]] = [[] for _ in range(count)]
    heeds: list[list[Tensor]] = [[] for _ in range(count)]
    going = list(range(count))
    for _ in range(how.most_tokens):
        logits = said.logits[:, -1].float()
        logits[:, list(forbidden)] = _NEVER
        heed = said.heed[:, -1].float().cpu() if said.heed is not None else None
        chosen = [_choose(row, how, chances[study]) for row, study in zip(logits.cpu(), going, strict=True)]
        stays = []
        for row, (study, piece) in enumerate(zip(going, chosen, strict=True)):
            if piece == end:
                continue
            stays.append(row)
            pieces[study].append(piece)
            if heed is not None:
                heeds[study].append(heed[row])
        going = [going[row] for row in stays]
        if not going:
            break
        kept = torch.tensor(stays, device=device)
        past, seen = tuple(layer.of(kept) for layer in said.past), seen.of(kept)
        said = words(torch.tensor([[chosen[row]] for row in stays], device=device), seen, past)
    cut = set(going)
    return [
        Written(tuple(own), torch.stack(heed) if heed else None, study in cut)
        for study, (own, heed) in enumerate(zip(pieces, heeds, strict=True))
    ]


def _choose(logits: Tensor, how: Decoding, chance: torch.Generator) -> int:
    if how.temperature == 0:
        return int(logits.argmax())
    if how.top_k:
        least = logits.topk(min(how.top_k, len(logits))).values[-1]
        logits = logits.masked_fill(logits < least, _NEVER)
    return int(torch.multinomial((logits / how.temperature).softmax(dim=0), 1, generator=chance))


@dataclass(frozen=True)
class _Beam:
    """A beginning: its pieces, the logarithm of its likelihood, and its row in what the decoder keeps."""

    pieces: tuple[int, ...]
    likelihood: float
    row: int
    heed: tuple[Tensor, ...] = ()

    @property
    def worth(self) -> float:
        """By piece, so that a long report is not the less likely one for its length alone."""
        return self.likelihood / max(1, len(self.pieces))


def _follow(
    words: Words, seen: Seen, opening: Sequence[int], end: int, forbidden: Sequence[int], how: Decoding
) -> Written:
    device = seen.latent.device
    said = words(torch.tensor([list(opening)], device=device), seen)
    beams, done = [_Beam((), 0.0, 0)], list[_Beam]()
    for _ in range(how.most_tokens):
        scores = said.logits[:, -1].float().log_softmax(dim=-1)
        scores[:, list(forbidden)] = _NEVER
        heed = said.heed[:, -1].float().cpu() if said.heed is not None else None
        likely, which = scores.topk(min(how.beams + 1, scores.shape[1]), dim=-1)
        nexts = [
            _Beam(
                (*beam.pieces, int(which[row, place])),
                beam.likelihood + float(likely[row, place]),
                row,
                (*beam.heed, heed[row]) if heed is not None else (),
            )
            for row, beam in enumerate(beams)
            for place in range(which.shape[1])
        ]
        nexts.sort(key=lambda beam: -beam.likelihood)
        done += [beam for beam in nexts[: how.beams] if beam.pieces[-1] == end]
        beams = [beam for beam in nexts if beam.pieces[-1] != end][: how.beams]
        if len(done) >= how.beams:
            break
        rows = torch.tensor([beam.row for beam in beams], device=device)
        past: tuple[Past, ...] = tuple(layer.of(rows) for layer in said.past)
        told = torch.tensor([[beam.pieces[-1]] for beam in beams], device=device)
        said = words(told, seen.of(torch.zeros_like(rows)), past)
        beams = [replace(beam, row=row) for row, beam in enumerate(beams)]
    best = max(done or beams, key=lambda beam: beam.worth)
    pieces = best.pieces[:-1] if done else best.pieces
    return Written(pieces, torch.stack(best.heed)[: len(pieces)] if best.heed and pieces else None, not done)
