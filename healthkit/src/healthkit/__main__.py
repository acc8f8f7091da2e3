"""`python -m healthkit`."""

from healthkit.cli import main

if __name__ == "__main__":
    main(prog_name="healthkit")
