"""Hash sets: import, store, look up. Exact digests and block hashes. Imports nothing of ``triage``.

``open_set`` opens a set, ``HashSet.match`` and ``match_all`` look files up, ``match_hex`` looks up hashes found in other evidence, ``build``
makes a store, ``open_blocks`` opens the block hashes of one, ``load_key`` reads the key of a keyed set.
"""

from hashsets.blocks import BlockMatch, BlockSet, open_blocks
from hashsets.build import build
from hashsets.codes import CategoryTable
from hashsets.errors import (
    Damaged,
    HashSetError,
    Incomplete,
    KeyNeeded,
    NotEnumerable,
    RoleMissing,
    RoleRefused,
    UnknownFormat,
    WrongKey,
)
from hashsets.formats.columns import ColumnMap
from hashsets.hash_set import HashSet, Match, match_hex
from hashsets.keys import load_key
from hashsets.opening import open_set

__all__ = [
    "BlockMatch",
    "BlockSet",
    "CategoryTable",
    "ColumnMap",
    "Damaged",
    "HashSet",
    "HashSetError",
    "Incomplete",
    "KeyNeeded",
    "Match",
    "NotEnumerable",
    "RoleMissing",
    "RoleRefused",
    "UnknownFormat",
    "WrongKey",
    "build",
    "load_key",
    "match_hex",
    "open_blocks",
    "open_set",
]
