"""Conclusions: what many observations say together, drawn at the end of a scan, journalled and judged like any other observation.

A conclusion is a class in any module below ``triage.reasoning`` that is named in that module's ``CONCLUSIONS`` tuple; nothing else has to
be edited to add one::

    class Hosts(Conclusion):
        name = "hosts"
        types = ("NetworkHost",)

        def feed(self, observation):
            self._hosts.add(observation["mac"])

        def conclude(self):
            yield SystemFact(name="hosts seen", value=str(len(self._hosts)))

    CONCLUSIONS = (Hosts,)

It is told every observation of its types that is journalled, in whatever order workers send them, also those of earlier attempts when a scan
goes on; each once. It must keep bounded memory (say what was dropped: yield a ``Problem``), and conclude the same from any order.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from artefacts.coverage import Problem, Status
from artefacts.observations import Observation
from triage.journal import LISTING_COLUMNS
from triage.scan.emit import observation_json

if TYPE_CHECKING:
    from triage.baseline.digest import Baseline

COLUMN: Mapping[str, int] = {name: number for number, name in enumerate(LISTING_COLUMNS)}
"""Where a column of ``LISTING_COLUMNS`` stands in the rows given to ``feed_listing``."""
MOST_DRAWN = 50_000
"""Observations one conclusion may draw."""
MOST_SECONDS = 60.0
"""How long one conclusion may take to be drawn, looked at between its observations."""
MOST_GROUNDS = 100
"""Ids of observations kept as the grounds of a drawn one."""


@dataclass(slots=True)
class Context:
    """What a conclusion may know besides observations. ``visit``: the visit file as ``Visit.to_json`` gives it, or None. ``sources``: ids.

    ``complete``: False where the scan was cut off, so that what is missing may only not have been read; it is true only from the
    moment that conclusions are drawn. ``baseline``: of the last visit, where one was given.
    """

    visit: Mapping[str, Any] | None = None
    sources: Sequence[str] = ()
    complete: bool = False
    baseline: Baseline | None = None


class Drawn(NamedTuple):
    """An observation that was drawn, the source, volume and path it is about ("" where it is about several or none), and its grounds: ids.

    A bare ``Observation`` is about the only source, or about none in particular.
    """

    observation: Observation
    source: str = ""
    volume: str = ""
    path: str = ""
    rests_on: Sequence[str] = ()


class Conclusion(ABC):
    """One kind of conclusion, for one scan.

    ``types``: the observation types it is told. ``listing``: whether it is told the listed files too. ``stage``: those of a later stage are
    told what those of earlier stages have drawn, as far as it is of their types.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    types: ClassVar[tuple[str, ...]] = ()
    listing: ClassVar[bool] = False
    stage: ClassVar[int] = 1

    def __init__(self, context: Context) -> None:
        self.context = context

    @abstractmethod
    def feed(self, observation: Mapping[str, Any]) -> None:
        """Take an observation as journalled: ``id``, ``type``, its fields, ``provenance``. Times are RFC 3339 text in UTC or None."""

    def feed_listing(self, source: str, volume: str, rows: Sequence[Sequence[Any]]) -> None:  # noqa: B027
        """Take a batch of listed files, a row each: see ``COLUMN``. Times are nanoseconds since the Unix epoch or None."""

    @abstractmethod
    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        """What follows. A ``Problem`` says what could not be taken into account."""


@cache
def all_conclusions() -> tuple[type[Conclusion], ...]:
    """Every conclusion below ``triage.reasoning``, by stage and name. Raises ``ValueError`` where two share a name."""
    found: dict[str, type[Conclusion]] = {}
    package = importlib.import_module("triage.reasoning")
    for module in pkgutil.walk_packages(package.__path__, "triage.reasoning."):
        for kind in getattr(importlib.import_module(module.name), "CONCLUSIONS", ()):
            if kind.name in found:
                raise ValueError(f"two conclusions are called {kind.name}")
            found[kind.name] = kind
    return tuple(sorted(found.values(), key=lambda kind: (kind.stage, kind.name)))


