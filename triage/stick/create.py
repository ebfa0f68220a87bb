"""Lays out a stick from what a keeper's folder holds, reads everything back, and signs the list of it."""

from __future__ import annotations

import errno
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from portable import integrity
from triage.stick import check, layout, listing

if TYPE_CHECKING:
    from triage.keys import Signer
    from triage.stick.keeper import Contents

_CHUNK = 4 << 20


class StickError(Exception):
    """The stick cannot be written; the text says why in one sentence."""


def create(root: Path, contents: Contents, signer: Signer) -> check.Verdict:
    """Write the stick at ``root``: an empty folder or drive, or a stick, of which cases and visit files stay. Returns the full check of it.

    Until all is done a file says that the stick is unfinished: one that was pulled out is told as such. Raises ``StickError``.
    """
    from triage.keys import SigningKeyError

    if contents.refused:
        raise StickError(contents.refused[0])
    try:
        _clear(root)
        files = {}
        for name, source in sorted(contents.files.items()):
            if not name.startswith(f"{layout.BUNDLES}/"):
                files[name] = _copy(source, root / name)
        for name, folder in sorted(contents.bundles.items()):
            for path in sorted(item for item in folder.rglob("*") if item.is_file()):
                _copy(path, root / name / path.relative_to(folder))
            files[f"{name}/{integrity.NAME}"] = listing.describe(root / name / integrity.NAME)
        for name in layout.OFFICERS:
            (root / name).mkdir(exist_ok=True)
        facts = {"name": contents.name or root.name, "created": datetime.now(UTC).isoformat(timespec="seconds"), "expires": contents.expires, "use_until": contents.use_until}  # fmt: skip
        listing.write(root, facts, files, signer)
        (root / layout.UNFINISHED).unlink()
    except OSError as error:
        raise StickError(_why(root, error)) from error
    except (SigningKeyError, listing.ListError) as error:
        raise StickError(str(error)) from error
    return check.check(root)


def _clear(root: Path) -> None:
    """Take away what an earlier stick had from its keeper."""
    root.mkdir(parents=True, exist_ok=True)
    present = [
        path for path in root.iterdir() if path.name.lower() not in layout.SYSTEMS and path.name not in (layout.CASES, layout.VISITS)
    ]
    if present and not layout.is_stick(root):
        raise StickError(f"{root} is not empty and no stick: {present[0].name} lies there; nothing was changed")
    (root / layout.UNFINISHED).write_text("This stick is not finished. Do not use it.\n", encoding="ascii")
    for name in (layout.LIST, layout.SIGNATURE):
        (root / name).unlink(missing_ok=True)
    for name in layout.KEEPERS:
        if name != layout.VISITS and (root / name).exists():
            shutil.rmtree(root / name)


def _copy(source: Path, target: Path) -> dict[str, object]:
    """Copy one file, and compare what is on the stick with what was read; its entry of the list."""
    import hashlib

    target.parent.mkdir(parents=True, exist_ok=True)
    read = hashlib.sha256()
    with open(source, "rb") as origin, open(target, "wb") as out:
        while chunk := origin.read(_CHUNK):
            read.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
        if hasattr(os, "posix_fadvise"):  # otherwise memory is compared with memory
            os.posix_fadvise(out.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    shutil.copymode(source, target)
    entry = listing.describe(target)
    if entry["sha256"] != read.hexdigest():
        raise StickError(f"{target} does not hold what was written: the stick is faulty, use another one")
    return entry


def _why(root: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"the stick {root} is full; it is not finished and must not be used"
    if error.errno == errno.EFBIG:
        return f"the stick {root} cannot hold a file as large as {Path(str(error.filename or '')).name or 'this'}: format it as exFAT"
    return f"the stick {root} cannot be written: {error.strerror or error}"
