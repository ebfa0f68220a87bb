"""The lock files: what a bundle is built from, each package with its version and the digests of its wheels (``build.py lock``)."""

from __future__ import annotations

import re

BUILDER = "pyinstaller==6.16.0"
BUILDERS = (
    "altgraph==0.17.5",
    "pefile==2024.8.26",
    "pywin32-ctypes==0.2.3",
    "packaging==25.0",
    "setuptools==80.9.0",
    "pyinstaller-hooks-contrib==2026.9",
)
LEFT_OUT = ("scipy", "pywavelets")
"""What imagehash asks for and we do not use (113 MB)."""


def without(lock: str, names: tuple[str, ...]) -> str:
    """A lock file's text without the packages of these names: a package and its digests are one line that is continued."""
    return re.sub(rf"(?m)^(?:{'|'.join(names)})==(?:[^\n]*\\\n)*[^\n]*\n", "", lock)
