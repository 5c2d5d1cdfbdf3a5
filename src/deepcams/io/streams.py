"""Reading remote NetCDF4 files in place: only the bytes that are needed are fetched."""

from __future__ import annotations

import atexit
import io
import threading
import time
from contextlib import suppress
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

from deepcams.io.remote import failures, first_line, remote, size_of
from deepcams.urls import WEB

_BLOCK = 2**20  # bytes fetched together where fewer are wanted
_BLOCKS = 64  # kept, of all files together
_PAUSES = (0.5, 2.0, 5.0)  # seconds before another attempt when a connection drops

_open_files: WeakValueDictionary[int, Any] = WeakValueDictionary()


def open_netcdf(url: str) -> Any:
    """A remote NetCDF4 file, read in place, as what xarray opens.

    Raises:
        OSError: or another one of :func:`failures`, if it cannot be read.
    """
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    file = h5netcdf.File(RemoteFile(url), "r", decode_vlen_strings=True, phony_dims="access")
    _open_files[id(file)] = file
    return H5NetCDFStore(file)


@atexit.register
def _close_files() -> None:
    """Close what is still open. HDF5 itself would do it after the end of Python, and crash on a stream in Python."""
    for file in list(_open_files.values()):
        with suppress(*failures()):
            file.close()


class RemoteFile(io.RawIOBase):
    """A remote file as a seekable stream that fetches what is asked for, for several threads.

    Small pieces are fetched in blocks, of which a fixed number is kept for all files together: years of open files
    take no more memory than one. A dropped connection is tried again.
    """

    def __init__(self, url: str) -> None:
        """Nothing but the size is read yet."""
        super().__init__()
        place = remote(url)
        self._stream = place.filesystem.open(place.path, "rb", cache_type="none")
        size = getattr(self._stream, "size", None)
        self.size = self._stream.seek(0, io.SEEK_END) if size is None else int(size)
        self._position = 0
        self._reading = threading.Lock()

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be read from anywhere."""
        return True

    def tell(self) -> int:
        """The position of the next byte."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as there are bytes."""
        start, stop = self._position, min(self._position + len(buffer), self.size)
        if stop <= start:
            return 0
        buffer[: stop - start] = self.fetch(start, stop) if stop - start >= _BLOCK else self._from_blocks(start, stop)
        self._position = stop
        return stop - start

    def _from_blocks(self, start: int, stop: int) -> bytes:
        numbers = range(start // _BLOCK, (stop - 1) // _BLOCK + 1)
        together = b"".join(_block(self, number) for number in numbers)
        first = numbers[0] * _BLOCK
        return together[start - first : stop - first]

    def fetch(self, start: int, stop: int, pauses: tuple[float, ...] = _PAUSES) -> bytes:
        """The bytes from ``start`` to before ``stop``, with another attempt after each of the pauses (seconds).

        Raises:
            OSError: if they do not come; without secrets.
        """
        try:
            with self._reading:
                self._stream.seek(start)
                found = bytes(self._stream.read(stop - start))
            if len(found) == stop - start:
                return found
            reason: Exception = EOFError(f"{len(found)} bytes came of {stop - start}")
        except failures() as error:
            reason = error
        if not pauses or isinstance(reason, FileNotFoundError | PermissionError):
            raise OSError(first_line(reason)) from reason
        time.sleep(pauses[0])
        return self.fetch(start, stop, pauses[1:])


@lru_cache(maxsize=_BLOCKS)
def _block(file: RemoteFile, number: int) -> bytes:
    """One block of a file, kept for a while."""
    return file.fetch(number * _BLOCK, min((number + 1) * _BLOCK, file.size))


def is_seekable(url: str) -> bool:
    """Whether parts of a file can be read without what comes before them; not every web server gives them.

    Raises:
        InputError: if it cannot be reached.
    """
    if not url.startswith(WEB):
        return True
    size = size_of(url)
    try:
        RemoteFile(url).fetch((size or 0) - 1, size or 0, pauses=())
    except failures():
        return False
    return True
