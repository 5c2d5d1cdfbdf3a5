"""The whole of what is served or exported: the page, what it is to show, the stores and the stations, each by its key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from typing import Any

from deepcams import __version__
from deepcams.errors import DeepcamsError
from deepcams.viewer.content import ASK_AGAIN, Content, media_of, of_bytes
from deepcams.viewer.stations import Stations, as_json
from deepcams.viewer.stores import Shown

INDEX = "index.html"
JSON = "application/json"


@dataclass(frozen=True, eq=False)
class Site:
    """What is shown.

    Attributes:
        store: the hourly maps.
        cams: the analyses to compare with, or None.
        stations: the stations to show, or None.
    """

    store: Shown
    cams: Shown | None = None
    stations: Stations | None = None
    page: Mapping[str, bytes] = field(default_factory=lambda: page_files())

    def find(self, key: str) -> Content | None:
        """What is at a key; None if nothing is."""
        name = key or INDEX
        if name in self.page:
            return of_bytes(self.page[name], media_of(name), ASK_AGAIN)
        if name in self._facts:
            return of_bytes(self._facts[name](), media_of(name))
        room, _, rest = key.partition("/")
        within = self._rooms.get(room)
        return within(rest) if within and rest else None

    def description(self, *, store: str = "store/") -> dict[str, Any]:
        """What the page is told.

        Args:
            store: where it finds the store.
        """
        return {
            "version": __version__,
            "label": self.store.label,
            "store": store,
            "variable": self.store.variable,
            "kinds": "kinds.bin",
            "cams": {"store": "cams/", "variable": self.cams.variable, "label": self.cams.label} if self.cams else None,
            "stations": "stations.json" if self.stations else None,
        }

    @cached_property
    def _facts(self) -> Mapping[str, Callable[[], bytes]]:
        """The small files that are made for the page."""
        facts: dict[str, Callable[[], bytes]] = {
            "view.json": lambda: as_json(self.description()),
            "kinds.bin": lambda: self.store.kinds().tobytes(),
        }
        if self.stations is not None:
            told = as_json(self.stations.summary())
            facts["stations.json"] = lambda: told
        return facts

    @cached_property
    def _rooms(self) -> Mapping[str, Callable[[str], Content | None]]:
        """What is below each name."""
        rooms = {"store": self.store.find}
        if self.cams is not None:
            rooms["cams"] = self.cams.find
        if self.stations is not None:
            rooms["stations"] = self._station_day
        return rooms

    def _station_day(self, name: str) -> Content | None:
        day = self.stations.day(name.removesuffix(".json")) if self.stations else None
        return None if day is None else of_bytes(as_json(day), JSON)


def page_files() -> dict[str, bytes]:
    """The files of the page, by name.

    Raises:
        DeepcamsError: if the page was not built.
    """
    folder = files("deepcams.viewer") / "page"
    found = {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()} if folder.is_dir() else {}
    if INDEX not in found:
        raise DeepcamsError("the page of the viewer is not in this installation: run make viewer, or install a release")
    return found
