"""Disposable worker processes. Native parsers run in them; one that dies, hangs or swells costs the file it was at, never the scan.

Parent and worker exchange frames over a pipe: one byte that says what it is, then bytes (JSON, never pickle: a worker that hostile
evidence has taken over must not be able to make the parent run anything). A small shared array tells the parent at any moment which
item of its task a worker is at, since when, and how many bytes it has read.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import selectors
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

SILENCE_LIMIT = 60.0
"""Seconds a worker may go without a pulse before it counts as hung."""
ITEM_LIMIT = 1200.0
"""Seconds one file may take in all, pulses or not."""
MEMORY_LIMIT = 1536 << 20
"""Resident bytes a worker may hold."""
_MEMORY_CHECK_EVERY = 0.5
_MEMORY_FOLDER = "/dev/shm"
_TELL_EVERY_NS = 5_000_000

DONE = b"D"
FAILED = b"X"
_SLOTS = 5
_ITEM, _SINCE, _PULSE, _BYTES, _STAGE = range(_SLOTS)


class Pulse:
    """The worker's side of the shared array.

    Writing to shared memory costs as much as hashing a kilobyte, and most files are done within microseconds: the item and the stage are
    always true, the clock and the bytes follow every few milliseconds.
    """

    def __init__(self, slots: Any) -> None:
        self._slots = slots
        self._told = 0
        self._read = 0

    def item(self, number: int) -> None:
        """Now at item ``number`` of the task."""
        self._slots[_ITEM] = number
        now = time.monotonic_ns()
        if now - self._told > _TELL_EVERY_NS:
            self._slots[_SINCE] = now
            self._tell(now)

    def stage(self, number: int) -> None:
        """Now at a given stage of the item: tells the parent what to leave out if it goes wrong here."""
        self._slots[_STAGE] = number

    def beat(self, read: int = 0) -> None:
        """Still alive, having read ``read`` more bytes."""
        self._read += read
        now = time.monotonic_ns()
        if now - self._told > _TELL_EVERY_NS:
            self._tell(now)

    def _tell(self, now: int) -> None:
        self._told = self._slots[_PULSE] = now
        self._slots[_BYTES] += self._read
        self._read = 0

    def flush(self) -> None:
        """Tell everything, at the end of a task."""
        self._tell(time.monotonic_ns())


@dataclass(slots=True)
class Task:
    """A piece of work. ``payload`` is what the worker receives."""

    id: int
    payload: bytes
    note: Any = None


class Message(NamedTuple):
    """A frame from a worker about a task. ``kind`` is one byte; ``DONE`` is the last for the task.

    ``FAILED``, with a reason, is last too: the task raised something, which the parent hears of as a ``Death``."""

    task: Task
    kind: bytes
    payload: bytes


class Death(NamedTuple):
    """A worker ended before its task did. ``item`` and ``stage`` are where it was (item -1: before the first)."""

    task: Task
    item: int
    stage: int
    reason: str


Main = Callable[[Connection, Pulse, bytes], None]


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    slots: Any
    task: Task | None = None
    idle_since: float = 0.0
    memory: psutil.Process | None = field(default=None)


def _entry(connection: Connection, slots: Any, main: Main, setup: bytes) -> None:
    import signal

    # Ctrl-C is the parent's to handle: it stops the scan in good order and seals what there is.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        main(connection, Pulse(slots), setup)
    except (EOFError, BrokenPipeError, OSError):
        pass  # the parent has gone: so do we


def prepare() -> SpawnContext | ForkServerContext:
    """How workers are started here. Called early, on Linux it gains the time in which this process loads what it needs itself.

    Python and all that a worker imports take half a second to load. Linux loads it once, in a fresh process that knows nothing of the case
    (preload.py), and forks workers from that; its socket lies in memory, not on a drive. A fork is not safe on macOS, and Windows has none.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["triage.scan.preload"])
    before = tempfile.tempdir
    tempfile.tempdir = _MEMORY_FOLDER if os.access(_MEMORY_FOLDER, os.W_OK) else before
    try:
        forkserver.ensure_running()
    finally:
        tempfile.tempdir = before
    return context


