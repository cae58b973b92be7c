"""What every results root does, and what one in an object store does with copies."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from oppflow.errors import InfrastructureError, ParameterError, StoreError
from oppflow.results import CampaignResults, ResultsRoot, open_results
from oppflow.results.remote import RemoteRoot
from oppflow.settings import Settings

NAME = "mine"
ODD = os.fsdecode(b"not \xff text.elog")
FILES = {"a-load=0.5,x=$1-#0.sca": b"a", "runs/b/c.vec": b"b" * 100, "manifest.json": b"{}"}

Hosts = Callable[[str], ResultsRoot]


@pytest.fixture(params=["folder", "local", "memory", "s3"])
def hosts(request: pytest.FixtureRequest, tmp_path: Path) -> Hosts:
    """The same results root as several hosts open it, by the hosts' names."""
    kind = request.param
    url = request.getfixturevalue("bucket") if kind == "s3" else f"{kind}://{tmp_path}/results"

    def on_host(name: str) -> ResultsRoot:
        given = str(tmp_path / "results") if kind == "folder" else url
        work = str(tmp_path / f"work {name}")
        return open_results(
            Settings.from_environment({"OPPFLOW_RESULTS": given, "OPPFLOW_WORK": work})
        )

    return on_host


def written(root: ResultsRoot, files: dict[str, bytes] = FILES) -> CampaignResults:
    """A campaign whose files were written here and published."""
    results = root.campaign(NAME)
    results.claim("owner")
    for name, content in files.items():
        path = results.folder.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    results.publish()
    return results


def content(results: CampaignResults, name: str) -> bytes:
    with results.chunks(name) as chunks:
        return b"".join(chunks)


class TestEveryRoot:
    def test_another_host_has_what_was_published(self, hosts: Hosts) -> None:
        written(hosts("one"))
        there = hosts("two").campaign(NAME)
        assert there.is_there()
        assert {file.name: file.size for file in there.files()} == {
            name: len(data) for name, data in FILES.items()
        }
        assert {name: content(there, name) for name in FILES} == FILES
        there.fetch(*FILES)
        assert {name: (there.folder.path / name).read_bytes() for name in FILES} == FILES

    def test_what_is_not_there(self, hosts: Hosts) -> None:
        there = hosts("one").campaign(NAME)
        assert not there.is_there()
        assert not there.has("manifest.json")
        assert there.find("manifest.json") is None
        there.fetch("manifest.json")
        assert not there.folder.manifest.exists()
        there.remove("manifest.json")
        with pytest.raises(FileNotFoundError), there.chunks("manifest.json"):
            pass
        assert list(hosts("one").documents("night.json")) == []

    def test_a_name_is_claimed_once(self, hosts: Hosts) -> None:
        hosts("one").campaign(NAME).claim("first")
        hosts("two").campaign(NAME).claim("first")
        for host in ("one", "two"):
            with pytest.raises(ParameterError, match="'mine' is in use"):
                hosts(host).campaign(NAME).claim("second")
            with pytest.raises(ParameterError, match="in use"):
                hosts(host).campaign(NAME).check_free("second")

    def test_what_others_left_is_in_use(self, hosts: Hosts) -> None:
        results = written(hosts("one"))
        results.remove(".oppflow/owner")
        with pytest.raises(ParameterError, match="in use"):
            hosts("two").campaign(NAME).claim("second")

    def test_a_removed_file_is_gone_everywhere(self, hosts: Hosts) -> None:
        written(hosts("one"))
        there = hosts("two").campaign(NAME)
        there.fetch("manifest.json")
        hosts("one").campaign(NAME).remove("manifest.json")
        assert not there.has("manifest.json")
        there.fetch("manifest.json")
        assert not there.folder.manifest.exists()

    def test_a_replaced_file_is_fetched_anew(self, hosts: Hosts) -> None:
        results = written(hosts("one"))
        there = hosts("two").campaign(NAME)
        there.fetch("manifest.json")
        before = there.stamp("manifest.json")
        time.sleep(0.01)
        results.folder.manifest.write_bytes(b"[]")
        results.publish()
        there.fetch("manifest.json")
        assert there.folder.manifest.read_bytes() == b"[]"
        assert there.stamp("manifest.json") != before

    def test_names_that_are_no_text(self, hosts: Hosts) -> None:
        written(hosts("one"), {**FILES, ODD: b"odd"})
        there = hosts("two").campaign(NAME)
        there.fetch(ODD)
        assert (there.folder.path / ODD).read_bytes() == b"odd"

    @pytest.mark.parametrize(
        "name", ["../mine/manifest.json", "/etc/passwd", ".oppflow/owner", "", ".", "runs", "\0"]
    )
    def test_what_is_no_file_of_the_campaign(self, hosts: Hosts, name: str) -> None:
        found = written(hosts("one")).find(name)
        assert found is None or found.name == "manifest.json"

    def test_documents_of_all_campaigns(self, hosts: Hosts) -> None:
        written(hosts("one"), {"night.json": b"1", "manifest.json": b"{}"})
        other = hosts("one").campaign("other")
        other.claim("somebody")
        assert list(hosts("two").documents("night.json")) == [(NAME, b"1")]


