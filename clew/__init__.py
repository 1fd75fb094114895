"""The composition root: how the parts become one process, and the command that runs it."""

from importlib.metadata import version

VERSION = version("clew")
