"""Registry hives: the cells of a hive file in memory, with its transaction logs replayed, and what can still be found in free cells.

A damaged hive is the ordinary case here (a machine switched off at the wall, a hive carved from a disk), so each key and value is checked on
its own: a bad one costs itself and is said. Own reader rather than libregf: libregf refuses a hive whose lists are damaged, does not replay
logs, and does not look into free cells.

Sources: M. Suhanov, "Windows registry file format specification" (github.com/msuhanov/regf); J. Metz, "Windows NT Registry File (REGF) format".
"""

from artefacts.windows.hive.hive import Hive, Key, Value, open_hive

__all__ = ["Hive", "Key", "Value", "open_hive"]
