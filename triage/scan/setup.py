"""What a scan works with, checked before it starts, and handed to every worker as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from triage.scan.profile import Profile
from triage.scan.scope import Dates


@dataclass(slots=True)
class SourceSetup:
    """A source to open. ``secrets`` are (kind, value) pairs that unlock it: held in memory, never written anywhere."""

    path: str
    live: bool = False
    secrets: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class HashSetSetup:
    """A hash set file, its role where the file does not say, and its key (hex) where it needs one."""

    path: str
    role: str | None = None
    key: str | None = None


@dataclass(slots=True)
class Setup:
    """Everything a worker needs to know."""

    profile: Profile
    sources: dict[str, SourceSetup]
    hash_sets: list[HashSetSetup] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    """Terms named in the visit file."""
    list_secret: str | None = None
    """What opens encrypted keyword lists (hex): held in memory, never written anywhere."""
    keywords_cache: str | None = None
    """The folder for compiled keyword lists; None: nothing compiled is kept."""
    keep_named: bool = True
    """Whether a compiled list may be kept that holds terms of the visit in the clear; asked before the workers start."""
    yara: list[str] = field(default_factory=list)
    yara_cache: str | None = None
    rules: list[str] = field(default_factory=list)
    exclude_users: list[str] = field(default_factory=list)
    dates: Dates = field(default_factory=Dates)

    @property
    def has_words(self) -> bool:
        """Whether there are terms to look for."""
        return bool(self.keywords or self.named)

    @property
    def checks_content(self) -> bool:
        """Whether anything is asked of content but its words: what is in no file, and what lies inside files, is worth finding for it."""
        return bool(self.hash_sets or self.yara)

    def encode(self) -> bytes:
        """As handed to a worker."""
        value: dict[str, Any] = {
            "profile": self.profile.to_json(),
            "sources": {key: [item.path, item.live, item.secrets] for key, item in self.sources.items()},
            "hash_sets": [[item.path, item.role, item.key] for item in self.hash_sets],
            "keywords": self.keywords,
            "named": self.named,
            "list_secret": self.list_secret,
            "keywords_cache": self.keywords_cache,
            "yara": self.yara,
            "yara_cache": self.yara_cache,
            "rules": self.rules,
            "exclude_users": self.exclude_users,
            "dates": [self.dates.start, self.dates.end],
        }
        return json.dumps(value).encode()

    @classmethod
    def decode(cls, data: bytes) -> Setup:
        """The inverse of ``encode``."""
        value = json.loads(data)
        return cls(
            profile=Profile.from_json(value["profile"]),
            sources={key: SourceSetup(path, live, [(a, b) for a, b in secrets]) for key, (path, live, secrets) in value["sources"].items()},
            hash_sets=[HashSetSetup(*item) for item in value["hash_sets"]],
            keywords=value["keywords"],
            named=value["named"],
            list_secret=value["list_secret"],
            keywords_cache=value["keywords_cache"],
            yara=value["yara"],
            yara_cache=value["yara_cache"],
            rules=value["rules"],
            exclude_users=value["exclude_users"],
            dates=Dates(*value["dates"]),
        )
