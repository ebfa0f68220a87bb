"""What can be wrong with a hash set, each as one clear sentence. All derive from ``HashSetError``."""

from __future__ import annotations


class HashSetError(Exception):
    """A hash set, its key or its column map cannot be used. ``str()`` is one sentence for the person who loads it."""


class RoleMissing(HashSetError):
    """A list was given without saying whether a match is an alert or may be ignored."""


class RoleRefused(HashSetError):
    """The role given would turn known harmless files into alerts, or an approximate filter into proof."""


class UnknownFormat(HashSetError):
    """The contents are in no format that is read."""


class Damaged(HashSetError):
    """A set that is cut short, altered or malformed. Nothing of it is used."""


class Incomplete(HashSetError):
    """A set in several parts of which some are missing or differ from the manifest."""


class KeyNeeded(HashSetError):
    """The set is keyed and no key was given."""


class WrongKey(HashSetError):
    """The key given is not the one that the set was built with."""


class NotEnumerable(HashSetError):
    """The entries of a keyed set or a Bloom filter cannot be listed, so they cannot be merged."""
