"""The split that a collection's makers give each patient, and the patients to whom they give several."""

from dataclasses import dataclass, field

from core.studies import Skipped, Split


@dataclass
class GivenSplits:
    """By patient. One who is put into two splits is refused: who trains cannot judge."""

    _given: dict[str, Split] = field(default_factory=dict)
    _torn: dict[str, set[Split]] = field(default_factory=dict)

    def saw(self, patient: str, split: Split | None) -> None:
        """A film of the patient was put into this split, or into none."""
        if split is not None and (first := self._given.setdefault(patient, split)) is not split:
            self._torn.setdefault(patient, {first}).add(split)

    def of(self, patient: str) -> Split | None:
        return self._given.get(patient)

    def refuses(self, patient: str) -> bool:
        return patient in self._torn

    def refused(self) -> list[Skipped]:
        """The patients of whom nothing comes in, and why."""
        reason = "it is put into {}; a patient who trains cannot judge, so nothing of it came in"
        return [
            Skipped(f"patient {patient}", reason.format(" and into ".join(sorted(splits))))
            for patient, splits in sorted(self._torn.items())
        ]
