"""``python3 -m oppflow.engine``."""

import sys

from oppflow.engine.main import main

if __name__ == "__main__":
    sys.exit(main())
