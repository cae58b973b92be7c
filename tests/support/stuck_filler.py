"""A task in a process of its own that gets stuck while it fills a volume, to be killed."""

import pickle
import sys
import time
from pathlib import Path

from oppflow.runners.docker.runner import DockerRunner

if __name__ == "__main__":
    settings, limits, work = pickle.loads(Path(sys.argv[1]).read_bytes())

    def stuck(digest: str) -> object:
        while True:
            time.sleep(1)

    DockerRunner(settings, stuck, limits).run(work, lambda *_: None)
