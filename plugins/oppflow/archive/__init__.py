"""Pack trees and results, and unpack them safely."""

from oppflow.archive.entries import Entry, EntryKind, Limits
from oppflow.archive.extracting import extract
from oppflow.archive.forwarding import END_OF_TAR, ForwardedTree
from oppflow.archive.newtree import explained
from oppflow.archive.packing import PackedTree, pack_tree
from oppflow.archive.streams import QUICK, compress_stream, decompress_stream
from oppflow.archive.unpacking import unpack, unpack_tar
from oppflow.archive.uploads import unpack_file

__all__ = [
    "END_OF_TAR",
    "QUICK",
    "Entry",
    "EntryKind",
    "ForwardedTree",
    "Limits",
    "PackedTree",
    "compress_stream",
    "decompress_stream",
    "explained",
    "extract",
    "pack_tree",
    "unpack",
    "unpack_file",
    "unpack_tar",
]
