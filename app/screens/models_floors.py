"""What a version scored beside its floors: what chance, one answer for all, or a look at the wrong film would score."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.screens import frame, session
from app.screens.models_scores import Place, metric_name, show_difference
from app.screens.tables import estimated, html_table
from app.services import models
from app.services.figures import sheets
from core.metrics import Metric
from core.registry import ModelVersion

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "retrieval": {
        "{}": "unique texts",
        "{}_floor": "random order",
        "{}_ceiling": "ceiling",
        "{}_naive": "naive",
        "{}_naive_floor": "random order",
        "{}_naive_ceiling": "ceiling",
    },
    "generation": {
        "{}": "its reports",
        "{}_shuffled": "of other films",
        "constant_{}": "one for all",
        "random_{}": "a random one",
        "nearest_{}": "the nearest study's",
        "text_only_{}": "of the indication alone",
    },
}
"""By family, how the names of what stands beside a metric are made from its own, and what that is called."""

_NOTES = {
    "retrieval": "Films to texts (i2t) and texts to films (t2i). Unique: each study looks among the distinct texts. "
    "Naive: of equal texts only the study's own is right.",
    "generation": "Tokens are runs of letters and digits of the lowercase text. A model that scores with other films "
    "what it scores with the right ones never looked. Findings are those that the labeler hears.",
}


def show_beside_floors(pair: Sequence[ModelVersion], place: Place) -> None:
    """Metrics down, what stands beside them across; of two versions one under the other, for the tables are wide."""
    family = pair[0].family
    show_difference(pair, place)
    st.html(f'<div class="rr-quiet">{_NOTES[family]} Each with its 95 % interval, resampled by patient.</div>')
    for model in pair:
        measured = models.evaluations(session.house(), model.name)
        metrics = next((each.metrics for each in measured if (each.snapshot, each.split) == place), None)
        if len(pair) > 1:
            st.html(f'<div class="rr-title">{frame.escaped(model.name)}</div>')
        if metrics is None:
            st.html('<div class="rr-quiet">It was not measured here.</div>')
            continue
        st.html(f'<div class="rr-wide">{floors_table(metrics, COLUMNS[family])}</div>')


def floors_table(metrics: Mapping[str, Metric], columns: Mapping[str, str]) -> str:
    """`columns` makes names from a metric's own, which "{}" stands for. Columns that nothing
    has are left out, and rows that could not be told anywhere."""
    beside = [pattern for pattern in columns if pattern != "{}"]
    derived = {pattern.format(name) for name in metrics for pattern in beside}
    own = [name for name in metrics if name not in derived]
    every = {name: [metrics.get(pattern.format(name)) for pattern in columns] for name in own}
    rows = {name: row for name, row in every.items() if any(one is not None and one.overall.n for one in row)}
    used = [place for place in range(len(columns)) if any(row[place] is not None for row in rows.values())]
    headings = ["", *(list(columns.values())[place] for place in used), "N"]
    table = [
        [metric_name(name), *(_cell(row[place]) for place in used), f"{metrics[name].overall.n:,}"]
        for name, row in rows.items()
    ]
    return html_table(headings, table, numbers=range(1, len(headings)))


def show_sheets(pair: Sequence[ModelVersion], place: Place) -> None:
    """The pictures that a measurement left, each a sheet of its own."""
    found = [sheets(session.house(), model, *place) for model in pair]
    if not any(found):
        st.html('<div class="rr-quiet">No pictures were left here. Measure it here again to have some.</div>')
        return
    for column, model, own in zip(st.columns(len(pair), gap="medium"), pair, found, strict=True):
        with column:
            if len(pair) > 1:
                st.html(f'<div class="rr-title">{frame.escaped(model.name)}</div>')
            for path in own:
                st.image(path, caption=frame.plain(path.stem.replace("-", " ")), width="stretch")


def _cell(metric: Metric | None) -> str:
    return "" if metric is None else estimated(metric.overall)
