"""`streamcore record`: a recording proxy between a client and an upstream, until it gets a signal.

Its URL goes to standard output, for scripts. A line for each request goes to standard error, for people.
"""

from __future__ import annotations

from collections.abc import Sequence

from streamcore import StreamCoreError
from streamcore.cli.serve import announce, log
from streamcore.cli.source import Failure

__all__ = ["run"]


def run(url: str, output: str, *, host: str, port: int, allowed_hosts: Sequence[str]) -> None:
    """Pass requests on to `url` and record them to `output` until SIGINT or SIGTERM.

    Raises:
        Failure: `url` or `output` is invalid, the proxy cannot listen there, or something could not be written.
    """
    from streamcore.replay.server.listening import until_stopped
    from streamcore.replay.server.proxy import proxying

    try:
        until_stopped(proxying(url, output, host=host, port=port, allowed_hosts=allowed_hosts, log=log), announce)
    except StreamCoreError as error:
        raise Failure(str(error)) from error
