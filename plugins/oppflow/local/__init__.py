"""Airflow on one machine, from a checkout: for the demo, for trying, and for a small lab."""
