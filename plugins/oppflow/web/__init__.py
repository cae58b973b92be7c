"""The campaign page: a REST API about campaigns, and a page in Airflow's own UI that uses it."""
