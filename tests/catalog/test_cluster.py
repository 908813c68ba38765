"""Pictures decoded on a real Dask cluster, into PostgreSQL and a blob store given by its address."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.cluster import cluster_executor, look_around
from catalog.errors import CatalogError
from catalog.ingest import ingest
from catalog.store import Catalog

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def address(repository: Path) -> Iterator[str]:
    """A scheduler with two workers in processes of their own."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(repository)  # the workers' processes must find this package
    try:
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        ) as cluster:
            yield cluster.scheduler_address
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def test_ingest_on_a_cluster_gives_the_same_rows(
    address: str, postgres_url: str, sample_catalogue: Path, tmp_path: Path, catalogue_state: Callable[[Any], Any]
) -> None:
    blobs = (tmp_path / "shared" / "blobs").as_uri()
    with (
        Catalog.open(tmp_path / "w", url=postgres_url, blobs=blobs) as catalog,
        cluster_executor(address, sample_catalogue, blobs) as executor,
    ):
        assert executor.size == 2
        report = ingest(catalog, sample_catalogue, executor=executor)
        assert (report.products_added, report.quarantined) == (12, 0)
        assert report.images_decoded == report.images_added > 0
        state = catalogue_state(catalog)
        assert {row[0] for row in state["image"]} == catalog.blobs.digests()
        assert ingest(catalog, sample_catalogue, executor=executor).images_decoded == 0
    with Catalog.open(tmp_path / "sqlite") as other:
        ingest(other, sample_catalogue)
        assert catalogue_state(other) == state


def test_a_crash_on_a_cluster_is_that_call_only(address: str, sample_catalogue: Path) -> None:
    from catalog.workers import WorkerDied

    with cluster_executor(address, sample_catalogue, None) as executor:
        calls = [executor.submit(abs, -n) for n in range(4)]
        crash = executor.submit(os.abort)
        calls += [executor.submit(abs, -n) for n in range(4, 8)]
        with pytest.raises(WorkerDied, match="SIGABRT"):
            crash.result()
        assert [call.result() for call in calls] == list(range(8))


def test_the_command_line_decodes_on_a_cluster(
    address: str, postgres_url: str, sample_catalogue: Path, tmp_path: Path, repository: Path
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(repository), "ADAPT_DATABASE_URL": postgres_url}
    command = [sys.executable, "-m", "adapt.cli", "-w", str(tmp_path / "w"), "ingest", str(sample_catalogue)]
    done = subprocess.run(
        [*command, "--cluster", address, "--json"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert '"products_added": 12' in done.stdout
    assert not (tmp_path / "w" / "catalog.db").exists() and (tmp_path / "w" / "blobs").is_dir()


def test_no_scheduler_is_one_line(sample_catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.cluster.CONNECT_S", 0.5)
    with (
        pytest.raises(CatalogError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1 .*--cluster") as caught,
        cluster_executor("tcp://127.0.0.1:1", sample_catalogue, None),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_a_worker_that_cannot_see_the_dump_or_the_store_says_so(tmp_path: Path, picture: Path) -> None:
    size = picture.stat().st_size
    missing = look_around("/dump", str(tmp_path / "other.jpg"), size, None, "m")
    assert "cannot read the dump at /dump" in missing and "file system all workers share" in missing
    assert "sees another file" in look_around("/dump", str(picture), size + 1, None, "m")
    (tmp_path / "blobs").write_text("")
    assert "cannot write to the blob store" in look_around("/dump", str(picture), size, str(tmp_path / "blobs"), "m")
    assert look_around("/dump", str(picture), size, str(tmp_path / "store"), "m") == ""


def test_a_store_that_is_not_shared_is_refused(address: str, sample_catalogue: Path) -> None:
    # A memory file system is one of its own in every process, as a local disk is on every machine.
    with (
        pytest.raises(CatalogError, match="is not to be seen here; name a store all machines share"),
        cluster_executor(address, sample_catalogue, "memory://blobs"),
    ):
        pass
