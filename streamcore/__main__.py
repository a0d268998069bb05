"""`python -m streamcore` is the `streamcore` command."""

from streamcore.cli import main

main()
