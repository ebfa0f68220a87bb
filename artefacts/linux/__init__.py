"""Traces that Linux systems keep, one artefact a file; what macOS writes in the same form is read here too."""
