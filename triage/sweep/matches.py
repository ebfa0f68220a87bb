"""A reference file met at a place of the disk, on its way from a worker to the journal."""

from __future__ import annotations

from typing import Any

from artefacts.observations import BlockMatch
from triage.scan.emit import observation_json

PARSER = "sweep/1"
MAX_OFFSETS = 20


def observation(match: BlockMatch, *, source: str, volume: str) -> dict[str, Any]:
    """The match as journalled. ``volume``: "" for the medium itself."""
    match.locator = f"offset={match.offset}"
    return observation_json(match, source=source, volume=volume, path=match.path, parser=PARSER, allocated=match.allocated)


def with_blocks(data: dict[str, Any], blocks: int) -> dict[str, Any]:
    """The observation of a single block, after other blocks of the same reference file were met elsewhere."""
    provenance = data["provenance"]
    fields = {key: value for key, value in data.items() if key not in ("id", "type", "provenance")}
    fields["reference_offsets"] = tuple(fields["reference_offsets"])
    match = BlockMatch(**{**fields, "blocks": blocks})
    return observation(match, source=provenance["source"], volume=provenance["volume"])
