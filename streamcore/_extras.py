"""Say which extra is missing: one line with the `pip install` that installs the library that could not be imported."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

__all__ = ["NotInstalledError", "requires_extra"]


class NotInstalledError(ModuleNotFoundError):
    """A library that an extra of this distribution installs is missing. The text is one line with the command."""


@contextlib.contextmanager
def requires_extra(extra: str) -> Iterator[None]:
    """Import libraries that an extra installs.

    Raises:
        NotInstalledError: One of them is missing.
    """
    try:
        yield
    except NotInstalledError:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "streamcore":
            raise
        said = f"{error.name} is not installed, which this needs: pip install 'streamcore-messages[{extra}]'"
        raise NotInstalledError(said, name=error.name) from None
