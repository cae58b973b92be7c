"""A server that speaks S3, of one's own, for as long as a test needs it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session

from tests.support.ports import free_port

_START_TIMEOUT = 30.0  # seconds


@dataclass
class S3Server:
    """A running server on loopback; it takes any credentials until `enforce`."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What AWS documents for a client of this server."""
        return client_environment(self.url)

    def client(self, service: str) -> Any:
        """A client for what tests do behind the scenes."""
        return botocore.session.get_session().create_client(
            service,
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def make_bucket(self) -> str:
        """The URL of a new bucket."""
        name = f"bucket-{secrets.token_hex(6)}"
        self.client("s3").create_bucket(Bucket=name)
        return f"s3://{name}"

    def make_user(self, *actions: str, policy: Any = None) -> dict[str, str]:
        """The environment of a new user, who may do these actions, or what a policy says."""
        client, name = self.client("iam"), f"user-{secrets.token_hex(6)}"
        client.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = policy or {"Version": "2012-10-17", "Statement": [statement]}
        client.put_user_policy(UserName=name, PolicyName="some", PolicyDocument=json.dumps(policy))
        key = client.create_access_key(UserName=name)["AccessKey"]
        return {
            **self.environment,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    @contextmanager
    def enforcing(self) -> Iterator[None]:
        """From here on, credentials and policies count."""
        self._post("/moto-api/reset-auth", b"0")
        try:
            yield
        finally:
            self._post("/moto-api/reset-auth", b"inf")

    def _post(self, path: str, data: bytes) -> None:
        headers = {"Content-Type": "text/plain"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}{path}", data, headers)):
            pass


def client_environment(url: str) -> dict[str, str]:
    """The variables that AWS documents, for a server at ``url``."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """A server that keeps everything in memory."""
    port = free_port()
    program = "import sys; from moto.server import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", program, "-H", "127.0.0.1", "-p", str(port)]
    with tempfile.TemporaryDirectory(prefix="s3-") as folder:
        log = Path(folder, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            server = S3Server(port, process)
            _wait_for(server, log)
            yield server
        finally:
            process.kill()
            process.wait()


def _wait_for(server: S3Server, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while not _answers(server):
        if server.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"The S3 server did not start:\n{log.read_text()}")
        time.sleep(0.1)


def _answers(server: S3Server) -> bool:
    try:
        with urllib.request.urlopen(f"{server.url}/moto-api/", timeout=5):
            return True
    except OSError:
        return False
