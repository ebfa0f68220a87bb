"""LevelDB files of evidence: every record that is still in them, those that were since overwritten or deleted too."""

from artefacts.leveldb.reading import Record, records

__all__ = ["Record", "records"]
