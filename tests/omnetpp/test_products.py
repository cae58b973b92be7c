"""What a build made, and what of it is kept."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from oppflow.omnetpp.products import (
    Products,
    find_products,
    library_argument,
    link_name,
    mentions,
    worth_keeping,
)


def test_programs_and_libraries_are_told_apart(tmp_path: Path) -> None:
    """By what is in them, as both may be position independent."""
    (tmp_path / "a.c").write_text("int f(void) { return 0; }\n")
    (tmp_path / "m.c").write_text("int f(void);\nint main(void) { return f(); }\n")
    for command in (
        "gcc -shared -fPIC -o liba.so a.c",
        "gcc -o program m.c -L. -la",
        "gcc -c -o a.o a.c",
        "gcc -shared -fPIC -o plugin.so a.c",
    ):
        subprocess.run(command.split(), cwd=tmp_path, check=True)
    shutil.copy("/bin/sh", tmp_path / "copied")
    (tmp_path / "script").write_text("#!/bin/sh\n")
    (tmp_path / "script").chmod(0o755)
    made = [path.name for path in tmp_path.iterdir()]
    found = find_products(tmp_path, made)
    assert found == Products(("copied", "program"), ("liba.so",))
    assert mentions(tmp_path / "program", "deep/liba.so")
    assert not mentions(tmp_path / "copied", "liba.so")
    found.write(tmp_path)
    assert Products.read(tmp_path) == found
    assert Products.read(tmp_path / "nothing") == Products()


def test_damaged_files_are_nothing(tmp_path: Path) -> None:
    """A build may have died in the middle of one."""
    (tmp_path / "libx.so").write_bytes(b"\x7fELF\x02\x01" + b"\xff" * 70)
    (tmp_path / "liby.so").write_bytes(b"\x7fELF")
    assert find_products(tmp_path, ["libx.so", "liby.so", "gone"]) == Products()


def test_what_is_kept() -> None:
    """What others include or load; neither objects nor what is there twice."""
    made = [
        "out/gcc-release/a.o", "out/gcc-release/a.o.d", "out/gcc-release/model", "model",
        "out/gcc-release/.last-copts", "Job_m.h", "out/gcc-release/other", "Makefile", "x.gch",
    ]  # fmt: skip
    assert worth_keeping(made) == ["Job_m.h", "Makefile", "model", "out/gcc-release/other"]


def test_names_of_libraries() -> None:
    """As opp_run and the linker want them."""
    assert library_argument("../lib/libx.so", "release") == "../lib/x"
    assert library_argument("libx_dbg.so", "debug") == "./x"
    assert library_argument("a/libx_dbg.so", "release") == "a/x_dbg"
    assert link_name("src/libx.so.2") == "x"