@dataclass(slots=True)
class Conclusions:
    """The conclusions of one scan. One that raises is left out from there on, and said; the others go on."""

    context: Context
    kinds: tuple[type[Conclusion], ...] | None = None
    """All there are, unless given."""
    _all: list[Conclusion] = field(init=False)
    _by_type: dict[str, list[Conclusion]] = field(init=False)
    _failed: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._all = [kind(self.context) for kind in (all_conclusions() if self.kinds is None else self.kinds)]
        self._failed, self._by_type = {}, {}
        for conclusion in self._all:
            for name in conclusion.types:
                self._by_type.setdefault(name, []).append(conclusion)

    @property
    def wants_listing(self) -> bool:
        """Whether any of them is told the listed files."""
        return any(conclusion.listing for conclusion in self._all)

    def feed(self, observation: Mapping[str, Any]) -> None:
        """Tell an observation that was journalled, once."""
        for conclusion in self._by_type.get(observation["type"], ()):
            if conclusion.name not in self._failed:
                try:
                    conclusion.feed(observation)
                except Exception as error:
                    self._fail(conclusion, error)

    def feed_listing(self, source: str, volume: str, rows: Sequence[Sequence[Any]]) -> None:
        """Tell a batch of listed files, once."""
        for conclusion in self._all:
            if conclusion.listing and conclusion.name not in self._failed:
                try:
                    conclusion.feed_listing(source, volume, rows)
                except Exception as error:
                    self._fail(conclusion, error)

    def draw(self, *, complete: bool) -> Iterator[dict[str, Any] | tuple[str, Problem]]:
        """Every observation drawn, as journalled, and for what went wrong the conclusion's name with the problem. To be called once.

        ``provenance`` has ``rests_on`` besides what every other has: the ids of the observations that it was drawn from.
        """
        self.context.complete = complete
        only = self.context.sources[0] if len(self.context.sources) == 1 else ""
        for conclusion in self._all:
            if conclusion.name in self._failed:
                continue
            count, started = 0, time.monotonic()
            try:
                for item in conclusion.conclude():
                    if isinstance(item, Problem):
                        yield conclusion.name, item
                        continue
                    drawn = item if isinstance(item, Drawn) else Drawn(item, only)
                    data = _as_journalled(conclusion, drawn)
                    self._tell_later(conclusion, data)
                    yield data
                    count += 1
                    if count >= MOST_DRAWN:
                        raise OverflowError(f"more than {MOST_DRAWN} observations: the rest was left")
                    if time.monotonic() - started > MOST_SECONDS:
                        raise TimeoutError(f"it took longer than {MOST_SECONDS:.0f} seconds: the rest was left")
            except Exception as error:
                self._fail(conclusion, error)
        for name in sorted(self._failed):
            yield name, Problem(self._failed[name], Status.FAILED)

    def _tell_later(self, before: Conclusion, data: dict[str, Any]) -> None:
        for conclusion in self._by_type.get(data["type"], ()):
            if conclusion.stage > before.stage and conclusion.name not in self._failed:
                try:
                    conclusion.feed(data)
                except Exception as error:
                    self._fail(conclusion, error)

    def _fail(self, conclusion: Conclusion, error: Exception) -> None:
        self._failed[conclusion.name] = f"{type(error).__name__}: {error}"


def _as_journalled(conclusion: Conclusion, drawn: Drawn) -> dict[str, Any]:
    return observation_json(
        drawn.observation,
        source=drawn.source,
        volume=drawn.volume,
        path=drawn.path,
        parser=f"{conclusion.name}/{conclusion.version}",
        rests_on=list(drawn.rests_on[:MOST_GROUNDS]),
    )


def is_drawn(data: Mapping[str, Any]) -> bool:
    """Whether an observation as journalled was drawn from others."""
    return "rests_on" in data["provenance"]
