"""SQLite databases from evidence: read with their write-ahead log, never written, never trusted."""

from artefacts.sqlite.database import Database, Row

__all__ = ["Database", "Row"]
