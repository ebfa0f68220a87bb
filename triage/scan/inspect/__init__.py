"""The checks on files, in a worker: cheap before dear, one read for all of them.

For a batch: read and digest each file; look all digests up in the hash sets at once; what an ``ignore`` set knows is let go; keywords over
the name and the text that the file is or holds; what lies inside it, digested, looked up and checked in the same way; YARA; then the
artefacts whose file this is.
"""

from triage.scan.inspect.inspector import Inspector, rows_to_entries
from triage.scan.inspect.item import READ

__all__ = ["READ", "Inspector", "rows_to_entries"]
