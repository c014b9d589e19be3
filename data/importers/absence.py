"""Findings absent where they are not marked, in collections whose annotators outlined all that they looked for."""

from collections.abc import Collection, Iterable

from core.findings import VOCABULARY, by_key


def unmarked(looked_for: Iterable[str], marked: Collection[str]) -> set[str]:
    """The findings looked for that are not on a film on which `marked` are: neither they, nor a part or a whole of
    them. A film with a left lung is not without lungs, and one with lungs is not without a left lung."""
    return {finding for finding in looked_for if not any(_overlap(finding, other) for other in marked)}


def told(looked_for: Collection[str]) -> list[str]:
    """The sentence for the quality report; none where nothing was looked for."""
    if not looked_for:
        return []
    return [f"Taken for absent on every film on which they are not marked: {', '.join(sorted(looked_for))}."]


def _overlap(one: str, other: str) -> bool:
    return one in _pieces(other) or other in _pieces(one)


def _pieces(key: str) -> set[str]:
    """The finding itself, its parts, and theirs."""
    finding = by_key(VOCABULARY).get(key)
    return {key}.union(*(_pieces(part) for part in finding.parts)) if finding else {key}
