"""The public members of a client, once for sync and once for async, whichever HTTP library sends.

An adapter derives its clients from `SyncClient` or `AsyncClient`. It implements `_send()`, `_sleep()`, `close()` and
`is_closed`.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from streamcore.api.attempts import AsyncAttempts, SyncAttempts
from streamcore.api.messages import AsyncBeta, AsyncMessages, Beta, Messages

__all__ = ["AsyncClient", "SyncClient"]


class SyncClient(SyncAttempts):
    """The base of sync clients."""

    @property
    def messages(self) -> Messages:
        """The Messages API."""
        return Messages(self)

    @property
    def beta(self) -> Beta:
        """The API's beta features."""
        return Beta(self)

    def close(self) -> None:
        """Close the connections.

        Raises:
            StreamCoreError: A connection could not be closed cleanly.
        """
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(AsyncAttempts):
    """The base of async clients."""

    @property
    def messages(self) -> AsyncMessages:
        """The Messages API."""
        return AsyncMessages(self)

    @property
    def beta(self) -> AsyncBeta:
        """The API's beta features."""
        return AsyncBeta(self)

    async def close(self) -> None:
        """Close the connections.

        Raises:
            StreamCoreError: A connection could not be closed cleanly.
        """
        raise NotImplementedError

    async def aclose(self) -> None:
        """Do the same as `close()`.

        Raises:
            StreamCoreError: As for `close()`.
        """
        await self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
