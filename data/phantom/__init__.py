"""The built-in demo: simulated frontal and lateral chest radiographs with known truth.

A person is drawn (`anatomy`), with bones and vessels in space (`skeleton`, `vessels`); a study's findings and devices
are placed in that space (`pathology`, `devices`); each film is a parallel projection of the whole (`frontal`,
`lateral`, on what they share in `films`), exposed and processed (`physics`), and the report says what is there
(`report`). Masks come from the same geometry as the pixels.
"""

from data.phantom.studies import PhantomImage, PhantomStudy, PhantomTooSmall, simulate, simulate_many

__all__ = ["PhantomImage", "PhantomStudy", "PhantomTooSmall", "simulate", "simulate_many"]
