"""Clinical context: what was known before the film was read, and notes made up where nothing is."""

from core.notes.context import context_of
from core.notes.language import language_note
from core.notes.synthetic import SYNTHETIC_MARK, Mode, SyntheticNote, mode_of, synthesize, without_mark

__all__ = [
    "SYNTHETIC_MARK",
    "Mode",
    "SyntheticNote",
    "context_of",
    "language_note",
    "mode_of",
    "synthesize",
    "without_mark",
]
