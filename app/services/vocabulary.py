"""The findings that can be named: adding and retiring them, and hearing them in a sentence."""

import re
from collections.abc import Sequence

from app.house import House
from core.errors import ReadingRoomError
from core.findings import NO_FINDING, Finding, Kind, slug
from db import findings


class UnnamedFinding(ReadingRoomError):
    def __init__(self) -> None:
        super().__init__("A finding needs a name with a letter or a number in it.")


class BadColour(ReadingRoomError):
    def __init__(self, colour: str) -> None:
        super().__init__(f'A colour is written as "#RRGGBB"; "{colour}" is not.')


def vocabulary(house: House, include_retired: bool = False) -> tuple[Finding, ...]:
    with house.database.reading() as session:
        return findings.vocabulary(session, include_retired)


def add(house: House, name: str, kind: Kind, colour: str, prompts: Sequence[str], actor: str) -> Finding:
    """Add a finding of the project's own, or bring a retired one back. Raises UnnamedFinding, BadColour."""
    key = slug(name)
    if not key:
        raise UnnamedFinding
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", colour):
        raise BadColour(colour)
    said = tuple(dict.fromkeys(prompt.strip() for prompt in prompts if prompt.strip()))
    new = Finding(key, " ".join(name.split()), kind, colour.upper(), said)
    with house.database.writing() as session:
        findings.add_finding(session, new, actor)
        return findings.require_finding(session, key)


def retire(house: House, key: str, actor: str) -> None:
    """Take a finding out of the lists; what was marked with it stays. Raises UnknownFinding."""
    with house.database.writing() as session:
        findings.retire_finding(session, key, actor)


def heard_in(sentence: str, known: Sequence[Finding]) -> Finding | None:
    """The finding that a sentence speaks of: the one whose name, or other way of saying it, is the longest in it."""
    words = f" {' '.join(re.findall(r'[a-z0-9]+', sentence.lower()))} "
    best: tuple[int, Finding] | None = None
    for finding in known:
        if finding.key == NO_FINDING:
            continue
        for phrase in (finding.name, *finding.prompts):
            said = f" {' '.join(re.findall(r'[a-z0-9]+', phrase.lower()))} "
            is_there = said in words or f"{said.rstrip()}s " in words
            if is_there and (best is None or len(said) > best[0]):
                best = (len(said), finding)
    return best[1] if best else None
