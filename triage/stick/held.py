"""What a stick holds for a scan: used where the person at the door names nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triage.scan.setup import HashSetSetup
from triage.stick import check, layout, listing


class StickError(Exception):
    """The stick must not be used; the text says why in one sentence."""


@dataclass(slots=True)
class Held:
    """``open_sets`` and ``keyed_sets``: paths of hash sets that need no key, and that do. ``warnings``: for the journal."""

    root: Path
    listed: listing.StickList
    open_sets: list[tuple[Path, str | None]] = field(default_factory=list)
    keyed_sets: list[Path] = field(default_factory=list)
    keywords: list[Path] = field(default_factory=list)
    yara: list[Path] = field(default_factory=list)
    rules: list[Path] = field(default_factory=list)
    recipients: Path | None = None
    signing_key: Path | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def identity(self) -> dict[str, Any]:
        """For the journal: which stick, as signed by whom."""
        return {
            "name": self.listed.name,
            "created": self.listed.created,
            "sha256": self.listed.digest,
            "fingerprint": self.listed.fingerprint,
        }

    def hash_sets(self, secret: bytes | None) -> list[HashSetSetup]:
        """The sets that can be used with what is known."""
        usable = [HashSetSetup(str(path), role, None) for path, role in self.open_sets]
        return usable + [HashSetSetup(str(path), None, secret.hex()) for path in self.keyed_sets if secret]

    def left_out(self, *, sets: bool, words: bool) -> list[str]:
        """What is not used for want of the passphrase, a sentence each. ``sets``, ``words``: whether they would be."""
        names = [path.name for path in [*(self.keyed_sets if sets else []), *(self.keywords if words else [])]]
        return [f"{name} on the stick was not used: its passphrase was not given" for name in names]

    def opens(self, passphrase: str) -> bytes | None:
        """The secret that ``passphrase`` stands for, if it opens the first keyed set or encrypted list of the stick; else None."""
        import hashsets
        from rules import sealed

        try:
            secret = hashsets.load_key(passphrase)
            if self.keyed_sets:
                hashsets.open_set(self.keyed_sets[0], key=secret).close()
            elif self.keywords:
                sealed.unseal(self.keywords[0].read_bytes(), secret, self.keywords[0].name)
        except (hashsets.HashSetError, sealed.WrongKey, ValueError, OSError):
            return None
        return secret


def read(root: Path) -> Held:
    """The stick at ``root``, checked as at every start. Raises ``StickError``."""
    import hashsets
    from hashsets import store

    verdict = check.check(root, quick=True)
    if verdict.problems or verdict.listed is None:
        raise StickError("; ".join(verdict.problems[:3]))
    listed = verdict.listed
    out = Held(root, listed, warnings=[f"stick: {text}" for text in verdict.warnings])

    def files(folder: str) -> list[Path]:
        return [root / name for name in listed.below(folder)]

    for path in files(layout.HASH_SETS):
        try:
            if not store.is_store(path):
                out.open_sets.append((path, "ignore"))  # only filters of known harmless files come onto a stick without being built
            elif store.describe(path)["keyed"]:
                out.keyed_sets.append(path)
            else:
                out.open_sets.append((path, None))
        except (hashsets.HashSetError, OSError) as error:
            raise StickError(str(error)) from error
    out.keywords, out.yara, out.rules = files(layout.KEYWORDS), files(layout.YARA), files(layout.RULES)
    out.recipients = next(iter(files(layout.SEAL)), None)
    keys = [path for path in files(layout.KEYS) if b"ENCRYPTED PRIVATE KEY" in path.read_bytes()]
    out.signing_key = keys[0] if len(keys) == 1 else None
    return out
