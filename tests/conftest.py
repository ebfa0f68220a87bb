"""What every test may use: the real specimens, where they are, and unpacked private copies of them."""

from __future__ import annotations

import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("TRIAGE_SPECIMENS", Path(__file__).resolve().parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def specimens() -> Path:
    """The folder of real forensic specimens; the test is skipped, visibly, where it is absent."""
    if not (SHARED / "MANIFEST.tsv").is_file():
        pytest.skip(f"the forensic specimens are not at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def unpacked(specimens: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function from a specimen's path (``images/dfvfs/ntfs.raw.xz``) to an unpacked private copy under its own name."""
    folder = tmp_path_factory.mktemp("specimens")

    def unpack(relative: str) -> Path:
        packed = specimens / relative
        suffix = packed.suffix if packed.suffix in (".xz", ".gz") else ""
        target = folder / relative.removesuffix(suffix)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            data = packed.read_bytes()
            target.write_bytes({".xz": lzma.decompress, ".gz": gzip.decompress}.get(suffix, bytes)(data))
        return target

    return unpack
