"""Asking services over the web: patiently, with limits to every wait, and never with a secret in a message.

``get`` is for what fits into memory; files are for :mod:`deepcams.fetch.download`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from deepcams.errors import FetchError
from deepcams.fetch.connection import Answer, Broken, ask
from deepcams.fetch.patience import AGAIN, ANY_PACE, DEFAULT, TOO_MANY, Attempts, Pace, Patience, retry_after
from deepcams.urls import label_of

_LARGEST = 200_000_000  # bytes; what is larger is none of the answers that are kept in memory
_GZIP = 32 + zlib.MAX_WBITS  # gzip or zlib, whichever it is


@dataclass(frozen=True)
class Response:
    """What a service answered.

    Attributes:
        status: of HTTP.
        headers: found in capital and small letters.
        content: the body.
        url: without secrets.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            FetchError: if it is none.
        """
        try:
            return json.loads(self.content)
        except ValueError as error:
            raise FetchError(
                f"{self.url}: wanted JSON, the answer begins with {self.content[:60]!r}: try later"
            ) from error


def get(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    patience: Patience = DEFAULT,
    service: str = "the service",
    again: Collection[int] = AGAIN,
    pace: Pace = ANY_PACE,
) -> Response:
    """What a service answers, tried again where it is not there, or too busy, or broken for the moment.

    Other statuses than those are given as they are: the caller knows what they mean.

    Args:
        url: where.
        headers: sent to this host, and to none that it leads to.
        params: for the query.
        patience: how long to wait.
        service: its name, for people.
        again: the statuses after which it is tried again.
        pace: how often the service may be asked.

    Raises:
        FetchError: if it does not answer, however patiently.
        InputError: if the address or a header cannot be right.
    """
    attempts = Attempts(patience, f"{service}: {label_of(url)}")
    while True:
        pace.take()
        try:
            with ask(url, headers or {}, params, attempts) as answer:
                content = None if answer.status in again else _content(answer)
        except Broken as error:
            attempts.again(str(error))
            continue
        refused = answer.status == TOO_MANY
        reset = pace.told(answer.headers, refused=refused)
        if content is not None:
            return Response(answer.status, answer.headers, content, answer.url)
        asked = retry_after(answer.headers)
        asked = reset if asked is None and refused else asked
        attempts.again(f"the service answers {answer.status}", asked=asked)


def _content(answer: Answer) -> bytes:
    """The body, decoded even though no encoding was asked for."""
    encoding = answer.headers.get("Content-Encoding", "identity").lower()
    body = bytearray()
    for piece in answer.pieces():
        body += piece
        _refuse_large(answer, len(body))
    if answer.length is not None and len(body) != answer.length:
        raise Broken(f"{len(body)} bytes came of {answer.length}")
    if encoding in ("identity", ""):
        return bytes(body)
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise FetchError(f"{answer.url}: comes in the encoding {encoding!r}, which was not asked for: try later")
    try:
        content = zlib.decompressobj(_GZIP).decompress(bytes(body), _LARGEST + 1)
    except zlib.error:
        raise Broken("the body is damaged") from None
    _refuse_large(answer, len(content))
    return content


def _refuse_large(answer: Answer, size: int) -> None:
    if size > _LARGEST:
        raise FetchError(f"{answer.url}: more than {_LARGEST / 1e6:.0f} MB came where a short answer was wanted")
