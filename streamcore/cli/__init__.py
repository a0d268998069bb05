"""The `streamcore` command: recorded or live streams in, output for people or scripts out.

It knows the engine and its types. click and rich are imported in this package only; the extra `cli` installs them and
the libraries that read every capture format.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    try:
        from streamcore.cli.app import cli
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("click", "rich"):
            raise
        sys.exit(
            f"streamcore: {error.name} is not installed, which the command needs:"
            " pip install 'streamcore-messages[cli]'"
        )
    cli(prog_name="streamcore")
