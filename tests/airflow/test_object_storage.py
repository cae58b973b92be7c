"""A real Airflow whose store and results are in an object store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from oppflow.settings import PROJECT_ROOT
from tests.support.s3_server import S3Server, running_s3

WORDS = [sys.executable, "-m", "oppflow.local", "demo", "--model", str(PROJECT_ROOT / "models/mm1")]
WORDS += ["--config", "Short", "--runs", "$repetition == 0"]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A deployment of its own, all but its store and results."""
    return {
        **{name: value for name, value in os.environ.items() if "OPPFLOW" not in name},
        "OPPFLOW_RUNNER": "process",
        "OPPFLOW_HOME": str(tmp_path / "airflow"),
        "OPPFLOW_WORK": str(tmp_path / "work"),
        "PYTHONPATH": str(PROJECT_ROOT / "plugins"),
        "COLUMNS": "200",
    }


def keys(server: S3Server, bucket: str) -> set[str]:
    name = bucket.removeprefix("s3://")
    found = server.client("s3").list_objects_v2(Bucket=name, Prefix="results/")
    return {one["Key"].rpartition("/")[2] for one in found.get("Contents", [])}


def test_a_campaign_ends_in_the_bucket(env: dict[str, str], tmp_path: Path) -> None:
    """Its means are shown from there; the second one reuses all of it."""
    with running_s3() as server:
        bucket = server.make_bucket()
        env |= server.environment
        env |= {"OPPFLOW_STORE_URL": f"{bucket}/store", "OPPFLOW_RESULTS": f"{bucket}/results"}
        done = subprocess.run(WORDS, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        for said in ("timeInSystem:mean", "4 runs: 4 done", f"Report:  {bucket}/results/"):
            assert said in done.stdout
        assert {"manifest.json", "report.html", "scalars.parquet"} <= keys(server, bucket)
        again = subprocess.run(WORDS, env=env, capture_output=True, text=True, check=False)
        assert "every run was reused" in again.stdout
    logs = [path.read_text() for path in (tmp_path / "airflow" / "logs").rglob("*.log")]
    assert any(f"Collected into {bucket}/results/" in log for log in logs)
    for noise in ("Unclosed", "Found credentials", "Exception ignored", "not fork-safe"):
        assert not any(noise in log for log in logs), noise
