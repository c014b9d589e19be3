"""Where a text names a finding."""

import re
from collections.abc import Iterable
from functools import lru_cache

from core.findings import Finding


def naming(findings: Iterable[Finding], more: Iterable[str] = ()) -> re.Pattern[str]:
    """What matches a finding's key, its name or another word that the vocabulary has for it, or one of `more` words; in
    the singular or with an s, capitals not counted."""
    names = {name for finding in findings for name in (finding.key, finding.name, *finding.prompts)}
    return _any_of(frozenset(names.union(more)))


@lru_cache(maxsize=64)
def _any_of(names: frozenset[str]) -> re.Pattern[str]:
    spoken = {name.replace("_", " ").strip().lower() for name in names} - {""}
    words = "|".join(sorted(map(re.escape, spoken), key=len, reverse=True))
    return re.compile(rf"\b(?:{words})s?\b" if words else r"(?!)", re.IGNORECASE)
