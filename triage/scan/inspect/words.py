"""Keywords: in the names of files, in what they hold, and in what records remember."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from artefacts.coverage import Status
from artefacts.observations import KeywordHit, Observation
from artefacts.times import NoTime, Time, Timestamp
from triage.evidence.file import user_of
from triage.evidence.model import Entry
from triage.scan.emit import Emitter
from triage.scan.filetype import is_text
from triage.scan.inspect.item import entry_time
from triage.scan.inspect.recorder import Recorder
from triage.scan.remembered import hits_in
from triage.scan.setup import Setup

if TYPE_CHECKING:
    from rules.keywords import Hit, Matcher, Stream
    from triage.scan.text.search import Found, Key


class Words:
    """The keyword lists of a scan. One for each worker; they are compiled, or loaded, when first asked for."""

    def __init__(self, setup: Setup, emit: Emitter, recorder: Recorder) -> None:
        self._setup, self._emit, self._recorder = setup, emit, recorder

    @cached_property
    def matcher(self) -> Matcher | None:
        """The terms; None where no list was given."""
        if not self._setup.has_words:
            return None
        from rules import keywords

        return keywords.load(
            [Path(path) for path in self._setup.keywords],
            secret=bytes.fromhex(self._setup.list_secret) if self._setup.list_secret else None,
            named=self._setup.named,
        ).matcher(cache=Path(self._setup.keywords_cache) if self._setup.keywords_cache else None)

    def feed(self) -> TextFeed | None:
        """What searches a file while it is read, for one that is too large to hold; None where no list was given."""
        return TextFeed(self.matcher, self._setup.profile.every_byte) if self.matcher is not None else None

    def in_name(self, entry: Entry) -> list[Hit]:
        """The hits in the name of a file or stream."""
        assert self.matcher is not None
        name = entry.name if entry.kind != "stream" else entry.name.partition(":")[2] or entry.name
        return self.matcher.in_text(name, "name")

    def in_file(self, entry: Entry, named: list[Hit], found: Found | None) -> None:
        """Tell the hits in a file: those in its name, and what was found in it."""
        hits = [*named, *found.hits] if found is not None else named
        if hits:
            self.tell(hits, entry, entry_time(entry, entry.modified), places=found.places if found is not None else {})

    def in_large_file(self, entry: Entry, feed: TextFeed) -> None:
        """Tell what ``feed`` met in a file."""
        from triage.scan.text.search import key_of, offset_of

        hits = feed.finish()
        self.tell(hits, entry, entry_time(entry, entry.modified), places={key_of(hit): offset_of(hit) for hit in reversed(hits)})

    def in_record(self, entry: Entry, item: Observation, data: Mapping[str, Any], parser: str) -> None:
        """Tell the hits in an observation, as journalled in ``data``."""
        if self.matcher is None:
            return
        hits, repeated = hits_in(self.matcher, data)
        self._emit.count("keywords", Status.SKIPPED, "address or title of a search that is told by itself", times=repeated)
        if hits:
            time = next(
                (v for n in ("time", "started", "last") if isinstance(v := getattr(item, n, None), Timestamp)), NoTime("not recorded")
            )
            self.tell(hits, entry, time, user=data.get("user"), parser=f"keywords/1 {parser}", locator=item.locator, about=data)

    def tell(
        self,
        hits: Iterable[Hit],
        entry: Entry,
        time: Time,
        *,
        user: str | None = None,
        parser: str = "keywords/1",
        locator: str = "",
        places: Mapping[Key, str] = MappingProxyType({}),
        about: Mapping[str, Any] = MappingProxyType({}),
        application: str = "",
    ) -> None:
        """Journal hits in a file, in the record ``about`` that was read from it, or in the data of an application, unless their library's
        keeper excludes that place."""
        from rules.keywords import captures, weigh

        for best in captures(self._not_excluded(hits, entry, about, application)):
            weight = weigh(best, 0 if about else entry.size)
            observation = KeywordHit(
                term=best.term,
                category=best.category,
                severity=best.severity,
                where=best.where,
                context=best.context,
                library=best.library,
                form=best.form,
                language=best.language,
                count=best.count,
                other_terms=best.other_terms,
                weight=weight.points,
                weighed=weight.reasons,
                time=time,
                user=user or user_of(entry.path),
                locator=places.get((best.library, best.category, best.term, best.where)) or locator or entry.address,
            )
            self._recorder.observe(observation, parser, entry)

    def _not_excluded(self, hits: Iterable[Hit], entry: Entry, about: Mapping[str, Any], application: str) -> list[Hit]:
        assert self.matcher is not None
        every = list(hits)
        out = self.matcher.exclusions.libraries(
            addresses=[about["url"]] if isinstance(about.get("url"), str) else [],
            paths=[path for path in (entry.path, about.get("path")) if isinstance(path, str)],
            application=about["provenance"]["parser"].partition("/")[0] if about else application,
        )
        for library in out:
            left = sum(1 + hit.repeats for hit in every if hit.library == library)
            self._emit.count("keywords", Status.SKIPPED, f"left out by an exclusion of {library}", times=left)
        return [hit for hit in every if hit.library not in out]


class TextFeed:
    """Keywords in a file too large to keep, if its beginning reads as text, or ``anything`` is wanted."""

    def __init__(self, words: Matcher, anything: bool) -> None:
        self._words, self._anything = words, anything
        self._stream: Stream | None = None
        self._begun = False

    def __call__(self, chunk: bytes) -> None:
        """Take the next chunk."""
        if not self._begun:
            self._begun = True
            self._stream = self._words.stream() if self._anything or is_text(chunk[:4096]) else None
        if self._stream is not None:
            self._stream.feed(chunk)

    def finish(self) -> list[Hit]:
        """All hits, in order."""
        return self._stream.finish() if self._stream is not None else []
