"""OpenAQ's PM2.5, from its public archive or its API, as one table of plain Parquet for each month.

The archive needs no key, but does not tell which locations lie where: only the API does, with a key. Pieces are kept in
a hidden folder until their month is whole; a month that is whole is never asked for again.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from deepcams.errors import InputError
from deepcams.fetch.index import Index
from deepcams.fetch.openaq_api import SERVICE
from deepcams.fetch.openaq_order import Order as Order
from deepcams.fetch.openaq_order import Span, name_of
from deepcams.fetch.openaq_pieces import FETCH, Pieces, Source
from deepcams.fetch.openaq_places import attributions
from deepcams.fetch.openaq_plan import PATIENCE, Plan
from deepcams.fetch.openaq_plan import make_plan as make_plan
from deepcams.fetch.openaq_table import gather, write_table
from deepcams.fetch.patience import Patience
from deepcams.io.output import make_folder, temporary_name, writing
from deepcams.provenance import sha256_of


@dataclass
class Summary:
    """What came of a plan.

    Attributes:
        written: files written now.
        kept: files that were there already.
        fetched: pieces that came now.
        size: bytes of them.
        lines: observations written.
        empty: months without any observation.
        left_out: lines without a value in ug m-3, by the reason.
        spoilt: the names of files that cannot be read, as the archive itself has them.
        seconds: what it took.
    """

    written: list[str] = field(default_factory=list)
    kept: tuple[str, ...] = ()
    fetched: int = 0
    size: int = 0
    lines: int = 0
    empty: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    spoilt: list[str] = field(default_factory=list)
    seconds: float = 0.0


def fetch_openaq(
    plan: Plan,
    *,
    workers: int = 8,
    keep: bool = False,
    patience: Patience = PATIENCE,
    progress: Callable[[int], None] = lambda locations: None,
) -> Summary:
    """Fetch what is missing, and write a table for each month; one that has no observation gets none.

    Args:
        plan: what is to be done.
        workers: requests in flight.
        keep: whether the pieces stay in their hidden folder.
        patience: how long to wait.
        progress: told how many locations of a month more are done.

    Raises:
        InputError: if the key is refused, or there is no observation at all.
        FetchError: if a service does not answer, or another run fetches into the folder.
        WriteError: if the disk is full.
    """
    began, summary, index = time.monotonic(), Summary(kept=plan.kept), Index(plan.folder)
    source = Source(plan.hidden, plan.order.archive, plan.client, workers, patience)
    with index.alone("openaq"):
        for span in plan.todo:
            pieces = FETCH[plan.order.source](source, span, plan.locations, progress)
            summary.fetched += pieces.fetched
            summary.size += pieces.size
            summary.spoilt += pieces.spoilt
            _write(index, plan, span, pieces, summary)
            if not keep:
                _forget(pieces, span)
        if plan.todo and not keep:
            _tidy(plan)
    summary.seconds = time.monotonic() - began
    if plan.todo and not summary.lines and not plan.kept:
        raise InputError(_nothing(plan, summary))
    return summary


def _write(index: Index, plan: Plan, span: Span, pieces: Pieces, summary: Summary) -> None:
    """A month's table, if there is anything to write."""
    files = sorted(pieces.files)
    path, what = index.folder / name_of(span), plan.order.what(span)
    known = {str(one.number): one for one in plan.locations}
    temporary = temporary_name(path)
    make_folder(index.folder)
    try:
        found = gather(files, pieces.format, span.first, span.last)
        with writing(path):
            digests = [sha256_of(file) for file in files]
            contents = write_table(found, known, temporary, what, digests, attributions(plan.locations))
        summary.left_out.update(contents.left_out)
        if not contents.lines:
            summary.empty.append(span.month)
            return
        index.admit(path.name, temporary, service=SERVICE, what=what, url=plan.order.address)
    finally:
        temporary.unlink(missing_ok=True)
    summary.written.append(path.name)
    summary.lines += contents.lines


def _forget(pieces: Pieces, span: Span) -> None:
    """Remove the pieces of a month that is done, but for the days that the next month needs, too."""
    shared = tuple(f"-{str(day).replace('-', '')}.csv.gz" for day in span.shared)
    for file in pieces.files:
        if not file.name.endswith(shared):
            file.unlink(missing_ok=True)


def _tidy(plan: Plan) -> None:
    """Remove the folder of pieces."""
    shutil.rmtree(plan.hidden, ignore_errors=True)
    with suppress(OSError):  # pieces of another order that did not come to its end may be there
        plan.hidden.parent.rmdir()


def _nothing(plan: Plan, summary: Summary) -> str:
    """The message that there is no observation."""
    order, count = plan.order, len(plan.locations)
    others = ", ".join(f"{lines} lines: {reason}" for reason, lines in summary.left_out.items())
    found = f"no PM2.5 at {count} location{'s' * (count != 1)} of {order.where} from {order.start} to {order.end}"
    found += f" ({others})" if others else ""
    silent = f"; {plan.silent} others have no data then, as it tells" if plan.silent else ""
    lag = "; the archive has a day only some days after it has ended" if order.source == "archive" else ""
    return f"{SERVICE}: {found}{silent}; give another period or other locations{lag}"
