"""The examination behind the screens: it runs in a thread of its own, its workers in their own processes, and the screens look at ``Session``."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage.scan.control import Control
from triage.scan.progress import Meter

if TYPE_CHECKING:
    from triage.keys import Signer
    from triage.scan.setup import HashSetSetup, SourceSetup

BUDGETS = {"10": ("quick", 600.0), "20": ("standard", 1200.0), "40": ("standard", 2400.0), "none": ("standard", None)}
"""What each choice of how long means: the profile, and the seconds allowed."""
KEPT_ALERTS = 1000


@dataclass(slots=True)
class Lists:
    """The lists and rules named when the tool was started, or held by the stick, and the key that signs. ``identities``, ``warnings``: what the
    journal says besides those of the lists."""

    hash_sets: list[HashSetSetup] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    list_secret: bytes | None = None
    yara: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    identities: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    signer: Callable[[], Signer] | None = None
    arguments: list[str] = field(default_factory=list)
    workers: int | None = None


@dataclass(slots=True)
class Order:
    """What to do: an examination of ``sources`` (path, live) into ``case``. ``profile``: the values of a profile for a case that is gone on with,
    else None."""

    case: Path
    sources: list[tuple[str, bool]]
    visit: dict[str, Any]
    minutes: str
    profile: dict[str, Any] | None = None


class Feed:
    """What the examination tells (``triage.scan.progress.Progress``), kept for the screen to look at from its own thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.meter = Meter(clock)
        self.name = ""
        self.files = self.size = self.total = 0
        self.alerts: deque[dict[str, Any]] = deque(maxlen=KEPT_ALERTS)
        self.alert_count = 0

    def phase(self, name: str, *, files: int = 0, size: int = 0) -> None:
        self.meter.begin(files, size)
        self.files = self.size = 0
        self.total, self.name = files, name

    def update(self, *, files: int, size: int) -> None:
        self.meter.update(files, size)
        self.files, self.size = files, size

    def alert(self, finding: dict[str, Any]) -> None:
        self.alerts.append(finding)
        self.alert_count += 1

    def note(self, text: str) -> None:
        self.alerts.append({"title": text, "path": ""})

    def close(self) -> None:
        pass


class Session:
    """One examination. ``report`` and ``seal`` are there when it has ended well, ``error`` (a sentence) when it has not."""

    def __init__(self, order: Order, lists: Lists) -> None:
        self.order, self._lists = order, lists
        self.control = Control()
        self.feed = Feed(self._clock)
        self.report: dict[str, Any] | None = None
        self.seal: dict[str, Any] | None = None
        self.error: str | None = None
        self.done = threading.Event()
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="examination")

    def _clock(self) -> float:
        return time.monotonic() - self.control.waited

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Ask for the end, and wait until what was found is sealed."""
        self.control.stop()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def latest(self) -> float | None:
        """Seconds until the time allowed is over; None where there is no limit."""
        budget = BUDGETS[self.order.minutes][1]
        return None if budget is None else max(0.0, budget - (self._clock() - self._started))

    def _run(self) -> None:
        from triage.casefolder import CaseError
        from triage.journal import JournalError
        from triage.scan.job import JobError, run
        from triage.scan.lists import ListError

        try:
            job = self._job()
            run(job, self.feed)
            self.report = json.loads((job.case / "report.json").read_bytes())
            self.seal = json.loads((job.case / "seal.json").read_bytes())
        except (CaseError, JobError, JournalError, ListError) as error:
            self.error = str(error)
        except OSError as error:
            self.error = f"the case folder can no longer be used ({error.strerror or error})"
        except Exception as error:  # the screen must say it: a thread that ends in silence would look like a scan that goes on
            self.error = f"something went wrong in this tool ({type(error).__name__}: {error})"
        finally:
            self.done.set()

    def _job(self) -> Any:
        from triage import keys
        from triage.scan import lists
        from triage.scan.job import Job
        from triage.scan.profile import Profile, load_profile
        from triage.scan.scope import Dates
        from triage.scan.setup import Setup

        order, options = self.order, self._lists
        profile, budget = BUDGETS[order.minutes]
        visit = order.visit
        setup = Setup(
            profile=Profile.from_json(order.profile) if order.profile else load_profile(profile),
            sources=_sources(order.sources),
            hash_sets=list(options.hash_sets),
            named=list(visit["keywords"]),
            exclude_users=list(visit["scope"]["exclude_users"]),
            dates=Dates.of(visit),
            rules=list(options.rules),
        )
        warnings = list(options.warnings)
        identities = options.identities | lists.load(
            setup, options.keywords, options.yara, options.list_secret, lambda problem, _: warnings.append(str(problem))
        )
        signer = options.signer() if options.signer else keys.case_signer()
        job = Job(
            setup=setup, case=order.case, signer=signer, visit=visit, time_budget=budget, arguments=options.arguments, identities=identities,
            warnings=warnings, control=self.control,
        )  # fmt: skip
        if options.workers is not None:
            job.workers = options.workers
        return job


def _sources(sources: list[tuple[str, bool]]) -> dict[str, SourceSetup]:
    from triage.scan.setup import SourceSetup

    return {f"s{number}": SourceSetup(path=path, live=live) for number, (path, live) in enumerate(sources, 1)}
