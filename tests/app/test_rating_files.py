"""Ratings go out and come in again unchanged, as lines or as a table, and nothing that stands is overwritten."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.house import House
from app.services import rating_files, reporting
from core.judgements import Said
from core.rating_records import Compared, RatingRecord
from core.ratings import Author, ErrorKind, Preference, Quality, ReportError, Severity
from core.writing import NewWriting, WrittenSentence
from data.ratings import UnknownRatings, read, written_as
from db import judgements, models, writings
from db.models import NewModel
from tests.core.test_judgements import judgements as any_judgement
from tests.making import put, study

FORMS = ("r.jsonl", "r.csv")
text = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
records = st.builds(
    RatingRecord,
    dataset=text,
    study=text,
    model=text,
    written=st.just((("findings", "=1+1"),)),
    reader=text,
    at=st.datetimes(timezones=st.just(UTC)),
    word=any_judgement() | st.builds(Compared, st.permutations(list(Author)).map(tuple), st.sampled_from(Preference)),
)


@pytest.mark.parametrize("form", FORMS)
@given(told=st.lists(records, max_size=3))
def test_what_is_written_reads_back(form: str, told: list[RatingRecord]) -> None:
    assert list(read(form, written_as(form)(told))) == told


def rated(house: House) -> None:
    """A study with a draft that two readers judged and one compared."""
    for key in ("a", "b"):
        put(house, "d", study(key, report="The heart is normal."))
    with house.database.writing() as session:
        model = models.register(session, NewModel("generation", "f", {}, (), "report_f1", {}), "tester").name
        writings.add(session, model, [NewWriting(1, (WrittenSentence("findings", "The heart is large."),))])
    error = ReportError(ErrorKind.OMISSION, True, Severity.SERIOUS, replacement="=HYPERLINK(1)")
    for reader, said in (
        ("Ann", Said((error,), Quality(2, 1), (("findings", "Normal."),))),
        ("Ben", Said((), Quality(5, 5))),
    ):
        saved, _ = reporting.save(house, reader, 1, said, None)
        reporting.submit(house, reader, saved.judgement.id)
    reporting.compare(house, "Ann", 1, 1, Preference.B)


def forget_ratings(house: House) -> None:
    from sqlalchemy import text as sql

    with house.database.writing() as session:
        for table in ("revisions", "judgements", "report_pairs"):
            session.execute(sql(f"DELETE FROM {table}"))


@pytest.mark.parametrize("form", FORMS)
def test_ratings_come_in_again_as_they_went_out(house: House, tmp_path: Path, form: str) -> None:
    rated(house)
    first, second = tmp_path / form, tmp_path / f"again-{form}"
    assert rating_files.hand_out(house, first, "lead") == 3
    assert rating_files.take_in(house, first, "lead").to_json() == {"added": 0, "known": 3, "skipped": []}
    forget_ratings(house)
    assert rating_files.take_in(house, first, "lead").to_json() == {"added": 3, "known": 0, "skipped": []}
    rating_files.hand_out(house, second, "lead")
    assert second.read_bytes() == first.read_bytes()
    with house.database.reading() as session:
        (version,) = judgements.revisions(session, 1)
    assert version.sections == (("findings", "Normal."),), "a correction is a version of the report again"


def test_what_a_reader_says_here_is_kept_and_the_other_word_listed(house: House, tmp_path: Path) -> None:
    rated(house)
    rating_files.hand_out(house, tmp_path / "r.jsonl", "lead")
    with house.database.reading() as session:
        parent = judgements.submitted(session)[1].id
    reporting.save(house, "Ben", 1, Said((), Quality(1, 1)), parent)
    told = rating_files.take_in(house, tmp_path / "r.jsonl", "lead")
    assert (told.added, told.known, len(told.left_out)) == (0, 2, 1)
    assert "d/a, Ben: This reader said something else" in told.left_out[0]


def test_one_bad_line_leaves_the_rest_and_is_listed_with_its_reason(house: House, tmp_path: Path) -> None:
    rated(house)
    file = tmp_path / "r.jsonl"
    rating_files.hand_out(house, file, "lead")
    lines = file.read_text().splitlines()
    strange = json.loads(lines[0]) | {"study": "zz"}
    other = json.loads(lines[0]) | {"written": {"findings": "Something else."}}
    naive = json.loads(lines[0]) | {"at": datetime(2026, 1, 1).isoformat()}
    file.write_text("\n".join(["{", *lines, "[]", *map(json.dumps, (strange, other, naive))]))
    told = rating_files.take_in(house, file, "lead")
    assert told.known == 3
    assert [reason.split(" ")[:2] for reason in told.left_out] == [
        ["Line", "1"], ["Line", "5"], ["d/zz,", "Ann:"], ["d/a,", "Ann:"], ["Line", "8"],
    ]  # fmt: skip


def test_a_file_of_another_kind_or_one_that_is_there_is_refused(house: House, tmp_path: Path) -> None:
    with pytest.raises(UnknownRatings):
        rating_files.hand_out(house, tmp_path / "r.xlsx", "lead")
    (tmp_path / "r.csv").write_text("mine")
    with pytest.raises(rating_files.FileThere):
        rating_files.hand_out(house, tmp_path / "r.csv", "lead")
    assert (tmp_path / "r.csv").read_text() == "mine"
