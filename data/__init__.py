"""Bytes in and out: the store, pixels, importers, exporters and the simulated studies."""
