"""Moments and durations in a reader's words, in the time of the machine."""

from datetime import datetime


def moment(at: datetime) -> str:
    """The time of day for today's, else the date: "14:02", "3 Mar", "3 Mar 2024"."""
    here, today = at.astimezone(), datetime.now().astimezone()
    if here.date() == today.date():
        return f"{here:%H:%M}"
    return f"{here.day} {here:%b}" if here.year == today.year else f"{here.day} {here:%b %Y}"


def full(at: datetime) -> str:
    """The date and the time to the second."""
    here = at.astimezone()
    return f"{here.day} {here:%b %Y, %H:%M:%S}"


def lasting(seconds: float) -> str:
    """A duration to the unit that matters: "40 s", "12 min", "3 h 5 min"."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
