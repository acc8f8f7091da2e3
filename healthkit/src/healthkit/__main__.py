"""`python -m healthkit`: the command without its script."""

from healthkit.cli import main

main(prog_name="healthkit")
