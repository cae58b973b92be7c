"""Compression as streams that others pull."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import pytest
import zstandard

from oppflow.archive import compress_stream, decompress_stream
from oppflow.archive.streams import as_stream
from oppflow.errors import ArchiveError

MIB = 2**20


def test_the_source_is_pulled_while_the_result_is_read() -> None:
    pulled = []

    def chunks() -> Iterator[bytes]:
        for number in range(40):
            pulled.append(number)
            yield os.urandom(MIB)

    stream = decompress_stream(compress_stream(as_stream(chunks())))
    stream.read(MIB)
    assert len(pulled) < 40
    assert len(stream.read()) == 39 * MIB


def test_how_the_source_is_cut_does_not_matter() -> None:
    data = bytes(range(256)) * 20_000
    for size in (1000, 70_001, len(data)):
        parts = [data[at : at + size] for at in range(0, len(data), size)]
        assert compress_stream(as_stream(parts)).read() == compress_stream(io.BytesIO(data)).read()


def test_the_standard_tool_could_read_it() -> None:
    frame = compress_stream(io.BytesIO(b"content")).read()
    assert zstandard.ZstdDecompressor().decompressobj().decompress(frame) == b"content"
    assert zstandard.get_frame_parameters(frame).has_checksum


def test_frames_may_follow_one_another() -> None:
    frames = b"".join(compress_stream(io.BytesIO(part)).read() for part in (b"one", b"", b"two"))
    assert decompress_stream(io.BytesIO(frames)).read() == b"onetwo"


def test_nothing_at_all_is_cut_short() -> None:
    with pytest.raises(ArchiveError, match="cut short"):
        decompress_stream(io.BytesIO()).read()


def test_what_the_source_raises_comes_through() -> None:
    def chunks() -> Iterator[bytes]:
        yield compress_stream(io.BytesIO(b"x" * MIB)).read()[:-5]
        raise TimeoutError("too slow")

    with pytest.raises(TimeoutError, match="too slow"):
        decompress_stream(as_stream(chunks())).read()
