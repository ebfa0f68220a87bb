"""Identifiers of exported things: the same case gives the same ones, every time, on every machine."""

from __future__ import annotations

import uuid

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "triage.invalid")


def node_uuid(case: str, *about: str) -> uuid.UUID:
    """The UUID (version 5) of a thing in the case of that id. ``about`` names it: its kind, then what tells it from others of its kind."""
    name = "\x1f".join((case, *about)).encode("utf-8", "surrogatepass")
    return uuid.uuid5(_NAMESPACE, name.decode("latin-1"))
