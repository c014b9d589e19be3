"""How long readers spend on a study."""

from app.house import House
from db import people, reviews

LONGEST_SECONDS = 1800.0
"""A study left open for longer was left, not read."""


def spend(house: House, reader: str, study_id: int, seconds: float) -> None:
    """Add to the time that a reader has spent on a study."""
    with house.database.writing() as session:
        reader_id = people.ensure_reader(session, reader)
        reviews.add_seconds(session, study_id, reader_id, min(seconds, LONGEST_SECONDS))
