"""The programs that run on a live machine at this moment: by psutil, from what the system tells any process that asks.

Of each only its name, file, start and account. Its arguments are not asked for: people put passwords there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from artefacts.coverage import Problem, Status
from artefacts.observations import Observation, ProgramRun
from artefacts.times import NOT_RECORDED, NoTime, Time, from_unix

PARSER = "running_programs/1"
WHAT = "programs that run now"
HOW = "running now"
_MOST = 20_000
_ASKED = ["pid", "name", "exe", "create_time", "username", "status"]


def running() -> Iterator[Observation | Problem]:
    """A ``ProgramRun`` for each program and account, with the start of the process that has run longest; this program's own are left out.

    Never raises: what the system refuses to tell is a ``Problem``.
    """
    try:
        yield from _running()
    except Exception as error:  # psutil's readers of three systems raise many kinds, and a scan goes on without this list
        yield Problem(f"the list of running programs cannot be had ({type(error).__name__}: {error})", Status.UNREADABLE)


def _running() -> Iterator[Observation | Problem]:
    import psutil

    own = {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
    found: dict[tuple[str, str, str], ProgramRun] = {}
    nameless = refused = 0
    for number, process in enumerate(psutil.process_iter(_ASKED, ad_value=None)):
        if number >= _MOST:
            yield Problem(f"more than {_MOST} processes: the rest is not listed", Status.FAILED)
            break
        facts: dict[str, Any] = process.info
        name, path, user = facts["name"], facts["exe"], facts["username"]
        # A thread of the kernel is of no file; what has ended and is only not yet cleared away runs no more.
        if facts["pid"] in own or path == "" or facts["status"] == psutil.STATUS_ZOMBIE:
            continue
        if not name:
            nameless += 1
            continue
        refused += path is None
        started = _started(facts["create_time"])
        key = (str(name), str(path or ""), str(user or ""))
        old = found.get(key)
        if old is None:
            found[key] = ProgramRun(
                program=key[0], path=path, time=started, user=user, how=HOW, time_meaning="start of what runs now",
                locator=f"process={facts['pid']}",
            )  # fmt: skip
        elif not isinstance(started, NoTime) and (isinstance(old.time, NoTime) or started < old.time):
            old.time, old.locator = started, f"process={facts['pid']}"
    yield from (found[key] for key in sorted(found))
    if nameless:
        yield Problem(f"{nameless} processes of which the system does not tell the name", Status.UNREADABLE)
    if refused:
        yield Problem(f"{refused} processes of which the system does not tell the file, to this user", Status.UNREADABLE)
    if not found and not nameless:
        yield Problem("the system lists no process", Status.UNREADABLE)


def _started(seconds: Any) -> Time:
    return from_unix(float(seconds)) if isinstance(seconds, int | float) else NOT_RECORDED
