"""`python -m clew` is the command `clew`."""

from clew.command import main

main(prog_name="clew")
