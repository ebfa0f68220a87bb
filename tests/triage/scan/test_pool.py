"""Workers that crash, hang, swell or raise: the parent always learns of it, and goes on."""

from __future__ import annotations

import os
import signal
import sys
import time
from multiprocessing import forkserver
from multiprocessing.connection import Connection

import pytest

from triage.scan import pool as pool_module
from triage.scan.pool import DONE, FAILED, Death, Message, Pool, Pulse, Task


def behave(connection: Connection, pulse: Pulse, setup: bytes) -> None:
    """A worker that does what its task says."""
    while True:
        order = connection.recv_bytes()
        pulse.item(7)
        pulse.stage(2)
        if order == b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif order == b"exit":
            os._exit(5)
        elif order == b"hang":
            time.sleep(600)
        elif order == b"slow":
            for _ in range(600):
                time.sleep(0.05)
                pulse.beat()
        elif order == b"swell":
            hoard = []
            while True:
                hoard.append(os.urandom(1 << 20))
                pulse.beat()
        elif order == b"raise":
            connection.send_bytes(FAILED + b"the reader failed (ValueError: x)")
            continue
        pulse.beat(10)
        pulse.flush()
        connection.send_bytes(b"Mhello " + order)
        connection.send_bytes(DONE + setup)


def _run(orders: list[bytes], workers: int = 1) -> tuple[list[Message], list[Death], int]:
    pool = Pool(workers, behave, b"setup")
    messages: list[Message] = []
    deaths: list[Death] = []
    tasks = [Task(number, order) for number, order in enumerate(orders)]
    end = time.monotonic() + 60
    try:
        while (tasks or pool.busy) and time.monotonic() < end:
            while tasks and pool.idle:
                pool.submit(tasks.pop(0))
            for event in pool.events(0.1):
                (messages if isinstance(event, Message) else deaths).append(event)  # type: ignore[arg-type]
        return messages, deaths, pool.bytes_read
    finally:
        pool.close()


def test_tasks_are_answered_and_bytes_counted() -> None:
    messages, deaths, read = _run([b"a", b"b", b"c"], workers=2)
    assert not deaths
    assert sorted(m.payload for m in messages if m.kind == b"M") == [b"hello a", b"hello b", b"hello c"]
    assert [m.payload for m in messages if m.kind == DONE] == [b"setup"] * 3
    assert read == 30


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
def test_workers_start_where_nothing_can_be_forked_from(monkeypatch: pytest.MonkeyPatch) -> None:
    pool_module.prepare()
    monkeypatch.setattr(forkserver._forkserver, "_forkserver_address", "/nowhere/at all")
    messages, deaths, _ = _run([b"a"])
    assert not deaths and [m.payload for m in messages] == [b"hello a", b"setup"]


@pytest.mark.parametrize(("order", "words"), [(b"crash", "signal 11"), (b"exit", "exit code 5")])
def test_a_dead_worker_names_its_item_and_is_replaced(order: bytes, words: str) -> None:
    messages, deaths, read = _run([b"a", order, b"b"])
    assert [(d.task.payload, d.item, d.stage) for d in deaths] == [(order, 7, 2)]
    assert words in deaths[0].reason
    assert [m.payload for m in messages if m.kind == b"M"] == [b"hello a", b"hello b"]
    assert read == 20


def test_a_raising_task_costs_only_itself() -> None:
    messages, deaths, _ = _run([b"raise", b"b"])
    assert [d.reason for d in deaths] == ["the reader failed (ValueError: x)"]
    assert [m.payload for m in messages if m.kind == b"M"] == [b"hello b"]


def test_a_silent_worker_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "SILENCE_LIMIT", 1.0)
    messages, deaths, _ = _run([b"hang", b"b"])
    assert "nothing came out" in deaths[0].reason
    assert [m.payload for m in messages if m.kind == b"M"] == [b"hello b"]


def test_a_pulse_alone_does_not_buy_endless_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "ITEM_LIMIT", 1.5)
    _, deaths, _ = _run([b"slow"])
    assert "longer than" in deaths[0].reason


def test_a_swelling_worker_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "MEMORY_LIMIT", 200 << 20)
    messages, deaths, _ = _run([b"swell", b"b"])
    assert "memory" in deaths[0].reason
    assert [m.payload for m in messages if m.kind == b"M"] == [b"hello b"]
