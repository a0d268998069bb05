"""A FastAPI app on either package, with the package's types in its signatures, and a server for apps.

FastAPI evaluates annotations when a function is decorated, so this module does not postpone them.
"""

# mypy: disable-error-code="name-defined"

import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pydantic
import uvicorn
from fastapi import Body, FastAPI
from fastapi.responses import JSONResponse, StreamingResponse

from streamcore.sse import ServerSentEvent, encode


def app_of(module: Any, base_url: str) -> FastAPI:
    """Return an app whose upstream is at this URL."""
    types = module.types
    client = module.AsyncAnthropic(api_key="key", base_url=base_url, max_retries=0)
    app = FastAPI()

    class Saved(pydantic.BaseModel):
        message: types.Message
        tags: list[str] = []

    class Question(pydantic.BaseModel):
        model: str
        messages: list[types.MessageParam]

    @app.post("/message")
    async def message(model: str) -> types.Message:
        return await client.messages.create(model=model, max_tokens=9, messages=[{"role": "user", "content": "Hi"}])

    @app.post("/blocks", response_model=list[types.ContentBlock])
    async def blocks(model: str) -> Any:
        return (await message(model)).content

    @app.post("/roles")
    async def roles(messages: list[types.MessageParam]) -> list[str]:
        return [message["role"] for message in messages]

    @app.post("/ask")
    async def ask(question: Question) -> types.Message:
        return await client.messages.create(model=question.model, max_tokens=9, messages=question.messages)

    # FastAPI knows that dicts, pydantic models and dataclasses are bodies. Of other classes it has to be told.
    @app.post("/usage")
    async def usage(message: Annotated[types.Message, Body()]) -> types.Usage:
        return message.usage

    @app.post("/saved")
    async def saved(saved: Saved) -> Saved:
        return saved

    @app.post("/untyped")
    async def untyped(model: str):  # type: ignore[no-untyped-def]  # noqa: ANN201, RUF100
        return {"answer": await message(model)}

    @app.post("/stream")
    async def stream(question: Question) -> Any:
        try:
            events = await client.messages.create(
                model=question.model, max_tokens=9, messages=question.messages, stream=True
            )
        except module.APIStatusError as error:
            return JSONResponse(error.body, status_code=error.status_code)

        async def body() -> AsyncIterator[bytes]:
            async with events:
                async for event in events:
                    yield encode(ServerSentEvent(event=event.type, data=event.to_json(indent=None)))

        return StreamingResponse(body(), media_type="text/event-stream")

    return app


@contextlib.contextmanager
def serving_app(app: Any) -> Iterator[str]:
    """Serve an ASGI app on loopback while the `with` block is open, and give its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
        assert not thread.is_alive(), "the app did not end"
