"""Traces that macOS keeps, one artefact a file."""
