"""`streamcore record`: a recording proxy between a client and an upstream, until it is told to stop.

Its URL goes to standard output, for scripts; what becomes of each request to standard error, for people.
"""

from __future__ import annotations

from streamcore import StreamCoreError
from streamcore.cli.serve import announce, log
from streamcore.cli.source import Failure

__all__ = ["run"]


def run(url: str, output: str, *, host: str, port: int) -> None:
    """Pass requests on to `url` and record them to `output` until SIGINT or SIGTERM.

    Raises:
        Failure: One of the two is none, or it is not possible to listen there or to write.
    """
    from streamcore.replay.listening import until_stopped
    from streamcore.replay.proxy import proxying

    try:
        until_stopped(proxying(url, output, host=host, port=port, log=log), announce)
    except StreamCoreError as error:
        raise Failure(str(error)) from error
