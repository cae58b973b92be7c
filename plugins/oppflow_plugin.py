"""What Airflow's plugin scan loads: the package beside it is imported by name, not scanned."""

from airflow.plugins_manager import AirflowPlugin

from oppflow.web.registration import fastapi_apps, react_apps


class OppflowPlugin(AirflowPlugin):
    """Registers oppflow with Airflow: the campaign page, and its API."""

    name = "oppflow"
    fastapi_apps = fastapi_apps()
    react_apps = react_apps()
