"""Ages that a table states, and those among them that nobody has."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from data.importers.films import age_in_years

_MOST_SHOWN: Final = 3


@dataclass
class Ages:
    """Reads the ages of one table."""

    table: str
    _odd: Counter[str] = field(default_factory=Counter)

    def read(self, text: str) -> int | None:
        """The age in years; None, and noted, when it is none that a person has; None when nothing stands there."""
        age = age_in_years(text)
        if age is None and text:
            self._odd[text] += 1
        return age

    def told(self) -> list[str]:
        """The sentence for the quality report; none where all ages could be read."""
        if not self._odd:
            return []
        shown = ", ".join(sorted(self._odd)[:_MOST_SHOWN])
        return [
            f"{self._odd.total()} ages in {self.table} are none that a person has ({shown}); they were left unknown."
        ]
