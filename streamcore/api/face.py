"""The face of a client: its resources and its end. Once for sync and once for async, whichever library sends.

An adapter derives its clients from `SyncClient` or `AsyncClient` and brings what `SyncAttempts` or `AsyncAttempts`
leaves open, `close()` and `is_closed`.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from streamcore.api.attempts import AsyncAttempts, SyncAttempts
from streamcore.api.messages import AsyncBeta, AsyncMessages, Beta, Messages

__all__ = ["AsyncClient", "SyncClient"]


class SyncClient(SyncAttempts):
    """What sync clients have."""

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
            StreamCoreError: That could not be done in good order.
        """
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(AsyncAttempts):
    """What async clients have."""

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
            StreamCoreError: That could not be done in good order.
        """
        raise NotImplementedError

    async def aclose(self) -> None:
        """The same as `close()`.

        Raises:
            StreamCoreError: As `close()`.
        """
        await self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
