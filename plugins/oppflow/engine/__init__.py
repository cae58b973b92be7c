"""The embedded engine: simulates models written in Python on SimPy, in OMNeT++'s words and files.

Model authors start from `oppflow.engine.model`; ``python3 -m oppflow.engine -h`` shows the
command line. The package imports nothing by itself, so that queries stay quick.
"""