@pytest.fixture
def root(hosts: Hosts) -> RemoteRoot:
    root = hosts("one")
    if not isinstance(root, RemoteRoot):
        pytest.skip("nothing is copied")
    return root


class TestCopies:
    def test_nothing_travels_twice(self, root: RemoteRoot, monkeypatch: pytest.MonkeyPatch) -> None:
        results = written(root)
        monkeypatch.setattr(root.objects, "write", None)
        monkeypatch.setattr(root.objects, "chunks", None)
        results.publish()
        results.fetch(*FILES)
        root.campaign(NAME).publish()

    def test_the_manifest_comes_last(
        self, root: RemoteRoot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[str] = []
        write = root.objects.write
        monkeypatch.setattr(
            root.objects, "write", lambda path, *a, **k: (sent.append(path), write(path, *a, **k))
        )
        written(root)
        assert sent[-1].endswith("/manifest.json")
        assert len(sent) == len(FILES)

    def test_a_failed_upload_ends_before_the_manifest(
        self, root: RemoteRoot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = root.objects.write

        def fail(path: str, *rest: object, **options: object) -> None:
            if path.endswith(".vec"):
                raise StoreError("It broke.")
            write(path, *rest, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(root.objects, "write", fail)
        with pytest.raises(StoreError, match="It broke"):
            written(root)
        assert not root.campaign(NAME).has("manifest.json")
        monkeypatch.setattr(root.objects, "write", write)
        root.campaign(NAME).publish()
        assert root.campaign(NAME).has("manifest.json")

    def test_what_was_removed_there_is_published_again(self, root: RemoteRoot) -> None:
        results = written(root)
        root.objects.remove(root.objects.path(NAME, "runs/b/c.vec"))
        results.publish()
        assert content(results, "runs/b/c.vec") == FILES["runs/b/c.vec"]

    def test_copies_of_a_removed_campaign_are_not_published_as_anothers(
        self, root: RemoteRoot
    ) -> None:
        results = written(root)
        root.objects.fs.rm(root.objects.path(NAME), recursive=True)
        results.claim("second")
        results.publish()
        assert list(results.files()) == []

    def test_readers_are_in_nobodys_way(self, root: RemoteRoot) -> None:
        results = written(root)
        results.folder.manifest.write_bytes(b"not published yet")
        reader = root.for_readers().campaign(NAME)
        reader.fetch("manifest.json")
        assert reader.folder.manifest.read_bytes() == b"{}"
        assert results.folder.manifest.read_bytes() == b"not published yet"

    def test_unused_copies_are_removed(self, root: RemoteRoot) -> None:
        results = written(root)
        long_ago = time.time() - 15 * 86400
        os.utime(results.folder.path / ".oppflow" / "copies.json", (long_ago, long_ago))
        root._pruned = float("-inf")
        there = root.campaign(NAME)
        assert not there.folder.path.exists()
        there.fetch("manifest.json")
        assert there.folder.manifest.read_bytes() == b"{}"

    def test_copies_that_cannot_be_made(self, root: RemoteRoot) -> None:
        folder = root.campaign(NAME).folder.path
        folder.parent.parent.mkdir(parents=True)
        folder.parent.write_bytes(b"no folder")
        with pytest.raises(InfrastructureError, match="cannot be made") as caught:
            root.campaign(NAME).claim("owner")
        assert "OPPFLOW_WORK" in caught.value.hint

    def test_many_files_are_listed_at_once(self, root: RemoteRoot) -> None:
        files = {f"{number}.sca": b"%d" % number for number in range(120)}
        results = written(root, files)
        results.remove("7.sca")
        results.fetch(*files)
        here = {path.name for path in results.folder.path.glob("*.sca")}
        assert here == files.keys() - {"7.sca"}


def settings(url: str, tmp_path: Path) -> Settings:
    given = {"OPPFLOW_RESULTS": url, "OPPFLOW_WORK": str(tmp_path)}
    return Settings.from_environment(given)


@pytest.mark.parametrize("url", ["nothing://x", "s3://key:secret@bucket", "s3://"])
def test_what_is_no_results_root(url: str, tmp_path: Path) -> None:
    """Told with the setting's name, and without the secret."""
    with pytest.raises(ParameterError) as caught:
        open_results(settings(url, tmp_path))
    assert "OPPFLOW_RESULTS" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_missing_bucket_is_told(bucket: str, tmp_path: Path) -> None:
    """Before anything is simulated, as pack_model claims the name."""
    results = open_results(settings("s3://no-such-bucket/x", tmp_path)).campaign(NAME)
    with pytest.raises(StoreError, match="results root s3://no-such-bucket/x") as caught:
        results.claim("owner")
    assert "OPPFLOW_RESULTS" in caught.value.hint


def test_one_of_many_hosts_gets_a_name(bucket: str, tmp_path: Path) -> None:
    """All ask at the same moment."""

    def claim(number: int) -> bool:
        try:
            open_results(settings(bucket, tmp_path / str(number))).campaign(NAME).claim(f"{number}")
        except ParameterError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(claim, range(6))) == 1
