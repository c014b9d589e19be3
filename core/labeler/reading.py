"""Reading rules from TOML: those that come with Reading Room, and those that a workspace lays over them."""

import tomllib
from collections.abc import Collection, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeVar

from core.findings import VOCABULARY, Kind, Side, by_key, slug
from core.labeler.rules import BadRules, Cue, FindingRules, Role, Rules
from core.labels import Zone

TABLES: Final = ("spelling", "names", "context", "places", "findings")

ANEW: Final = "anew"
"""In any table: the lists that are not added to what was there, but stand for themselves."""

_PLACES: Final[Mapping[str, Side | Zone]] = {place.value: place for place in (*Side, *Zone)}
_CUES: Final[Mapping[str, Cue]] = {cue.value: cue for cue in Cue}

K = TypeVar("K", bound=StrEnum)
Lists = Mapping[str, tuple[str, ...]]


@cache
def standard_rules() -> Rules:
    """The rules that come with Reading Room."""
    return read_rules(files("core.labeler").joinpath("rules.toml").read_text("utf-8"), "rules.toml", Rules())


def read_rules(text: str, source: str, over: Rules | None = None) -> Rules:
    """The rules that a TOML text states, laid over others: lists are added to what is there, unless the table's `anew`
    names them. `source` is the file's name, for errors. Raises BadRules, BadPhrase."""
    under = standard_rules() if over is None else over
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRules(source, f"it is no TOML ({error})") from error
    for name, table in data.items():
        if name not in TABLES:
            raise BadRules(source, f'"{name}" is no table that means something; there are {", ".join(TABLES)}')
        if not isinstance(table, dict):
            raise BadRules(source, f'"{name}" has to be a table')
    return Rules(
        spelling=_spelling(data.get("spelling", {}), under.spelling, f"{source}, spelling"),
        names=_laid_over(data.get("names", {}), under.names, None, f"{source}, names"),
        context=_by_enum(data.get("context", {}), under.context, _CUES, f"{source}, context"),
        places=_by_enum(data.get("places", {}), under.places, _PLACES, f"{source}, places"),
        findings=_findings(data.get("findings", {}), under.findings, source),
        spoken=under.spoken,
    )


def _spelling(table: Mapping[str, Any], under: Mapping[str, str], where: str) -> Mapping[str, str]:
    wrong = [key for key, value in table.items() if not key or not isinstance(value, str) or not value]
    if wrong:
        raise BadRules(where, f'"{wrong[0]}" needs a spelling: a text on either side of the equals sign')
    return {**under, **{key.lower(): value.lower() for key, value in table.items()}}


def _by_enum(
    table: Mapping[str, Any], under: Mapping[K, tuple[str, ...]], known: Mapping[str, K], where: str
) -> Mapping[K, tuple[str, ...]]:
    before = {key.value: texts for key, texts in under.items()}
    return {known[name]: texts for name, texts in _laid_over(table, before, known, where).items()}


def _findings(tables: Mapping[str, Any], under: Mapping[str, FindingRules], source: str) -> Mapping[str, FindingRules]:
    known = by_key(VOCABULARY)
    found = dict(under)
    for key, table in tables.items():
        where = f"{source}, findings.{key}"
        if not isinstance(table, dict):
            raise BadRules(where, "it has to be a table")
        if slug(key) != key:
            raise BadRules(where, f'a finding\'s key is lower case with underscores, such as "{slug(key)}"')
        standing = found.get(key) or FindingRules(known[key].kind if key in known else Kind.FINDING)
        found[key] = _finding(table, standing, where)
    return found


def _finding(table: Mapping[str, Any], under: FindingRules, where: str) -> FindingRules:
    kind = table.get("kind", under.kind.value)
    if kind not in list(Kind):
        raise BadRules(where, f'"{kind}" is no kind; there are {", ".join(Kind)}')
    before = {
        Role.MENTIONS.value: under.mentions,
        Role.ABSENT.value: under.absent,
        Role.DOUBTFUL.value: under.doubtful,
        Role.IGNORED.value: under.ignored,
        "implies": under.implies,
    }
    has_place = table.get("has_place", under.has_place)
    if not isinstance(has_place, bool):
        raise BadRules(where, "has_place is true or false")
    lists = {name: value for name, value in table.items() if name not in ("kind", "has_place")}
    return FindingRules(Kind(kind), has_place=has_place, **_laid_over(lists, before, before, where))


def _laid_over(table: Mapping[str, Any], under: Lists, known: Collection[str] | None, where: str) -> Lists:
    """The lists of a table after those that stand under it. `known` are the names that mean something there."""
    anew = _texts(table.get(ANEW, []), f"{where}, {ANEW}")
    lists = dict(under)
    for name, value in table.items():
        if name == ANEW:
            continue
        if known is not None and name not in known:
            raise BadRules(where, f'"{name}" means nothing; there are {", ".join(known)}')
        before = () if name in anew else under.get(name, ())
        lists[name] = tuple(dict.fromkeys((*before, *_texts(value, f"{where}, {name}"))))
    unsaid = sorted(set(anew) - table.keys())
    if unsaid:
        raise BadRules(where, f"{ANEW} names {', '.join(unsaid)}, which is not in the table")
    return lists


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise BadRules(where, "it has to be a list of texts")
    if not all(text.strip() for text in value):
        raise BadRules(where, "one of its texts is empty")
    return tuple(value)
