"""The `streamcore` command: recorded or live streams in, something for people or scripts out.

Knows the engine and its types; click and rich are imported in this package only. The extra `cli` brings them, and what
reads every format of captures that a FILE may be in.
"""

from __future__ import annotations

import signal
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command with the arguments of the process, and exit."""
    if hasattr(signal, "SIGPIPE"):
        # As in other filters: when nobody reads any more (`| head -1`) there is nothing left to do or to say.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
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
