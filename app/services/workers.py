"""Which of the house's processes live."""

from app.house import House
from db import workers


def lives(house: House, role: str) -> bool:
    """Whether a worker of this role ("trainer", "inference", "clerk") spoke lately."""
    with house.database.reading() as session:
        return bool(workers.living(session, role))
