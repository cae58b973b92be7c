"""What Airflow's plugin scan loads: the package beside it is imported by name, not scanned."""

from airflow.plugins_manager import AirflowPlugin


class OppflowPlugin(AirflowPlugin):
    """Registers oppflow with Airflow."""

    name = "oppflow"
