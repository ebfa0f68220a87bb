"""What the bundle's program starts with: it checks its own files and the stick it lies on, then is the command line.

A stick is carried about. A file that was changed, lost or added is told before anything is examined.
"""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path


def main() -> None:
    """Run. Exit code 1 where the bundle is not what was built, or the stick not what its keeper signed."""
    multiprocessing.freeze_support()  # a worker goes its own way here, and its parent has checked already
    from portable import integrity

    folder = Path(sys.executable).resolve().parent
    problems = integrity.quick_check(folder) if (folder / integrity.NAME).is_file() else [f"{integrity.NAME} is missing"]
    if problems:
        print("This copy of the tool is not complete or was changed. Do not use it. Ask the stick's keeper for a new one.", file=sys.stderr)
        for problem in problems[:20]:
            print(f"  {problem}", file=sys.stderr)
        raise SystemExit(1)
    from triage.stick.check import at_start

    problems = at_start(folder)
    if problems:
        print("This stick is not as its keeper left it. Do not use it. Ask the stick's keeper for another one.", file=sys.stderr)
        for problem in problems[:20]:
            print(f"  {problem}", file=sys.stderr)
        raise SystemExit(1)
    from triage.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
