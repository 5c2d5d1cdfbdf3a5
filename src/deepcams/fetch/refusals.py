"""What a Copernicus data store says when it refuses, and what there is to do about it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from deepcams.errors import DeepcamsError, FetchError, InputError
from deepcams.fetch.keys import PROFILE, STORE, URL, Credentials
from deepcams.urls import without_secrets

_LONGEST = 400  # characters of the store's words in a message
_ADDRESS = re.compile(r"https?://[^\s,;'\"<>)\]]+")
_TAG = re.compile(r"<[^>]*>")
_FULL = ("temporarily limited", "queued requests")
_LARGE = ("cost limit", "too large", "exceeds the limit", "request size")
_LICENCE = ("licence", "license", "site policies", "terms of use")
_NO_DATA = ("no data", "nodata", "not produced any data", "expected", "out of range", "empty")


@dataclass(frozen=True)
class Refusal:
    """An answer that is not what was asked for.

    Attributes:
        status: of HTTP; 0 where there is none.
        title: what it is, in the store's words.
        words: all that it says, in one line.
    """

    status: int
    title: str
    words: str

    @classmethod
    def of(cls, status: int, content: bytes) -> Refusal:
        """From an answer's body: JSON with title, detail and traceback, or anything else."""
        text = content.decode("utf-8", errors="replace")
        try:
            told = json.loads(text)
        except ValueError:
            return cls(status, "", _line(_TAG.sub(" ", text)))
        if not isinstance(told, dict):
            return cls(status, "", _line(text))
        parts = (told.get(name) for name in ("title", "detail", "traceback", "message"))
        return cls(status, _line(str(told.get("title", ""))), _line(". ".join(str(part) for part in parts if part)))

    @property
    def is_full(self) -> bool:
        """Whether it is only that the user has too many orders in the queue."""
        return self._has(_FULL)

    @property
    def is_too_large(self) -> bool:
        """Whether the order is for too much."""
        return self.status == 413 or self._has(_LARGE)

    @property
    def is_licence(self) -> bool:
        """Whether a licence or terms are to be accepted."""
        return self.status in (0, 401, 403) and self._has(_LICENCE)

    @property
    def is_no_data(self) -> bool:
        """Whether there is nothing of what was asked for."""
        return self._has(_NO_DATA)

    @property
    def is_about_the_order(self) -> bool:
        """Whether the key and the terms are right, and it is what is asked for that cannot be had."""
        return self.status in (0, 400, 422) and not self.is_licence and not self.is_full

    @property
    def addresses(self) -> list[str]:
        """The addresses in what it says."""
        return list(dict.fromkeys(found.rstrip(".") for found in _ADDRESS.findall(self.words)))

    def _has(self, marks: tuple[str, ...]) -> bool:
        return any(mark in self.words.lower() for mark in marks)


def refused(
    refusal: Refusal, dataset: str, credentials: Credentials, last_day: str | None = None, *, job: str | None = None
) -> DeepcamsError:
    """The error to raise: an InputError for what the user must mend, else a FetchError.

    Args:
        refusal: what the store says.
        dataset: what was asked for.
        credentials: the key and the address.
        last_day: the last one of the dataset, if it is known.
        job: the job that failed, if the order was taken first.
    """
    said = refusal.words[:_LONGEST] or f"status {refusal.status}"
    page = f"{credentials.site}/datasets/{dataset}"
    until = f"; {dataset} has data until {last_day}" if last_day else ""
    begin = STORE if job is None else f"{STORE}, job {job}"
    if refusal.is_licence:
        where = " and ".join(refusal.addresses) or f"{page}?tab=download#manage-licences"
        return InputError(f"{begin}: a licence or terms are not accepted yet: log in, accept at {where}, then run the same "
                          f"command again (it says: {said})")  # fmt: skip
    if refusal.is_too_large:
        return InputError(f"{begin}: the request is too large for it: ask for fewer days at once with --start and --end, "
                          f"or a --region (it says: {said})")  # fmt: skip
    if refusal.status == 401:
        return InputError(f"{begin}: the key in {credentials.where} is refused: compare it with the one at {PROFILE}, "
                          f"and whether the address {credentials.url} is right (it says: {said})")  # fmt: skip
    if refusal.status == 404:
        return InputError(f"{begin}: nothing like {dataset or 'this'} at {credentials.url}: wanted the address {URL}, in "
                          f"--url or where the key is ({credentials.where}) (it says: {said})")  # fmt: skip
    if refusal.is_no_data and refusal.status in (0, 400):
        return InputError(f"{begin}: there are no such data{until}; EAC4 lies months behind: give an earlier --end "
                          f"(it says: {said})")  # fmt: skip
    if refusal.status in (400, 403, 422) and job is None:
        return InputError(
            f"{begin}: the request is refused{until}; what can be asked: {page}?tab=download (it says: {said})"
        )
    return FetchError(f"{begin}: it failed{until}; the same command asks again; should it fail again, see {page} and "
                      f"https://forum.ecmwf.int (it says: {said})")  # fmt: skip


def _line(text: str) -> str:
    return _bare(" ".join(text.split()))


def _bare(text: str) -> str:
    """The text without what may be secret in its addresses, which keep the tabs and anchors of the store's pages."""
    return _ADDRESS.sub(lambda found: found[0] if re.search(r"\?tab=\w+(#[\w-]+)?\.?$", found[0]) else
                        without_secrets(found[0]), text)  # fmt: skip
