"""The stick: how it is laid out from a keeper's folder, how it is checked, and what a scan takes from it."""
