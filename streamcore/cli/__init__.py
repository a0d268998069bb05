"""The `streamcore` command: recorded or live streams in, output for people or scripts out.

It knows the engine and its types. click and rich are imported in this package only; the extra `cli` installs them and
the libraries that read every capture format.
"""

from __future__ import annotations

import sys

from streamcore._extras import NotInstalledError, requires_extra

__all__ = ["main"]


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    try:
        with requires_extra("cli"):
            from streamcore.cli.app import cli
    except NotInstalledError as error:
        sys.exit(f"streamcore: {error}")
    cli(prog_name="streamcore")
