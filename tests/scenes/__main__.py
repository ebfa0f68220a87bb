"""``python -m tests.scenes [SEED] [--only TEXT]``: every scene scanned, and the table of what was said of it."""

from __future__ import annotations

import sys

from tests.scenes.table import main

sys.exit(main(sys.argv[1:]))
