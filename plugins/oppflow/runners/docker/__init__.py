"""The ``docker`` runner: every worker in a container of its own, through the engine's API alone."""
