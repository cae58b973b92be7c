"""A task in a process of its own, to be killed: ``batch_task.py DEPLOYMENT PACKED INDEX``."""

import logging
import pickle
import sys
from pathlib import Path

from oppflow.deployment import Deployment
from oppflow.plan import PackedCampaign
from oppflow.stages.simulate import simulate_batch
from oppflow.store import open_store

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    settings, packed = pickle.loads(Path(sys.argv[1]).read_bytes())
    deployment = Deployment(settings, open_store(settings.store_url))
    simulate_batch(deployment, PackedCampaign.from_json(packed), int(sys.argv[2]), 1)
