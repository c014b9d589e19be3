"""Exporters: each writes a frozen snapshot as files that other tools, and all but the master our importers, read."""

from collections.abc import Mapping
from typing import Final

from data.exporters import coco, jsonl, master, png
from data.exporters.output import Exporter

EXPORTERS: Final[Mapping[str, Exporter]] = {
    "coco": coco.export,
    "png": png.export,
    "jsonl": jsonl.export,
    "master": master.export,
}
"""Every export format by the name that the command line and the Data screen give it."""
