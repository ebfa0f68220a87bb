"""What Hindsight does and no more: the records of a browser's profile as lines of JSON. ``python tests/benchmarks/browser_records.py ROOT OUT``."""

from __future__ import annotations

import importlib
import pkgutil
import sys

from artefacts.coverage import Encrypted, Problem, Unrecognised
from artefacts.matching import PathMatcher
from triage.evidence.file import EntryFile
from triage.evidence.sources import open_source
from triage.journal import encode


def main(root: str, out: str) -> None:
    """Read every file below ``root`` that belongs to an artefact of browsers."""
    package = importlib.import_module("artefacts.browsers")
    modules = [importlib.import_module(module.name) for module in pkgutil.iter_modules(package.__path__, "artefacts.browsers.")]
    matcher = PathMatcher([artefact for module in modules for artefact in getattr(module, "ARTEFACTS", ())])
    source = open_source(root)
    filesystem = source.filesystem(source.volumes()[0])
    with open(out, "wb") as file:
        for chunk in filesystem.entries():
            for entry in chunk:
                for artefact in matcher.match(entry.path) if entry.kind == "file" else ():
                    try:
                        for item in artefact.parse(EntryFile(filesystem, entry)):
                            if not isinstance(item, Problem):
                                file.write(encode({**item.to_json(), "path": entry.path, "locator": item.locator}) + b"\n")
                    except (Unrecognised, Encrypted):
                        continue


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
