"""Acts as a task: runs a job with the process runner. Started by tests, to be killed by them.

Arguments: a file with the pickled (work dir, archives by digest, work). Prints each event.
"""

from __future__ import annotations

import json
import pickle
import signal
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

from oppflow.archive import Limits
from oppflow.errors import OppflowError
from oppflow.runners.process import ProcessRunner


def main() -> int:
    work_dir, archives, work = pickle.loads(Path(sys.argv[1]).read_bytes())

    def open_archive(digest: str) -> AbstractContextManager[BinaryIO]:
        return Path(archives[digest]).open("rb")

    runner = ProcessRunner(work_dir, open_archive, Limits())
    signal.signal(signal.SIGTERM, lambda *_: runner.stop())

    def on_event(event: Any, open_output: Any) -> None:
        if event["event"] == "finished" and event["path"]:
            with open_output(event["path"]) as stream:
                stream.read()
        print(json.dumps(event), flush=True)  # noqa: T201

    try:
        return runner.run(work, on_event)
    except OppflowError as error:
        print(json.dumps({"event": "raised", "message": error.message}), flush=True)  # noqa: T201
        return 99


if __name__ == "__main__":
    sys.exit(main())
