"""What a scene is: evidence with a known story, and what a scan must say of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Build = Callable[[Path, random.Random], Path]
"""Makes the evidence in a folder of its own and returns the source to scan: an image, or a folder."""


@dataclass(frozen=True, slots=True)
class Scene:
    """``evasion``: True where something was hidden or cleaned, False for the innocent twin. ``rules``: of an evasion, the finding rules of
    which one at least must speak with severity 3 or more. ``names``: names that the scan must give back. ``volumes``: it needs file
    systems to be mounted; ``tools``: programs that it runs."""

    name: str
    evasion: bool
    build: Build
    rules: tuple[str, ...] = ()
    volumes: bool = False
    tools: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class Book:
    """Every scene, in the order in which they were written down."""

    scenes: list[Scene] = field(default_factory=list)

    def evasion(self, name: str, *rules: str, volumes: bool = False, tools: tuple[str, ...] = ()) -> Callable[[Build], Build]:
        """Register a function as a scene of evasion."""
        return self._add(name, True, rules, volumes, tools)

    def innocent(self, name: str, *, volumes: bool = False, tools: tuple[str, ...] = ()) -> Callable[[Build], Build]:
        """Register a function as a scene in which nothing was hidden."""
        return self._add(name, False, (), volumes, tools)

    def _add(self, name: str, evasion: bool, rules: tuple[str, ...], volumes: bool, tools: tuple[str, ...]) -> Callable[[Build], Build]:
        def register(build: Build) -> Build:
            self.scenes.append(Scene(name, evasion, build, rules, volumes, tools))
            return build

        return register
