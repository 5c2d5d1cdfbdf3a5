"""A data store on loopback: processes, jobs and results as the Copernicus data stores have them (form of November 2026)."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepcams.fetch.keys import Credentials
from tests.conftest import concentration, new_store
from tests.fetch.server import Reply, Request, Server, json_reply

KEY = "5a0cc6d1-89ab-4def-a123-0123456789ab"
EAC4 = "cams-global-reanalysis-eac4"
FORECAST = "cams-global-atmospheric-composition-forecasts"
PAGE = f"https://ads.atmosphere.copernicus.eu/datasets/{EAC4}?tab=download#manage-licences"


def problem(status: int, title: str, detail: str = "", **more: Any) -> Reply:
    """A refusal in the store's form."""
    told = {"type": title.lower(), "title": title, "status": status, "detail": detail, "trace_id": "0"}
    return json_reply({**told, **more}, status)


@dataclass
class Job:
    """A job of the store.

    Attributes:
        inputs: what was asked for.
        states: those still to come, one for each look; the last one stays.
        body: of the file that it makes.
        reason: why it fails.
    """

    name: str
    dataset: str
    inputs: dict[str, Any]
    states: list[str]
    body: bytes = b""
    reason: str = ""

    def look(self) -> str:
        """Its state; the next look may see another."""
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


class Store:
    """What the server answers as a data store.

    Attributes:
        jobs: all of them, by id.
        states: of the jobs to come.
        next_states: of the very next ones, each once.
        reason: why they fail.
        make: makes the body of a file from what was asked for.
        file_suffix: of the files' addresses.
    """

    def __init__(self, server: Server, make: Callable[[dict[str, Any]], bytes] | None = None) -> None:
        self.server = server
        self.url = f"{server.url}/api"
        self.jobs: dict[str, Job] = {}
        self.states = ["accepted", "running", "successful"]
        self.next_states: list[list[str]] = []
        self.reason = ""
        self.make = make or (lambda inputs: zipped(fields(inputs)))
        self.file_size: int | None = None
        self._numbers = iter(range(1, 1000))
        base = "/api/retrieve/v1"
        server.route("GET", "/api/catalogue/v1/messages", json_reply({"messages": []}))
        server.route("GET", re.compile(r"/api/catalogue/v1/collections/(.+)"), json_reply(_collection()))
        server.route("GET", re.compile(f"{base}/processes/([^/]+)"), self._with_key(self._process))
        server.route("POST", re.compile(f"{base}/processes/([^/]+)/execution"), self._with_key(self._execute))
        server.route("GET", re.compile(f"{base}/jobs/([^/]+)"), self._with_key(self._job))
        server.route("GET", re.compile(f"{base}/jobs/([^/]+)/results"), self._with_key(self._results))

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.url, KEY, "~/.cdsapirc", "~/.cdsapirc")

    @property
    def orders(self) -> list[dict[str, Any]]:
        """What was asked for, in order."""
        return [job.inputs for job in self.jobs.values()]

    def refuse(self, reply: Reply) -> None:
        """Answer every order so."""
        self.server.route("POST", re.compile(r".*/execution"), reply)

    def _with_key(self, answer: Callable[[Request], Reply]) -> Callable[[Request], Reply]:
        def checked(request: Request) -> Reply:
            if request.headers.get("private-token") != KEY:
                return problem(401, "Authentication failed", "operation not allowed")
            return answer(request)

        return checked

    def _process(self, request: Request) -> Reply:
        dataset = str(request.match[1])
        if dataset not in (EAC4, FORECAST):
            return problem(404, "process not found", f"dataset {dataset} not found")
        return json_reply({"id": dataset, "version": "1.0.0", "jobControlOptions": ["async-execute"]})

    def _execute(self, request: Request) -> Reply:
        inputs = request.json()["inputs"]
        states = self.next_states.pop(0) if self.next_states else self.states
        job = Job(f"job-{next(self._numbers)}", str(request.match[1]), inputs, list(states), reason=self.reason)
        self.jobs[job.name] = job
        place = f"{self.url}/retrieve/v1/jobs/{job.name}"
        links = [{"rel": "self", "href": f"{self.url}{request.path}"}, {"rel": "monitor", "href": place}]
        return json_reply({"jobID": job.name, "processID": job.dataset, "status": "accepted", "links": links}, 201)

    def _job(self, request: Request) -> Reply:
        job = self.jobs.get(str(request.match[1]))
        if job is None:
            return problem(404, "job not found", f"job {request.match[1]} not found")
        state = job.look()
        place = f"{self.url}/retrieve/v1/jobs/{job.name}"
        links = [{"rel": "self", "href": place}]
        if state in ("successful", "failed", "rejected"):
            links.append({"rel": "results", "href": f"{place}/results"})
        told = {"jobID": job.name, "processID": job.dataset, "status": state, "links": links}
        return json_reply({**told, "metadata": {"log": [], "request": {"ids": job.inputs}}})

    def _results(self, request: Request) -> Reply:
        job = self.jobs[str(request.match[1])]
        if job.states[-1] in ("failed", "rejected"):
            return problem(400, f"The job has {job.states[-1]}", traceback=job.reason)
        job.body = job.body or self.make(job.inputs)
        href = self.server.serve(f"/cache/{job.name}.zip", job.body)
        size = len(job.body) if self.file_size is None else self.file_size
        value = {"type": "application/zip", "href": href, "file:size": size, "file:checksum": "0123456789abcdef"}
        return json_reply({"asset": {"value": value}})


def _collection() -> dict[str, Any]:
    interval = [["2003-01-01T00:00:00Z", "2024-12-31T00:00:00Z"]]
    return {"id": EAC4, "title": "EAC4", "links": [], "extent": {"temporal": {"interval": interval}}}


def fields(inputs: dict[str, Any], change: Callable[[Any], Any] = lambda field: field) -> bytes:
    """A NetCDF file with what was asked for (of EAC4, in a box)."""
    begin, end = (np.datetime64(day, "ns") for day in inputs["date"][0].split("/"))
    times = np.arange(begin, end + np.timedelta64(1, "D"), np.timedelta64(3, "h"))
    north, west, south, east = inputs["area"]
    latitude = np.arange(north, south - 0.1, -0.75)
    longitude = np.arange(west, east + 0.1, 0.75)
    made = change(concentration(times, latitude, longitude))
    with tempfile.TemporaryDirectory() as folder:
        return new_store(Path(folder) / "data_sfc.nc", made).read_bytes()


def zipped(content: bytes, name: str = "data_sfc.nc") -> bytes:
    """A zip with one file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return target.getvalue()
