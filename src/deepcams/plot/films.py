"""Frames written one after the other: GIF by pillow's compression, MP4 through the program ffmpeg.

Source of the GIF format: CompuServe, Graphics Interchange Format, version 89a (1990), https://www.w3.org/Graphics/GIF/;
and Netscape's extension for loops. Pillow itself would keep all frames until the last one.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError, OutputError

Pixels = NDArray[np.uint8]
Write = Callable[[Pixels], None]

_BITS = 8
_COLOURS = 2**_BITS
_FOREVER = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
_MOST_SAID = 300  # characters of what ffmpeg says


@contextmanager
def gif_writer(path: Path, width: int, height: int, rate: float, colours: Pixels) -> Iterator[Write]:
    """Write a GIF that is shown again and again.

    Args:
        path: the file.
        width: of a frame in pixels.
        height: of a frame.
        rate: frames a second; GIF counts hundredths of a second.
        colours: (n, 3) those of all frames, 256 at most; each pixel has the nearest one, so that nothing flickers.

    Yields:
        A function that writes a frame (height, width, 3).
    """
    from PIL import Image

    hundredths, table = max(2, round(100 / rate)), np.repeat(colours[:1], _COLOURS, axis=0)
    table[: len(colours)] = colours
    palette = Image.new("P", (1, 1))
    palette.putpalette(table.tobytes())
    with path.open("wb") as stream:
        _begin(stream, width, height, table)

        def write(pixels: Pixels) -> None:
            picture = Image.fromarray(pixels).quantize(palette=palette, dither=Image.Dither.NONE)
            _add(stream, picture, hundredths)

        yield write
        stream.write(b";")


def _begin(stream: IO[bytes], width: int, height: int, table: Pixels) -> None:
    """The file's head: its size, 256 colours for all frames, and that it is repeated."""
    stream.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0))
    stream.write(table.tobytes() + _FOREVER)


def _add(stream: IO[bytes], picture: Any, hundredths: int) -> None:
    """A frame: how long it is shown, where it is, and its compressed pixels."""
    stream.write(b"!\xf9\x04" + struct.pack("<BHBB", 0, hundredths, 0, 0))
    stream.write(b"," + struct.pack("<HHHHB", 0, 0, *picture.size, 0))
    stream.write(bytes([_BITS]) + picture.tobytes("gif", "P", _BITS, 0) + b"\x00")


def require_ffmpeg() -> str:
    """Where ffmpeg is.

    Raises:
        InputError: if it is not on the machine.
    """
    found = shutil.which("ffmpeg")
    if found is None:
        raise InputError("MP4 is written with the program ffmpeg, which is not on this machine: install it (Debian: apt "
                         "install ffmpeg), or write a .gif")  # fmt: skip
    return found


@contextmanager
def mp4_writer(path: Path, width: int, height: int, rate: float, colours: Pixels) -> Iterator[Write]:
    """Write an MP4 in H.264 that every browser plays.

    Args:
        path: the file.
        width: of a frame in pixels, even.
        height: of a frame, even.
        rate: frames a second.
        colours: not used: video has all of them.

    Yields:
        A function that writes a frame (height, width, 3).

    Raises:
        InputError: if there is no ffmpeg.
        OutputError: if it fails.
    """
    command = [require_ffmpeg(), "-nostdin", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24",
               "-s", f"{width}x{height}", "-r", f"{rate:g}", "-i", "pipe:0", "-an", "-c:v", "libx264", "-crf", "18",
               "-threads", "1", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-map_metadata", "-1",
               "-fflags", "+bitexact", "-flags:v", "+bitexact", "-f", "mp4", f"file:{path.absolute()}"]  # fmt: skip
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said)
        feed: Any = process.stdin

        def write(pixels: Pixels) -> None:
            try:
                feed.write(np.ascontiguousarray(pixels).tobytes())
            except BrokenPipeError:
                raise _failure(process, said, path) from None

        try:
            yield write
            feed.close()
            if process.wait() != 0:
                raise _failure(process, said, path)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _failure(process: subprocess.Popen[bytes], said: IO[bytes], path: Path) -> OutputError:
    """What ffmpeg says of its failure."""
    process.wait()
    said.seek(0)
    words = " ".join(said.read().decode("utf-8", "replace").split())[-_MOST_SAID:]
    return OutputError(f"{path.name}: ffmpeg could not write it ({words or f'exit status {process.returncode}'}); write a "
                       ".gif, or install an ffmpeg with libx264")  # fmt: skip
