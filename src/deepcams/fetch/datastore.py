"""The client of a Copernicus data store: orders, the jobs that they become, and the files that these make.

The protocol (processes, jobs and results of OGC API - Processes) is spoken by ecmwf-datastores-client, which cdsapi stands
on from 0.7.7 on. That client tries again for days and waits without an end, so each of its calls is one try here; how
often, and for how long, is this module's. What a store answers with is known from the source of the service
(github.com/ecmwf-projects/cads-processing-api-service: auth.py, exceptions.py) and from answers that users published.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from deepcams.errors import DeepcamsError, InputError
from deepcams.fetch.connection import detail_of, library
from deepcams.fetch.keys import STORE, Credentials
from deepcams.fetch.late import LateError, within
from deepcams.fetch.patience import AGAIN, Attempts, Patience, retry_after
from deepcams.fetch.refusals import Refusal, refused
from deepcams.urls import label_of, without_secrets

_LOG = logging.getLogger(__name__)
_GONE = (403, 404)  # of a job: there is none, or it is another user's
_CALLS = 3  # requests that one call of the client's makes at most
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Order:
    """What is asked of a store: a dataset, and the choices as its form has them."""

    dataset: str
    inputs: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"dataset": self.dataset, "inputs": dict(self.inputs)}


@dataclass(frozen=True)
class Asset:
    """The file that a job made.

    The store gives a ``file:checksum`` with it, which is one of the file's metadata (fsspec's), not of its bytes.

    Attributes:
        url: where it can be had without a key.
        size: in bytes; None if that is not told.
    """

    url: str
    size: int | None


class DataStore:
    """A data store that is asked; several threads may share one.

    Attributes:
        credentials: its address, and the key.
        messages: warnings that the store gave along with its answers.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
    ) -> None:
        """Connect. A store that is down is noticed with the first order only.

        Raises:
            InputError: if the library for it is not installed.
            FetchError: if it takes too long to answer anything.
        """
        self.credentials = credentials
        self.messages: list[str] = []
        self._patience = patience
        self._wrong = library("requests.exceptions")
        self._link_error = library("ecmwf.datastores.processing").LinkError
        self._remotes: dict[str, Any] = {}
        self._client = self._ask("connecting", self._connected)

    def submit(self, order: Order) -> str | None:
        """Give an order; the job's id, or None if the store takes no more orders for now.

        Raises:
            InputError: if the key, the licence or the order is refused.
            FetchError: if the store does not answer, or takes no order for another reason.
        """
        try:
            remote = self._ask("ordering", lambda: self._client.submit(order.dataset, dict(order.inputs)))
        except self._wrong.HTTPError as error:
            refusal = _refusal(error)
            if refusal.is_full:
                return None
            raise self.error(refusal, order.dataset) from error
        job = str(remote.request_id)
        self._remotes[job] = remote
        return job

    def state(self, job: str) -> str | None:
        """How far a job is: ``accepted``, ``running``, ``successful``, ``failed``, ...; None if there is no such job.

        Raises:
            FetchError: if the store does not answer.
        """
        state = self._of_job(job, "looking at", lambda remote: remote.json["status"])
        return None if state is None else str(state)

    def asset(self, job: str) -> Asset | None:
        """What a successful job made; None if it is not kept any more.

        Raises:
            FetchError: if the store does not answer.
        """
        return self._of_job(job, "asking for what was made by", _asset)

    def reason(self, job: str) -> Refusal:
        """Why a job failed or was rejected, in the store's own words.

        Raises:
            FetchError: if the store does not answer.
        """
        try:
            self._ask(f"asking why it failed: job {job}", lambda: self._remote(job).get_results())
        except self._wrong.HTTPError as error:
            return _refusal(error)
        except RuntimeError as error:  # the client's own, where the store answers with status 200
            return Refusal(0, "", without_secrets(str(error)))
        return Refusal(0, "", "the store does not say why")

    def error(self, refusal: Refusal, dataset: str, *, job: str | None = None) -> DeepcamsError:
        """The error to raise when it refuses an order, or a job failed."""
        last_day = self._last_day(dataset) if refusal.is_about_the_order else None
        return refused(refusal, dataset, self.credentials, last_day, job=job)

    def _last_day(self, dataset: str) -> str | None:
        """The last day that a dataset has, as the catalogue says; None if that cannot be told."""
        with suppress(LateError, _OddError, LookupError, ValueError, AssertionError, self._wrong.RequestException):
            end = within(self._longest, lambda: self._client.get_collection(dataset).end_datetime)
            return end.date().isoformat() if end else None
        return None

    def _connected(self) -> Any:
        session = library("requests").Session()
        session.auth = lambda request: request  # ~/.netrc is none of the places where keys are looked for
        session.hooks["response"].append(_stay)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the store's news cannot be had
            return library("ecmwf.datastores").Client(
                self.credentials.url,
                self.credentials.key,
                timeout=(self._patience.connect, self._patience.read),
                progress=False,
                sleep_max=1,
                retry_after=1,
                maximum_tries=1,
                session=session,
                log_callback=self._heard,
            )

    def _of_job(self, job: str, doing: str, call: Callable[[Any], _Answer]) -> _Answer | None:
        """What the store says of a job; None if it knows no such job of this user's."""
        try:
            return self._ask(f"{doing} job {job}", lambda: call(self._remote(job)))
        except self._wrong.HTTPError as error:
            refusal = _refusal(error)
            if refusal.status in _GONE:
                return None
            raise self.error(refusal, "", job=job) from error

    def _remote(self, job: str) -> Any:
        """The client's object for a job."""
        if job not in self._remotes:
            self._remotes[job] = self._client.get_remote(job)
        return self._remotes[job]

    @property
    def _longest(self) -> float:
        """Seconds that one call of the client's may take."""
        return _CALLS * (self._patience.connect + self._patience.read)

    def _ask(self, what: str, call: Callable[[], _Answer]) -> _Answer:
        """Try a call of the client's, patiently.

        Raises:
            requests.HTTPError: if the store refuses.
            InputError: if its certificate is not trusted.
            FetchError: if it does not answer.
        """
        attempts = Attempts(self._patience, f"{STORE} ({self.credentials.site}), {what}")
        while True:
            asked = None
            try:
                return within(self._longest, call)
            except self._wrong.HTTPError as error:
                refusal = _refusal(error)
                if refusal.status not in AGAIN:
                    raise
                why = f"it answers with status {refusal.status} ({refusal.words[:200]})"
                asked = retry_after(error.response.headers)
            except (self._wrong.RequestException, LateError, _OddError) as error:
                if "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise InputError(_UNTRUSTED.format(self.credentials.site)) from None
                why = _plain(error)
            except (ValueError, LookupError, AssertionError, self._link_error) as error:
                why = _ODD.format(type(error).__name__)
            attempts.again(why, asked=asked)

    def _heard(self, level: int, message: str, *_: Any, **__: Any) -> None:
        """Keep the store's warnings."""
        said = without_secrets(message)
        if level >= logging.WARNING and said not in self.messages:
            self.messages.append(said)
        _LOG.debug("%s", said)


