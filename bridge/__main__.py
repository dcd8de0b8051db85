"""`python -m bridge` is the `showbridge` command."""

from bridge.cli import main

main()
