"""Which exception an answer or an error event is, and what the exception knows."""

from __future__ import annotations

import copy
import pickle
from types import SimpleNamespace

import pytest
from guides import PACKAGE

import streamcore.typed
from streamcore import Message, ProtocolError, StreamCoreError, errors
from streamcore.codec import converter, error_event
from streamcore.errors import APIConnectionError, APIError, APIStatusError, APITimeoutError, _statuses
from streamcore.errors._choice import _BY_TYPE, BY_CODE
from streamcore.types import ErrorEvent, ErrorObject

STATUSES = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    402: errors.PaymentRequiredError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    408: errors.RequestTimeoutError,
    409: errors.ConflictError,
    412: errors.PreconditionFailedError,
    413: errors.RequestTooLargeError,
    418: errors.APIStatusError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
    431: errors.RequestHeaderFieldsTooLargeError,
    499: errors.ClientClosedRequestError,
    500: errors.InternalServerError,
    501: errors.HTTPNotImplementedError,
    502: errors.InternalServerError,
    503: errors.ServiceUnavailableError,
    504: errors.GatewayTimeoutError,
    529: errors.OverloadedError,
    599: errors.InternalServerError,
    301: errors.APIStatusError,
}

TYPES = {
    "invalid_request_error": (errors.BadRequestError, 400),
    "authentication_error": (errors.AuthenticationError, 401),
    "billing_error": (errors.PaymentRequiredError, 402),
    "permission_error": (errors.PermissionDeniedError, 403),
    "not_found_error": (errors.NotFoundError, 404),
    "conflict_error": (errors.ConflictError, 409),
    "request_too_large": (errors.RequestTooLargeError, 413),
    "rate_limit_error": (errors.RateLimitError, 429),
    "api_error": (errors.InternalServerError, 500),
    "timeout_error": (errors.GatewayTimeoutError, 504),
    "overloaded_error": (errors.OverloadedError, 529),
    "error_from_tomorrow": (errors.APIStatusError, 200),
}

BODY = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}, "request_id": "req_body"}
RESPONSE = SimpleNamespace(status_code=200, headers={"request-id": "req_head"}, request="the request")


def test_the_tables_above_have_each_status_and_each_type() -> None:
    assert {cls.status_code for cls in vars(_statuses).values() if hasattr(cls, "status_code")} < STATUSES.keys()
    assert _BY_TYPE.keys() < TYPES.keys()


def test_a_status_without_a_type_of_its_own_has_the_type_of_its_kind() -> None:
    assert [errors.error_type_of(status) for status in (405, 502)] == ["invalid_request_error", "api_error"]


@pytest.mark.parametrize(("status", "expected"), STATUSES.items())
def test_the_status_decides_the_class(status: int, expected: type[APIStatusError]) -> None:
    error = errors.error_from_status(status, body=BODY)
    assert type(error) is expected
    assert error.status_code == status


@pytest.mark.parametrize(("kind", "expected"), TYPES.items())
def test_the_type_of_an_error_event_decides_the_class_and_the_status(
    kind: str, expected: tuple[type[APIStatusError], int]
) -> None:
    event = ErrorEvent(error=ErrorObject(type=kind, message="no"))
    error = errors.error_from_event(event, response=RESPONSE, snapshot=None)
    assert (type(error), error.status_code) == expected
    if kind != "error_from_tomorrow":
        assert errors.error_type_of(error.status_code) == kind
    assert error.type == kind
    assert error.message == f"{kind}: no"
    assert error.body == {"type": "error", "error": {"type": kind, "message": "no"}}
    assert error.response is RESPONSE


def test_an_error_event_brings_the_snapshot_along() -> None:
    snapshot = Message(id="msg_1", model="claude-1")
    event = ErrorEvent(error=ErrorObject(type="api_error", message="no"))
    assert errors.error_from_event(event, response=None, snapshot=snapshot).snapshot is snapshot


def test_an_error_without_a_response_still_says_its_request_id() -> None:
    event = ErrorEvent(error=ErrorObject(type="api_error"), request_id="req_event")
    assert errors.error_from_event(event, response=None, snapshot=None).request_id == "req_event"
    assert errors.error_from_event(event, response=RESPONSE, snapshot=None).request_id == "req_head"
    assert errors.error_from_status(429, body=BODY).request_id == "req_body"
    assert errors.error_from_status(429, body=BODY, response=RESPONSE).request_id == "req_head"


LONG = "x" * 10_000_000


