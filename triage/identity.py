"""Which tool this is: version, and a digest over everything of ours that can change a result."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from functools import cache
from pathlib import Path

from triage import __version__

PACKAGES = ("triage", "artefacts", "hashsets", "rules", "report_templates")
_IGNORED = ("__pycache__",)


def package_roots() -> list[Path]:
    """The folders of our packages."""
    specs = [importlib.util.find_spec(package) for package in PACKAGES]
    return [Path(next(iter(spec.submodule_search_locations))).resolve() for spec in specs if spec and spec.submodule_search_locations]


@cache
def self_sha256() -> str:
    """SHA-256 over the names and bytes of all files of our packages, in name order; of a frozen bundle, over its executable."""
    if getattr(sys, "frozen", False):
        return hashlib.sha256(Path(sys.executable).read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for root in package_roots():
        for path in sorted(root.rglob("*"), key=lambda p: p.relative_to(root).as_posix()):
            if path.is_file() and not any(part in _IGNORED for part in path.parts):
                digest.update(f"{root.name}/{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def tool() -> dict[str, str]:
    """As written into every journal."""
    return {"name": "triage", "version": __version__, "self_sha256": self_sha256()}
