"""`python -m posapp`: the command without its script."""

from posapp.cli import main

main(prog_name="posapp")