_UNTRUSTED = (
    "{}: its certificate is not trusted here; behind a proxy with one of its own, set REQUESTS_CA_BUNDLE to its file"
)
_ODD = "it answers something else than what is wanted ({})"
_PLAIN = {
    "ConnectTimeout": "no connection in time",
    "ReadTimeout": "no answer in time",
    "ConnectionError": "no connection",
    "ProxyError": "the proxy (HTTPS_PROXY) gives no connection",
    "SSLError": "no secure connection",
}


class _OddError(Exception):
    """The store does what it should not."""


def _asset(remote: Any) -> Asset:
    results = remote.get_results()
    size = results.asset.get("file:size")
    return Asset(str(results.location), int(size) if size is not None else None)


def _refusal(error: Any) -> Refusal:
    """What a store said that refused."""
    return Refusal.of(error.response.status_code, error.response.content)


def _plain(error: Exception) -> str:
    """What went wrong on the way, without the libraries' wrapping, which may hold keys."""
    if isinstance(error, _OddError | LateError):
        return str(error)
    if isinstance(error, ValueError):  # no JSON
        return _ODD.format(type(error).__name__)
    return _PLAIN.get(type(error).__name__, f"no whole answer ({type(error).__name__})") + detail_of(error)


def _stay(response: Any, *_: Any, **__: Any) -> None:
    """Follow no redirect to another place: the key would go there too."""
    there = urlsplit(urljoin(response.url, response.headers.get("location", "")))
    here = urlsplit(response.url)
    if response.is_redirect and (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise _OddError(f"it leads elsewhere ({label_of(there.geturl())}), where the key has no business")