@pytest.mark.parametrize(
    "error",
    [
        errors.error_from_event(ErrorEvent(error=ErrorObject(type="a", message=LONG)), response=None, snapshot=None),
        errors.error_from_event(ErrorEvent(error=ErrorObject(type=LONG, message="")), response=None, snapshot=None),
        errors.error_from_status(500, body={"error": {"type": "api_error", "message": LONG}}),
        errors.error_from_status(500, body={"error": {LONG: 1}}),
        errors.error_from_status(500, body=LONG),
        errors.error_from_status(307, body="", message=LONG),
        errors.connection_error(OSError(LONG), timed_out=False, request=None, doing="reading"),
        errors.connection_error(OSError(LONG), timed_out=True, request=None, doing="reading"),
        errors.APIResponseValidationError(LONG, received=LONG),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_text_of_an_error_is_as_long_as_what_a_server_sent(error: APIError) -> None:
    assert 2000 < len(str(error)) < 2400
    assert max(len(error.message), len(repr(error))) < 2400
    assert str(error).startswith(error.message)


def test_an_error_with_a_long_message_keeps_all_of_it() -> None:
    body = {"type": "error", "error": {"type": "api_error", "message": LONG}}
    error = errors.error_from_status(500, body=body)
    assert error.api_message == LONG
    assert error.body is body


def test_the_message_shows_the_body_but_not_all_of_a_long_one() -> None:
    assert errors.error_from_status(429, body=BODY).message == f"Error code: 429 - {BODY}"
    assert errors.error_from_status(502, body="<html>bad gateway").message == "<html>bad gateway"
    assert errors.error_from_status(500, body="").message == "Error code: 500"
    for long in ("x" * 100_000, {"error": {"message": "x" * 100_000}}):
        error = errors.error_from_status(500, body=long)
        assert error.body == long
        assert 2000 < len(error.message) < 2200


@pytest.mark.parametrize(("code", "expected"), BY_CODE.items())
def test_the_code_of_the_cause_decides_the_class(code: str, expected: type[APIStatusError]) -> None:
    status = expected.status_code
    details = {"error_code": code, "more": [1]}
    body = {"type": "error", "error": {"type": "some_error", "message": "no", "details": details}}
    error = errors.error_from_status(status, body=body)
    assert type(error) is expected
    assert (error.status_code, error.error_code, error.details, error.api_message) == (status, code, details, "no")
    # With another status the code is not known, and the status decides.
    assert type(errors.error_from_status(418, body=body)) is APIStatusError
    # In a stream the status is the one that the code has.
    event = converter.structure(body, ErrorEvent)
    error = errors.error_from_event(event, response=RESPONSE, snapshot=None)
    assert (type(error), error.status_code, error.error_code) == (expected, status, code)


def test_a_code_that_is_new_is_kept() -> None:
    body = {"type": "error", "error": {"type": "api_error", "details": {"error_code": "new_code"}}}
    error = errors.error_from_status(500, body=body)
    assert type(error) is errors.InternalServerError
    assert error.error_code == "new_code"
    assert errors.error_from_status(500, body=BODY).error_code is None


def test_the_workspace_is_known_by_the_header() -> None:
    response = SimpleNamespace(status_code=500, headers={"anthropic-workspace-id": "wrkspc_1"})
    assert errors.error_from_status(500, body="", response=response).workspace_id == "wrkspc_1"
    assert errors.error_from_status(500, body="", response=RESPONSE).workspace_id is None


@pytest.mark.parametrize("body", [None, "", "text", [], {}, {"error": "text"}, {"error": {"type": 7, "message": []}}])
def test_any_body_makes_an_exception(body: object) -> None:
    error = errors.error_from_status(500, body=body)
    assert error.body == body
    assert error.type is None


def test_the_family_is_that_of_the_official_package() -> None:
    assert issubclass(APIError, StreamCoreError)
    assert issubclass(APITimeoutError, APIConnectionError)
    assert issubclass(APIConnectionError, APIError)
    assert issubclass(APIStatusError, APIError)
    assert issubclass(errors.OverloadedError, errors.InternalServerError)
    assert not issubclass(APIStatusError, APIConnectionError)


@pytest.mark.parametrize("through", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy])
def test_exceptions_survive_pickling_but_for_the_connection(through: object) -> None:
    error = errors.error_from_status(429, body=BODY, response=RESPONSE)
    error.snapshot = Message(id="msg_1", model="claude-1")
    assert callable(through)
    restored = through(error)
    assert type(restored) is type(error)
    assert str(restored) == str(error)
    assert restored.response is None
    assert {**vars(restored), "response": RESPONSE, "request": "the request"} == vars(error)


def test_exceptions_name_the_module_to_import_them_from() -> None:
    for name in vars(errors)["__all__"]:
        value = getattr(errors, name)
        if isinstance(value, type) and issubclass(value, Exception):
            assert (value.__module__, value.__name__) == ("streamcore.errors", value.__qualname__)
            assert getattr(errors, value.__name__) is value
    assert b"_protocol" not in pickle.dumps(errors.DecodeError("no"))


@pytest.mark.parametrize(
    ("payload", "expected", "status"),
    [
        # The type decides.
        ({"type": "error", "error": {"type": "overloaded_error", "message": "no"}}, errors.OverloadedError, 529),
        ({"type": "rate_limit_error", "message": "no", "code": 500}, errors.RateLimitError, 429),
        ({"error": {"type": "api_error", "message": "no", "code": 429}}, errors.InternalServerError, 500),
        # A type that is new, or none: the HTTP status in the body does.
        ({"code": 500, "message": "no", "type": "server_error"}, errors.InternalServerError, 500),
        ({"error": {"type": "None", "message": "no", "code": "429"}}, errors.RateLimitError, 429),
        ({"error": {"message": "no", "status": 503}}, errors.ServiceUnavailableError, 503),
        ({"type": "error", "error": {"message": "no"}, "status_code": 418}, APIStatusError, 418),
        ({"error": {"message": {"message": "no", "code": 401}, "code": 500}}, errors.AuthenticationError, 401),
        # Other values do not.
        ({"error": {"type": "new", "message": "no", "code": "ECONNRESET"}}, APIStatusError, 200),
        ({"error": {"type": "new", "message": "no", "code": 1001}}, APIStatusError, 200),
        ({"error": {"type": "new", "message": "no", "code": True}}, APIStatusError, 200),
        ({"type": "error", "error": "no"}, errors.InternalServerError, 500),
        ("no", errors.InternalServerError, 500),
    ],
)
def test_an_error_event_of_any_shape_is_an_exception(
    payload: object, expected: type[APIStatusError], status: int
) -> None:
    event, _ = error_event(payload)
    error = errors.error_from_event(event, response=RESPONSE, snapshot=None)
    assert (type(error), error.status_code) == (expected, status)
    assert error.body == payload
    assert error.api_message == "no"
    assert error.type == event.error.type
    assert str(error) == f"{event.error.type}: no"


# The errors of a peer that breaks the protocol, in a call


@pytest.mark.parametrize(("bare", "called"), errors.CALL_ERRORS.items())
def test_an_error_in_a_call_is_an_api_error_and_of_its_own_class(
    bare: type[ProtocolError], called: type[errors.APIProtocolError]
) -> None:
    snapshot = Message(id="msg_1", model="claude-1")
    error = bare("it broke", offset=7, event_number=2, index=1, snapshot=snapshot, received=b"{")
    raised = errors.error_in_call(error, RESPONSE)
    assert not isinstance(error, APIError)
    assert type(raised) is called
    assert isinstance(raised, bare)
    assert isinstance(raised, APIError)
    assert vars(error).items() <= vars(raised).items()
    assert str(raised) == str(error)
    assert (raised.request, raised.response, raised.status_code, raised.body) == ("the request", RESPONSE, 200, None)
    assert called.__name__ == "APIResponseValidationError" or called.__name__ == f"API{bare.__name__}"
    assert errors.error_in_call(raised, None) is raised
    for restored in (pickle.loads(pickle.dumps(raised)), copy.copy(raised)):
        assert type(restored) is called
        assert str(restored) == str(error)
        assert vars(restored) == {**vars(raised), "request": None, "response": None}


def test_an_error_of_an_unknown_class_stays_as_it_is() -> None:
    class OwnError(ProtocolError):
        pass

    error = OwnError("it broke")
    assert errors.error_in_call(error, RESPONSE) is error


def test_each_class_of_protocol_errors_has_one_for_calls() -> None:
    own = {cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, ProtocolError)}
    assert {cls for cls in own if not issubclass(cls, APIError)} <= errors.CALL_ERRORS.keys()
    assert streamcore.typed.InvalidOutputError in errors.CALL_ERRORS


def test_the_text_of_an_error_can_be_printed_whatever_a_server_sent() -> None:
    event = ErrorEvent(error=ErrorObject(type="api_error", message="a\ud83d"))
    error = errors.error_from_event(event, response=None, snapshot=None)
    assert str(error) == "api_error: a\\ud83d"
    assert error.api_message == "a\ud83d"
    assert str(errors.DecodeError("the key \ude00 is wrong")) == "the key \\ude00 is wrong"


@pytest.mark.parametrize(
    ("bare", "called"), [pair for pair in errors.CALL_ERRORS.items() if pair[0] is not ProtocolError]
)
def test_the_guide_says_what_raises_an_error_and_its_class_in_calls(
    bare: type[ProtocolError], called: type[ProtocolError]
) -> None:
    text = (PACKAGE / "errors" / "README.md").read_text(encoding="utf-8")
    raised = text.partition("## What raises")[2].partition("\n## ")[0]
    assert f"`{bare.__name__}`" in raised
    assert f"| `{bare.__name__}` | `{called.__name__}`" in text.partition("## With a response")[2]
