"""The Linux audit log (``audit.log``, also of SELinux): sign-ins, accounts, programs run, and how much there is.

A line: ``type=KIND msg=audit(SECONDS.MILLISECONDS:NUMBER): key=value …``; Unix time, UTC.

Source: audit's "Audit event fields"; linux-audit user-space lib/libaudit.h; the specimen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.log_lines import log_lines
from artefacts.observations import AccountUse, Observation, ProgramRun, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, Timestamp, from_unix

_LINE = re.compile(r"^(?:node=\S+ )?type=([A-Z][A-Z0-9_]*(?:\[\d+\])?) msg=audit\((\d{1,12})\.(\d{1,3}):(\d{1,20})\):\s?(.*)$")
_EXE = re.compile(r'\bexe="([^"]{1,300})"')
_ACCOUNT = re.compile(r'\bacct="([^"]{1,64})"')
_RESULT = re.compile(r"\bres=(\w+)")
_MOST = 20_000
_MOST_PROBLEMS = 20
_SIGN_INS = {"USER_LOGIN": "sign-in", "USER_AUTH": "authentication", "USER_START": "session opened"}
_FACTS = {
    "ADD_USER": "account made", "DEL_USER": "account removed", "SYSTEM_BOOT": "started", "SYSTEM_SHUTDOWN": "shut down", "DAEMON_START": "audit started",
    "DAEMON_END": "audit stopped", "CONFIG_CHANGE": "audit settings changed",
}  # fmt: skip


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``AccountUse`` by account and kind, ``ProgramRun`` by program, ``SystemFact`` for accounts and start-up; a sum. Other lines are a ``Problem``."""
    sums: dict[tuple[str, ...], AccountUse | ProgramRun] = {}
    count = bad = facts = 0
    first: Time = NOT_RECORDED
    time: Time = NOT_RECORDED
    for number, line in log_lines(file):
        if isinstance(line, Problem):
            yield line
            continue
        found = _LINE.match(line)
        if found is None:
            if line.strip() and (bad := bad + 1) <= _MOST_PROBLEMS:
                yield Problem("not a line of the audit log", Status.UNRECOGNISED, f"line={number}")
            continue
        count += 1
        time = from_unix(int(found[2]) * 1000 + int(found[3]), unit_ns=1_000_000)
        first = time if count == 1 else first
        kind, body, locator = found[1], found[5], f"line={number}"
        account, result = _ACCOUNT.search(body), _RESULT.search(body)
        if kind in _SIGN_INS and account:
            how = f"audit log: {_SIGN_INS[kind]}, {result[1] if result else 'result not recorded'}"
            key: tuple[str, ...] = ("account", account[1], how)
            if key in sums or len(sums) < _MOST:
                use = sums.setdefault(
                    key, AccountUse(service="Linux", account=account[1], time=time, user=account[1], how=how, count=0, locator=locator)
                )
                assert isinstance(use, AccountUse)
                use.last, use.count = time, (use.count or 0) + 1
        elif kind in _FACTS and (facts := facts + 1) <= _MOST:
            yield SystemFact(name="audit log", value=_FACTS[kind] + (f": {account[1]}" if account else ""), time=time, locator=locator)
        elif kind == "SYSCALL" and (program := _EXE.search(body)):
            key = ("run", program[1])
            if key in sums or len(sums) < _MOST:
                run = sums.setdefault(
                    key, ProgramRun(program=program[1].rsplit("/", 1)[-1], path=program[1], count=0, how="audit log", locator=locator)
                )
                assert isinstance(run, ProgramRun)
                run.time, run.count = time, (run.count or 0) + 1
    if bad and not count:
        raise Unrecognised("not an audit log")
    yield from sums.values()
    if len(sums) >= _MOST or facts > _MOST:
        yield Problem(f"more than {_MOST} facts: the rest is not kept")
    if count:
        last = time.isoformat() if isinstance(time, Timestamp) else "not recorded"
        yield SystemFact(name="audit log", value=f"{count} entries, the last {last}", time=first, locator="line=1")


ARTEFACTS = (
    Artefact(
        id="linux.audit_log",
        title="Audit log",
        meaning="Sign-ins, accounts made and removed, and programs that were refused something or watched.",
        paths=("**/var/log/audit/audit.log*",),
        parse=parse,
        references=("https://github.com/linux-audit/audit-documentation",),
        systems=("linux",),
        validation="specimen; generated",
    ),
)
