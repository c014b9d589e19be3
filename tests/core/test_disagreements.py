"""Who contradicts whom, in words, and how strongly the model does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.disagreements import Disagreement, ModelWord, disagreements
from core.findings import State
from core.labels import Source, Statement

PRESENT, ABSENT, UNCERTAIN = State.PRESENT, State.ABSENT, State.UNCERTAIN
FINDING = "pleural_effusion"

decided = st.sampled_from([PRESENT, ABSENT])


def said(source: Source, state: State, reader: str | None = None) -> Statement:
    return Statement(FINDING, state, source, reader=reader)


def found(*statements: Statement, model: ModelWord | None = None) -> Disagreement | None:
    everything = disagreements(7, statements, {FINDING: model} if model else {})
    return everything[0] if everything else None


@pytest.mark.parametrize(
    ("statements", "model", "words"),
    [
        ([said(Source.LABELER, ABSENT)], PRESENT, "model and report disagree on pleural effusion"),
        ([said(Source.IMPORTED, PRESENT)], ABSENT, "model and imported label disagree on pleural effusion"),
        ([said(Source.READER, ABSENT, "Ann")], PRESENT, "model and reader disagree on pleural effusion"),
        (
            [said(Source.READER, ABSENT, "Ann"), said(Source.LABELER, PRESENT)],
            None,
            "reader and report disagree on pleural effusion",
        ),
        (
            [said(Source.READER, ABSENT, "Ann"), said(Source.READER, PRESENT, "Bob")],
            None,
            "readers disagree on pleural effusion",
        ),
        (
            [said(Source.READER, ABSENT, "Ann"), said(Source.LABELER, ABSENT)],
            PRESENT,
            "model and report disagree on pleural effusion",
        ),
    ],
)
def test_a_disagreement_is_told_in_words(statements: list[Statement], model: State | None, words: str) -> None:
    each = found(*statements, model=ModelWord(model, 0.8) if model else None)
    assert each is not None
    assert each.words("Pleural effusion") == words


def test_nobody_contradicts_one_who_is_uncertain_or_silent() -> None:
    assert found(said(Source.LABELER, UNCERTAIN), model=ModelWord(PRESENT, 0.9)) is None
    assert found(model=ModelWord(PRESENT, 0.9)) is None
    assert found(said(Source.LABELER, PRESENT), said(Source.READER, UNCERTAIN, "Ann")) is None


def test_labeler_and_import_are_not_set_against_each_other() -> None:
    assert found(said(Source.LABELER, PRESENT), said(Source.IMPORTED, ABSENT)) is None


def test_an_adjudication_ends_the_matter() -> None:
    each = said(Source.LABELER, ABSENT), said(Source.READER, ABSENT, "Ann"), said(Source.ADJUDICATED, ABSENT, "Lead")
    assert found(*each, model=ModelWord(PRESENT, 0.9)) is None


def test_the_surer_the_model_the_stronger_the_disagreement() -> None:
    sure, unsure = (found(said(Source.LABELER, ABSENT), model=ModelWord(PRESENT, p)) for p in (0.95, 0.5))
    missing = found(said(Source.LABELER, PRESENT), model=ModelWord(ABSENT, 0.1))
    by_reader = found(said(Source.READER, ABSENT, "Ann"), model=ModelWord(PRESENT, 0.95))
    assert sure is not None and unsure is not None and missing is not None and by_reader is not None
    assert (sure.before_reading, unsure.before_reading) == (0.95, 0.5)
    assert missing.before_reading == pytest.approx(0.9)
    assert by_reader.before_reading == 0


@given(
    st.dictionaries(
        st.sampled_from([Source.READER, Source.IMPORTED, Source.LABELER]), st.sampled_from([PRESENT, ABSENT])
    ),
    st.sampled_from([PRESENT, ABSENT]),
)
def test_the_model_is_contradicted_exactly_when_somebody_says_otherwise(
    others: dict[Source, State], model: State
) -> None:
    each = found(*(said(source, state) for source, state in others.items()), model=ModelWord(model, 0.7))
    is_contradicted = any(state is not model for state in others.values())
    assert (each is not None and each.between is not None and Source.MODEL in each.between) == is_contradicted
