"""Looks around and tries the doors: one line of ``name=value`` for each."""

import os
import socket
from pathlib import Path

from oppflow.engine.model import Module

# An address that no host has (RFC 5737), and the engine's own on its default network.
NOWHERE = ("192.0.2.1", "172.17.0.1")
PLACES = ("/", "/etc", "/usr", "/opt", "/oppflow/shared", "/oppflow/shared/trees")


class Prisoner(Module):
    def initialize(self) -> None:
        status = Path("/proc/self/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        tell("uid", " ".join(map(str, os.getresuid())))
        tell("capabilities", {fields[f"Cap{kind}"].strip() for kind in ("Prm", "Eff", "Bnd")})
        tell("no_new_privileges", fields["NoNewPrivs"].strip())
        tell("interfaces", sorted(path.name for path in Path("/sys/class/net").iterdir()))
        tell("environment", sorted(os.environ))
        tell("worker_environment", sorted(environment_of(os.getppid())))
        tell("writable", [place for place in PLACES if can_write(place)])
        tell("engine_socket", Path("/var/run/docker.sock").exists())
        tell("connects", [host for host in NOWHERE if can_connect(host)])
        tell("resolves", can_resolve())

    def finish(self) -> None:
        self.scalar("done", 1)


def tell(name: str, value: object) -> None:
    os.write(1, f"{name}={value}\n".encode())


def environment_of(pid: int) -> list[str]:
    entries = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return [entry.partition("=")[0] for entry in entries if entry]


def can_write(folder: str) -> bool:
    try:
        Path(folder, "scratched").write_text("I was here")
    except OSError:
        return False
    return True


def can_connect(host: str) -> bool:
    try:
        socket.create_connection((host, 22), timeout=1).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


def can_resolve() -> bool:
    try:
        socket.getaddrinfo("example.org", 80)
    except OSError:
        return False
    return True
