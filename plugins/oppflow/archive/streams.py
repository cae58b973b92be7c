"""Compression as streams that others pull, in memory of a few MB whatever their length.

Format: Zstandard frames, RFC 8878, with the content's checksum.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

import zstandard

from oppflow.errors import ArchiveError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 2**20

# Fixed, as the same tree must give the same bytes: sources are sent to every machine.
_LEVEL = 3
QUICK = 1
"""zstd's level for what is written once and read once: results take half the time of level 3."""

_END = b"oppflow: the frames before this one are whole"


class _ChunkStream(io.RawIOBase):
    """Makes a readable stream of an iterator of chunks."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        room = memoryview(buffer).cast("B")
        count = min(len(room), len(self._rest))
        room[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def as_stream(chunks: Iterable[bytes]) -> io.BufferedReader:
    """A readable stream of the chunks, which are made while it is read."""
    return io.BufferedReader(_ChunkStream(iter(chunks)), CHUNK)


def read_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The stream's bytes up to its end, in chunks of at most 1 MiB."""
    return iter(lambda: stream.read(CHUNK), b"")


def compressed(chunks: Iterable[bytes], level: int = _LEVEL) -> Iterator[bytes]:
    """One zstd frame of the chunks: single-threaded, no time in it, the same for the same bytes."""
    frame = zstandard.ZstdCompressor(level=level, write_checksum=True).compressobj()
    for chunk in chunks:
        if output := frame.compress(chunk):
            yield output
    yield frame.flush()


def compress_stream(stream: BinaryIO, level: int = _LEVEL) -> io.BufferedReader:
    """The zstd frame of ``stream``, which is pulled while the result is read."""
    return as_stream(compressed(read_chunks(stream), level))


def decompress_stream(stream: BinaryIO) -> io.BufferedReader:
    """What the zstd frames of ``stream`` hold, pulled to the stream's end.

    Reading raises `ArchiveError` where the frames are damaged or end too early, and whatever
    ``stream`` raises.
    """
    return as_stream(_decompressed(stream))


def _decompressed(stream: BinaryIO) -> Iterator[bytes]:
    # The library takes the end of a cut frame for the end of the data. So a frame of our own
    # follows the stream: it comes out, and last, only if everything before it was whole.
    source = _Followed(stream, zstandard.ZstdCompressor(write_checksum=True).compress(_END))
    reader = zstandard.ZstdDecompressor().stream_reader(
        source,  # type: ignore[arg-type]  # needs nothing but read
        read_across_frames=True,
    )
    held = b""
    read = _refusing_damage(reader.read)
    while chunk := read(CHUNK):
        held += chunk
        if len(held) > len(_END):
            yield held[: -len(_END)]
            held = held[-len(_END) :]
    if held != _END or source.was_empty:
        raise ArchiveError(
            "The archive is cut short: its zstd data ends too early.",
            hint="Make or copy the archive again.",
        )


class _Followed:
    """A readable object with a few bytes after its end."""

    def __init__(self, stream: BinaryIO, last: bytes) -> None:
        self._stream = stream
        self._last = last
        self.was_empty = True

    def read(self, size: int = -1) -> bytes:
        if chunk := self._stream.read(size):
            self.was_empty = False
            return chunk
        last, self._last = self._last, b""
        return last


def _refusing_damage(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    def checked(size: int) -> bytes:
        try:
            return read(size)
        except zstandard.ZstdError as error:
            raise ArchiveError(
                f"The archive is damaged: {error}.", hint="Make or copy the archive again."
            ) from error

    return checked