class Pool:
    """Up to ``size`` workers, each running ``main(connection, pulse, setup)``, which answers tasks until the pipe closes.

    One is started at once, any other when there is a task that no other is free for: a few files are not worth two."""

    def __init__(self, size: int, main: Main, setup: bytes) -> None:
        self._context = prepare()
        self._main, self._setup = main, setup
        self._size = size
        self._selector = None if sys.platform == "win32" else selectors.DefaultSelector()  # pipes of Windows cannot be selected
        self._workers = [self._start()]
        self._bytes_gone = 0
        self._memory_checked = 0.0
        self._paused = 0

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        slots = self._context.RawArray(ctypes.c_longlong, _SLOTS)
        slots[_ITEM] = -1
        arguments = (theirs, slots, self._main, self._setup)
        process: BaseProcess = self._context.Process(target=_entry, args=arguments, daemon=True)
        try:
            process.start()
        except (OSError, EOFError):  # what workers are forked from cannot be reached: this one, and those to come, start by themselves
            self._context = multiprocessing.get_context("spawn")
            process = self._context.Process(target=_entry, args=arguments, daemon=True)
            process.start()
        theirs.close()
        if self._selector is not None:
            self._selector.register(ours, selectors.EVENT_READ)
        return _Worker(process, ours, slots)

    @property
    def bytes_read(self) -> int:
        """Bytes that all workers, past ones included, say they have read."""
        return self._bytes_gone + sum(int(worker.slots[_BYTES]) for worker in self._workers)

    @property
    def busy(self) -> int:
        """How many workers are at a task."""
        return sum(worker.task is not None for worker in self._workers)

    @property
    def idle(self) -> int:
        """How many tasks could be given to a worker now."""
        return self._size - self.busy

    def submit(self, task: Task) -> Death | None:
        """Give a task to an idle worker. A worker found dead is replaced; ``Death`` only where the new one cannot be reached either."""
        for _ in range(3):
            # The one that has waited longest: it has loaded its lists, which the one that is just done may not have.
            free = [worker for worker in self._workers if worker.task is None]
            if not free:
                free = [self._start()]
                self._workers += free
            worker = min(free, key=lambda worker: worker.idle_since)
            worker.slots[_ITEM], worker.slots[_STAGE] = -1, 0
            worker.slots[_SINCE] = worker.slots[_PULSE] = time.monotonic_ns()
            worker.task = task
            try:
                worker.connection.send_bytes(task.payload)
                return None
            except OSError:
                self._replace(worker)
        return Death(task, -1, 0, "no worker process could be started")

    def events(self, timeout: float) -> Iterator[Message | Death]:
        """What workers have said since last asked, waiting up to ``timeout`` seconds for the first word."""
        by_connection = {worker.connection: worker for worker in self._workers}
        for connection in self._speaking(timeout):
            worker = by_connection[connection]
            for _ in range(64):  # one talkative worker must not starve the others
                try:
                    frame = worker.connection.recv_bytes()
                except (EOFError, OSError):
                    yield from self._bury(worker, self._exit_reason(worker))
                    break
                if worker.task is not None:
                    task = worker.task
                    kind, payload = frame[:1], frame[1:]
                    if kind in (DONE, FAILED):
                        worker.task, worker.idle_since = None, time.monotonic()
                    if kind == FAILED:
                        yield Death(task, int(worker.slots[_ITEM]), int(worker.slots[_STAGE]), payload.decode("utf-8", "replace"))
                    else:
                        yield Message(task, kind, payload)
                if connection not in self._speaking(0):
                    break
        yield from self._enforce()

    def _speaking(self, timeout: float) -> list[Connection]:
        """The pipes with something to read, or at their end. ``wait`` and ``poll`` make a selector each time, at four times the cost."""
        if self._selector is None:
            return wait([worker.connection for worker in self._workers], timeout)  # type: ignore[return-value]
        return [key.fileobj for key, _ in self._selector.select(timeout)]  # type: ignore[misc]

    def _exit_reason(self, worker: _Worker) -> str:
        worker.process.join(2)
        code = worker.process.exitcode
        if code is not None and code < 0:
            return f"the reader crashed (signal {-code})"
        return f"the reader ended unexpectedly (exit code {code})"

    def _enforce(self) -> Iterator[Death]:
        now = time.monotonic_ns()
        check_memory = time.monotonic() - self._memory_checked > _MEMORY_CHECK_EVERY
        if check_memory:
            self._memory_checked = time.monotonic()
        for worker in list(self._workers):
            if worker.task is None:
                continue
            if now - worker.slots[_PULSE] > SILENCE_LIMIT * 1e9:
                yield from self._bury(worker, f"nothing came out of it for {SILENCE_LIMIT:.0f} seconds")
            elif worker.slots[_ITEM] >= 0 and now - worker.slots[_SINCE] > ITEM_LIMIT * 1e9:
                yield from self._bury(worker, f"it took longer than {ITEM_LIMIT:.0f} seconds")
            elif check_memory and self._resident(worker) > MEMORY_LIMIT:
                yield from self._bury(worker, f"reading it took more than {MEMORY_LIMIT >> 20} MiB of memory")

    def _resident(self, worker: _Worker) -> int:
        try:
            if worker.memory is None:
                worker.memory = psutil.Process(worker.process.pid)
            return int(worker.memory.memory_info().rss)
        except psutil.Error:
            return 0

    def _bury(self, worker: _Worker, reason: str) -> Iterator[Death]:
        task = worker.task
        item, stage = int(worker.slots[_ITEM]), int(worker.slots[_STAGE])
        self._replace(worker)
        if task is not None:
            yield Death(task, item, stage, reason)

    def _replace(self, worker: _Worker) -> None:
        self._bytes_gone += worker.slots[_BYTES]
        self._end(worker)
        fresh = self._workers[self._workers.index(worker)] = self._start()
        fresh.idle_since = time.monotonic()

    def pause(self) -> None:
        """Let every worker stand still where it is."""
        self._paused = time.monotonic_ns()
        for worker in self._workers:
            with contextlib.suppress(psutil.Error):
                psutil.Process(worker.process.pid).suspend()

    def resume(self) -> None:
        """Let them go on; none counts as silent or slow for the time in between."""
        lasted = time.monotonic_ns() - self._paused
        for worker in self._workers:
            for slot in (_SINCE, _PULSE):
                worker.slots[slot] += lasted
            with contextlib.suppress(psutil.Error):
                psutil.Process(worker.process.pid).resume()

    def close(self) -> None:
        """End all workers. Safe to call twice."""
        for worker in self._workers:
            self._end(worker)
        self._workers = []
        if self._selector is not None:
            self._selector.close()

    def _end(self, worker: _Worker) -> None:
        if self._selector is not None:
            self._selector.unregister(worker.connection)
        worker.connection.close()
        worker.process.kill()
        worker.process.join(5)
