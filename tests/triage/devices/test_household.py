"""The scripted household of 40 devices (tests/household.py): every device one line, every line one device, whatever the order of records."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def household() -> Any:
    path = Path(__file__).parents[2] / "household.py"
    spec = importlib.util.spec_from_file_location("household", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["household"] = module  # its data classes look themselves up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", range(5))
def test_precision_and_recall(household: Any, seed: int) -> None:
    result = household.measure(seed)
    assert result.wrong == []
    assert (result.devices, result.lines, result.right, result.verdicts) == (40, 40, 40, 40)
    assert result.precision == result.recall == 1
