"""Text where it is: the words inside documents, mails, archives and marked-up text, with how each was reached.

Nothing is written to disk, nothing is kept: pieces of text pass by, are matched, and only the words around a hit stay.
"""

from triage.scan.text.extract import Piece, extract
from triage.scan.text.kinds import kind_of
from triage.scan.text.search import Found, search

__all__ = ["Found", "Piece", "extract", "kind_of", "search"]
