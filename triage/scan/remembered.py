"""Keywords in what a record remembers: addresses, titles, typed words, names of files and programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rules.keywords import Hit, Matcher

TEXT_FIELDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "PageVisit": (("url", "url"), ("title", "title")),
    "Download": (("url", "url"), ("path", "name")),
    "SearchQuery": (("terms", "search_terms"),),
    "Bookmark": (("url", "url"), ("title", "title")),
    "FormEntry": (("value", "search_terms"),),
    "CachedItem": (("url", "url"),),
    "FileSeen": (("path", "name"),),
    "DeletedFile": (("path", "name"),),
    "SharedFile": (("name", "name"),),
    "InstalledProgram": (("name", "application"),),
    "ProgramRun": (("program", "application"),),
    "StartupItem": (("name", "application"),),
    "SiteTrace": (("url", "url"), ("title", "title")),
    "RegistryRemnant": (("content", "text"),),
}
"""Which fields of an observation are words to match, and what kind of text each is."""


def hits_in(words: Matcher, data: Mapping[str, Any]) -> tuple[list[Hit], int]:
    """The hits in an observation as journalled, and how many more only repeat a search that is told by itself.

    The address and the title of a page of results hold the words that were typed. Every artefact that gives such a visit gives its
    ``SearchQuery`` too; of deleted records, and of what was only cached, nothing is left out.
    """
    texts = TEXT_FIELDS.get(data["type"], ())
    hits = [hit for name, where in texts if isinstance(data.get(name), str) for hit in words.in_text(data[name], where)]
    if not hits or data["type"] != "PageVisit" or data["provenance"]["recovered"]:
        return hits, 0
    from artefacts.browsers.search_engines import search_in

    search = search_in(data["url"])
    if search is None:
        return hits, 0
    typed = {(hit.library, hit.category, hit.term) for hit in words.in_text(search.terms, "search_terms")}
    kept = [hit for hit in hits if (hit.library, hit.category, hit.term) not in typed]
    return kept, len(hits) - len(kept)
