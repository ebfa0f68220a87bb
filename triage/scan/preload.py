"""What every worker needs, loaded by being imported: once, in the process that workers are forked from (see pool.py).

Nothing of a case is in that process: it is a fresh one, and gets neither keys nor lists nor the journal.
"""

from rules import findings, software
from triage.evidence import sources
from triage.evidence.ntfs import filesystem
from triage.scan import noted, worker
from triage.scan.inspect import inspector
from triage.scan.inspect.parsing import path_matcher
from triage.scan.software import FileTraces

__all__ = ["FileTraces", "filesystem", "inspector", "noted", "sources", "worker"]

findings.load()
software.shipped()
path_matcher()
