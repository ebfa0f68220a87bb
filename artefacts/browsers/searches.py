"""The searches of one profile, each told once, however many visits and tables repeat it."""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.browsers.profiles import Owner
from artefacts.browsers.reading import earlier, later
from artefacts.observations import SearchQuery
from artefacts.times import Time

_MOST_HELD = 100_000  # different searches held at once; beyond it, those so far are told and counting starts again


class Searches:
    """Collects searches and gives them out as one ``SearchQuery`` for each engine and set of words (without regard to case)."""

    def __init__(self, owned: Owner, *, recovered: bool = False) -> None:
        self._owned, self._recovered = owned, recovered
        self._found: dict[tuple[str, str], SearchQuery] = {}

    def add(self, engine: str, terms: str, time: Time, where: str, url: str | None, locator: str) -> None:
        """Note one search: ``time`` it was made, ``where`` it stood."""
        key = (engine, terms.casefold())
        known = self._found.get(key)
        if known is None:
            self._found[key] = SearchQuery(
                terms=terms,
                engine=engine,
                time=time,
                last=time,
                where=where,
                url=url,
                recovered=self._recovered,
                locator=locator,
                **self._owned.labels,
            )
        else:
            known.time, known.last = earlier(known.time, time), later(known.last, time)
            known.count += 1

    @property
    def full(self) -> bool:
        """Whether ``drain`` is due."""
        return len(self._found) >= _MOST_HELD

    def drain(self) -> Iterator[SearchQuery]:
        """Every search noted so far, in the order first met; then forget them."""
        yield from self._found.values()
        self._found.clear()
