"""What judgements add up to, against counts worked by hand."""

from datetime import UTC, datetime

import pytest

from core.judgements import Judgement, Pair, Revision, Said
from core.ratings import Author, ErrorKind, Preference, Quality, ReportError, Severity
from core.reports import Report
from core.verdicts import Debt, Judged, agreements, companions, debts, standings
from core.writing import Decoding, Writing, WrittenSentence

AT = datetime(2026, 1, 1, tzinfo=UTC)
GRAVE = ReportError(ErrorKind.OMISSION, True, Severity.SERIOUS, replacement="Nodule.")
SLIGHT = ReportError(ErrorKind.MISSED_COMPARISON, False, Severity.MINOR, replacement="Unchanged.")


def writing(number: int, text: str = "The heart is enlarged.", model: str = "generation-v1") -> Writing:
    return Writing(number, number, model, (WrittenSentence("findings", text),), Decoding(), (), AT)


def judged(
    number: int,
    reader: str,
    overall: int,
    would_sign: int,
    *errors: ReportError,
    text: str = "The heart is enlarged.",
    own: str | None = None,
) -> Judged:
    said = Said(errors, Quality(overall, would_sign))
    judgement = Judgement(0, number, number, reader, said, None, True, AT)
    return Judged(judgement, writing(number, text), Report(findings=own) if own is not None else None)


def pair(number: int, preference: Preference, order: tuple[Author, Author]) -> Pair:
    return Pair(number, number, "Ann", order, preference, AT)


def test_a_model_stands_as_its_judgements_say() -> None:
    told = [
        judged(1, "Ann", 5, 5),
        judged(1, "Ben", 4, 4, SLIGHT),
        judged(2, "Ann", 2, 1, GRAVE, GRAVE, SLIGHT),
    ]
    ours, theirs = (Author.MODEL, Author.ORIGINAL), (Author.ORIGINAL, Author.MODEL)
    pairs = [
        (pair(1, Preference.A, ours), "generation-v1"),
        (pair(2, Preference.A, theirs), "generation-v1"),
        (pair(3, Preference.B, theirs), "generation-v1"),
        (pair(4, Preference.NEITHER, ours), "generation-v1"),
        (pair(5, Preference.EQUIVALENT, ours), "generation-v2"),
    ]
    first, second = standings(told, pairs)
    assert (first.model, first.judgements, first.reports, first.readers) == ("generation-v1", 3, 2, 2)
    assert first.overall == pytest.approx(11 / 3)
    assert (first.signable.value, first.signable.n) == (pytest.approx(2 / 3), 3)
    assert first.clean.value == pytest.approx(2 / 3)
    assert first.errors[ErrorKind.OMISSION] == (2, 0)
    assert first.errors[ErrorKind.MISSED_COMPARISON] == (0, 2)
    assert (first.preferred.value, first.preferred.n, first.neither) == (pytest.approx(2 / 3), 3, 1)
    assert (second.model, second.judgements, second.equivalent) == ("generation-v2", 0, 1)
    assert (second.preferred.value, second.signable.value) == (None, None)


def test_two_readers_agree_over_the_reports_that_both_judged() -> None:
    signed, unsigned = (5, 5), (1, 1)
    ann = [judged(n, "Ann", *(signed if n < 3 else unsigned)) for n in range(1, 6)]
    ben = [judged(n, "Ben", *(signed if n < 3 else unsigned)) for n in range(1, 5)]
    (found,) = agreements([*ann, *ben, judged(9, "Cem", 3, 3)])
    assert (found.readers, found.reports) == (("Ann", "Ben"), 4)
    assert found.kappa.value == pytest.approx(1)


def test_a_score_goes_with_the_readers_where_it_ranks_as_they_do() -> None:
    own = "There is a left pleural effusion and cardiomegaly."
    texts = [own, "There is a left pleural effusion.", "There is a hiatal hernia."]
    told = [judged(n, "Ann", 5 - n, 3, text=text, own=own) for n, text in enumerate(texts)]
    told.append(judged(8, "Ann", 1, 1))
    found = {each.score: each for each in companions(told)}
    assert set(found) == {"BLEU-4", "ROUGE-L", "finding F1"}
    assert all(each.reports == 3 for each in found.values()), "a study without a report of its own is no measure"
    assert found["ROUGE-L"].correlation.value == pytest.approx(1)
    assert found["finding F1"].correlation.value == pytest.approx(1)


def test_what_nobody_measured_is_not_evaluable() -> None:
    assert all(each.correlation.value is None for each in companions([judged(1, "Ann", 5, 5)]))


def correction(number: int, text: str, made_of: str) -> tuple[Revision, Writing]:
    return Revision(number, number, number, 1, None, "Ann", (("findings", text),), AT), writing(number, made_of)


def test_a_corrected_error_that_the_model_makes_again_is_owed() -> None:
    corrections = [
        correction(1, "There is a small pleural effusion.", "There is cardiomegaly."),
        correction(2, "The lungs are clear.", "There is a pleural effusion."),
        correction(3, "The lungs are clear.", "There is a pneumothorax."),
    ]
    now = {
        1: writing(1, "There is cardiomegaly."),
        2: writing(2, "The lungs are clear."),
    }
    found, corrected = debts(corrections, now)
    assert found == (Debt(1, "cardiomegaly", True), Debt(1, "pleural_effusion", False))
    assert corrected == 3, "what it has not written about since is neither made again nor undone"


def test_of_several_corrections_of_a_study_the_newest_counts() -> None:
    first = correction(1, "There is a pneumothorax.", "The lungs are clear.")
    second = correction(1, "The lungs are clear. The heart is enlarged.", "The lungs are clear.")
    found, corrected = debts([first, second], {1: writing(1, "Cardiomegaly.")})
    assert (found, corrected) == ((), 1)
