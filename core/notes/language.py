"""Whether a clinical context is written in English, which is the language that the text encoders here have learned."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

_ENGLISH_WORDS: Final = (
    "the and of with for to from by is are was were has have had who which this that these not no without "
    "after before since due on at as an a in or x year old male female man woman patient pt history hx pain "
    "chest cough fever shortness breath evaluate follow up followup rule out status post pre op loss left "
    "right"
)

_OTHER_WORDS: Final[Mapping[str, str]] = {
    "German": (
        "der das und mit ohne von bei ist sind nach seit wegen nicht kein keine zum zur auf ein eine einer "
        "eines dem den oder auch aus über unter verdacht zustand husten fieber atemnot schmerzen "
        "brustschmerzen luftnot auswurf"
    ),
    "French": (
        "le les et avec sans du dans une pour depuis est sont chez qui ou aux au par sur pas plus ans fièvre "
        "toux douleur douleurs thoracique essoufflement dyspnée antécédents antécédent bilan recherche femme "
        "homme"
    ),
    "Spanish": (
        "el los las y con sin del por para desde una un es son hace que al paciente varón mujer hombre años "
        "tos fiebre dolor torácico disnea antecedentes días descartar control fumador"
    ),
    "Portuguese": (
        "o os e com sem do da dos das por para desde uma um é são há que ao paciente homem mulher anos tosse "
        "febre dor torácica dispneia antecedentes dias não avaliação"
    ),
    "Italian": (
        "il lo gli e con senza del della di da dal per una un è sono che paziente uomo donna anni tosse "
        "febbre dolore toracico dispnea anamnesi giorni sospetta controllo"
    ),
    "Dutch": (
        "de het en met zonder van bij is zijn na sinds niet geen een voor naar op te aan ook jaar hoest "
        "hoesten koorts kortademig kortademigheid pijn borst verdenking"
    ),
    "Polish": (
        "w z i na do od oraz bez jest są nie po przez dla się kaszel gorączka duszność ból klatki "
        "piersiowej pacjent pacjentka podejrzenie stan"
    ),
    "Swedish, Danish or Norwegian": (
        "och og med utan uden uten av af på är er sedan siden inte ikke ej för til till en ett et kvinna man "
        "år hosta hoste feber smärta smerter bröst brystsmerter andnöd åndenød"
    ),
    "Turkish": ("ve ile için bir bu olan var yok öksürük ateş nefes darlığı göğüs ağrısı hasta yaşında kadın erkek"),
}
"""Function words, and the words that indications are made of, of languages written in Latin letters. Words that English
notes use as well count for both."""

_ENGLISH: Final = frozenset(_ENGLISH_WORDS.split())
_OTHERS: Final = {language: frozenset(words.split()) for language, words in _OTHER_WORDS.items()}

_WORD: Final = re.compile(r"[^\W\d_]{2,}")
"""Single letters tell nothing: "r/o", "h/o" and "w/u" are English."""

_READ: Final = 20_000
"""Characters that are looked at."""

_ANOTHER: Final = (
    "The context seems to be written in {language}. It was read all the same, but the text encoder knows English, so "
    "what the context adds is not to be relied on."
)


def language_note(text: str) -> str | None:
    """A sentence for the screen when a context seems to be in another language than English; None when it may be.

    Letters that are not Latin, or more words of another language than of English. A name of a disease alone, which is
    alike in many languages ("pneumonia"), and a language that is not listed here and has Latin letters, pass unseen.
    """
    words = [word.casefold() for word in _WORD.findall(text[:_READ])]
    if not words:
        return None
    if sum(map(_is_latin, words)) * 2 <= len(words):
        return _ANOTHER.format(language="another script")
    counts = Counter(words)
    english = _heard(counts, _ENGLISH)
    language, most = max(((name, _heard(counts, known)) for name, known in _OTHERS.items()), key=lambda pair: pair[1])
    if most > english and most * 5 >= len(words):
        return _ANOTHER.format(language=language)
    return None


def _heard(counts: Mapping[str, int], known: frozenset[str]) -> int:
    return sum(counts.get(word, 0) for word in known)


def _is_latin(word: str) -> bool:
    return word[0] < "\u0250" or "\u1e00" <= word[0] < "\u1f00"
