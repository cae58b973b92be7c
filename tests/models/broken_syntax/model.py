"""Raises a SyntaxError when it is imported, as a file with a typing error does.

The error is in a string: a file with one could not be checked and formatted like all the others.
"""

compile("class Broken(Module:\n    pass\n", __file__, "exec")
