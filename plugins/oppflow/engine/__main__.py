"""``python3 -m oppflow.engine``."""

import signal
import sys

from oppflow.engine.main import main

if __name__ == "__main__":
    # like any other program: whoever reads the output may stop reading
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
