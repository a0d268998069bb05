"""Habits with exceptions: which class is caught, and what is read from it."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import httpx2
from habits import Area, Package, asking
from server import Reply, Stall, json_reply

errors = Area("Errors")


def caught(at: Package, status: int) -> Any:
    try:
        at.create(f"status:{status}")
    except at.module.APIError as error:
        return error
    return None


@errors.same
def classes(at: Package) -> Any:
    """The class of the exception for each status"""
    statuses = (400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529, 418)
    return {status: type(caught(at, status)).__name__ for status in statuses}


@errors.same
def attributes(at: Package) -> Any:
    """`error.status_code`, `error.response`, `error.request_id`, `error.body`, `error.type`"""
    error = caught(at, 429)
    response = error.response
    return (
        [error.status_code, error.request_id, error.body, error.type],
        [response.status_code, response.headers["request-id"], response.json(), error.request.method],
    )


@errors.same
def message(at: Package) -> Any:
    """`str(error)`, `error.message`"""
    error = caught(at, 429)
    assert str(error) == error.message
    return str(error)


@errors.same
def streams(at: Package) -> Any:
    """`except anthropic.RateLimitError` around `stream()`: raised when the `with` block is entered"""
    try:
        with at.stream("status:429") as stream:
            return stream
    except at.module.RateLimitError as error:
        return error.status_code, error.body


@errors.same
async def async_errors(at: Package) -> Any:
    """`except anthropic.APIStatusError` around `await client.messages.create(...)`"""
    try:
        await at.async_client.messages.create(**asking("status:500"))
    except at.module.APIStatusError as error:
        return error.status_code, error.response.status_code
    return None


@errors.same
def hierarchy(at: Package) -> Any:
    """Which exceptions `except APIError`, `APIStatusError`, `APIConnectionError` and `AnthropicError` catch"""
    module = at.module
    names = ["AnthropicError", "APIError", "APIStatusError", "APIConnectionError"]
    raised = ["RateLimitError", "APITimeoutError", "OverloadedError", "BadRequestError", "APIResponseValidationError"]
    return {
        name: [base for base in names if issubclass(getattr(module, name), getattr(module, base))] for name in raised
    }


@errors.same
def refused(at: Package) -> Any:
    """`except anthropic.APIConnectionError`, when nothing listens; `error.request`, `error.__cause__`"""
    with at.new(base_url="http://127.0.0.1:9") as client:
        try:
            client.messages.create(**asking())
        except at.module.APIConnectionError as error:
            return type(error).__name__, error.request.method, error.__cause__ is not None
    return None


@errors.same
def timeouts(at: Package) -> Any:
    """`except anthropic.APITimeoutError`, when no answer comes"""
    at.server.reply(Reply(head=[Stall()]))
    try:
        at.client.with_options(timeout=0.05).messages.create(**asking())
    except at.module.APITimeoutError as error:
        return type(error).__name__, error.request.method
    return None


@errors.same
def html(at: Package) -> Any:
    """An answer of a proxy in HTML: `error.body`, `error.response.text`"""
    at.server.reply(Reply(steps=[b"<html>bad</html>"], status=502, headers={"content-type": "text/html"}))
    try:
        at.create()
    except at.module.InternalServerError as error:
        return error.status_code, error.response.text
    return None


@errors.same
def made_by_tests(at: Package) -> Any:
    """`RateLimitError("slow", response=httpx2.Response(429, request=...), body=None)`, as tests of programs make it"""
    request = httpx2.Request("POST", "http://x/v1/messages")
    response = httpx2.Response(429, request=request, headers={"request-id": "r"})
    error = at.module.RateLimitError("slow", response=response, body={"a": 1})
    return error.status_code, error.request_id, error.body, error.message, str(error), error.response is response


@errors.same
def connection_errors_made_by_tests(at: Package) -> Any:
    """`APIConnectionError(request=...)`, `APITimeoutError(request=...)`"""
    request = httpx2.Request("POST", "http://x/v1/messages")
    module = at.module
    made = [module.APIConnectionError(request=request), module.APIConnectionError(message="gone", request=request)]
    return [error.request is request for error in [*made, module.APITimeoutError(request=request)]], made[1].message


@errors.same
def api_errors_made_by_tests(at: Package) -> Any:
    """`APIError("bad", request, body=None)`"""
    request = httpx2.Request("POST", "http://x/v1/messages")
    error = at.module.APIError("bad", request, body=None)
    return error.message, str(error), error.body, error.request is request


@errors.same
def pickled(at: Package) -> Any:
    """`pickle` of an exception"""
    error = pickle.loads(pickle.dumps(caught(at, 429)))
    return type(error).__name__, error.status_code


@errors.same
def copied(at: Package) -> Any:
    """`copy.copy` of an exception"""
    return type(copy.copy(caught(at, 429))).__name__


@errors.different("an answer that is not a message must not pass for one")
def not_a_message(at: Package) -> Any:
    """200 with JSON that is not a message"""
    at.server.reply(json_reply({"hello": "world"}))
    return type(at.create()).__name__
