"""Pictures and videos found by what they are, not by where a file system says that they lie: inside other bytes, and in space that no file uses.

Only what lies in one piece is found, and only what is whole: a beginning that nothing sound follows is counted, and is no picture.
"""

from triage.scan.carving.formats import Broken, CutShort
from triage.scan.carving.search import Carved, Search

__all__ = ["Broken", "Carved", "CutShort", "Search"]
