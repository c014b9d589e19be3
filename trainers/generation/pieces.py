"""Pieces of words: a tokenizer learned from the training reports, so that their words are whole and all others can be
spelled (byte-pair encoding over bytes, Sennrich et al. 2016).

A report is its sections one after the other, each opened by a piece of its own, and an end. Case is not learned: a few
thousand reports are too few to learn every word twice. It is given back sentence by sentence when a report is read out.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as Bytes
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from core.errors import ReadingRoomError
from core.reports import Report, sentences
from core.writing import SECTIONS
from trainers.folders import whole

FILE = "tokenizer.json"
NOTHING, END = "[nothing]", "[end]"
_OPENING = {section: f"[{section}]" for section in SECTIONS}
_SPECIAL = (NOTHING, END, *_OPENING.values())


class OtherTokenizer(ReadingRoomError):
    """A tokenizer that is not the one which the weights were learned with."""

    def __init__(self) -> None:
        super().__init__("Its tokenizer is not the one that its weights were learned with. Bring the model back whole.")


class Pieces:
    """Texts to numbers and back. `nothing` fills up, `end` closes a report."""

    def __init__(self, tokenizer: Tokenizer, cased: bool = False) -> None:
        """`cased` pieces tell large letters from small ones."""
        self._tokenizer, self.cased = tokenizer, cased
        self.nothing, self.end = (self._number(piece) for piece in (NOTHING, END))
        self._openings = {section: self._number(piece) for section, piece in _OPENING.items()}

    @classmethod
    def learned_from(cls, texts: Iterable[str], vocabulary: int) -> "Pieces":
        tokenizer = Tokenizer(BPE())
        tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=True)
        tokenizer.decoder = Bytes()
        trainer = BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=list(_SPECIAL),
            initial_alphabet=ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator((text.lower() for text in texts), trainer)
        return cls(tokenizer)

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "Pieces":
        """Somebody else's pieces, cased, with those of ours behind them."""
        tokenizer.add_special_tokens(list(_SPECIAL))
        return cls(tokenizer, cased=True)

    @classmethod
    def load(cls, folder: Path, fingerprint: str, cased: bool = False) -> "Pieces":
        """Raises CorruptModel, also where it is another than that of `fingerprint`."""
        with whole(folder):
            found = cls(Tokenizer.from_str((folder / FILE).read_text(encoding="utf-8")), cased)
            if found.fingerprint != fingerprint:
                raise OtherTokenizer
        return found

    def save(self, folder: Path) -> None:
        (folder / FILE).write_text(self._tokenizer.to_str(), encoding="utf-8")

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self._tokenizer.to_str().encode()).hexdigest()

    def __len__(self) -> int:
        return self._tokenizer.get_vocab_size()

    def opening(self, section: str) -> int:
        """The piece that opens a section."""
        return self._openings[section]

    def spell(self, text: str) -> list[int]:
        """The pieces of a text; what looks like a piece of ours in it is only text."""
        said = text if self.cased else text.lower()
        for piece in _SPECIAL:
            said = said.replace(piece, piece.strip("[]"))
        # Learned pieces begin with the space before a word; somebody else's do only where there is one.
        return list(self._tokenizer.encode(f" {said.lstrip()}" if self.cased else said).ids) if said.strip() else []

    def of_report(self, sections: Sequence[tuple[str, str]]) -> list[int]:
        """The pieces of a report's sections, its end among them."""
        told = [piece for section, text in sections for piece in (self.opening(section), *self.spell(text))]
        return [*told, self.end]

    def sections(self, pieces: Sequence[int]) -> list[tuple[str, list[int]]]:
        """What a report's pieces say by section, up to its end."""
        found: list[tuple[str, list[int]]] = []
        named = {number: section for section, number in self._openings.items()}
        for piece in pieces:
            if piece == self.end:
                break
            if piece in named:
                found.append((named[piece], []))
            elif found and piece != self.nothing:
                found[-1][1].append(piece)
        return found

    def read_out(self, pieces: Sequence[int]) -> str:
        """The text of pieces, each sentence beginning large."""
        return " ".join(self.tidy(one.text) for one in sentences(Report(text=self.raw(pieces))))

    def raw(self, pieces: Sequence[int]) -> str:
        """The text of pieces as it was learned: without large letters, unless they are cased."""
        return str(self._tokenizer.decode(list(pieces)))

    def tidy(self, sentence: str) -> str:
        """One sentence with single spaces, beginning large."""
        text = " ".join(sentence.split())
        return text[:1].upper() + text[1:]

    def _number(self, piece: str) -> int:
        number = self._tokenizer.token_to_id(piece)
        if number is None:
            raise OtherTokenizer
        return int(number)
