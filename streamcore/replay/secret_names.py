"""Which names of headers, parameters and JSON fields tell that a value is secret, and how sure it is no word.

Names are compared by their words in lower case: `x-api-key`, `apiKey` and `API_KEY` are the same.
"""

from __future__ import annotations

import re

__all__ = ["is_credential", "is_secret_field", "is_secret_header", "is_secret_parameter", "normal_name"]

# A header or parameter with one of these words is secret. `tokens` is none of them: limits count them.
_WORD = re.compile(
    r"(?:^|_)(?:\w*(?:api_?key|passw(?:or)?d|authorization|jwt|secrets?|session_?id|cookies?\d?|organi[sz]ation(?:id)?)|"
    r"keys?|auth|(?:access|auth|api|bearer|refresh|id|session)?token|session|passphrase|pwd|sig|signature|credentials?|"
    r"orgs?|orgid|workspace(?:id)?)\d*(?:_|$)"
)
_PARAMETERS = frozenset({"code", "pass"})
# As names of JSON fields fewer are sure: an `organization` or a `key` may be what a conversation is about, and the
# `signature` of a thinking block is part of it.
_FIELD = re.compile(
    r"(?:^|_)(?:(?:api|access|secret|private|subscription|account)_?keys?|authorization|auth|secrets?|passw(?:or)?d|pwd|"
    r"passphrase|credentials?|jwt|(?:access|auth|api|bearer|refresh|id|session)?token|cookies?|session_?id|"
    r"organi[sz]ation_?(?:id|uuid)|org_?(?:id|uuid)|workspace_?(?:id|uuid))$"
)
# What is in such places may be a word as well as a secret.
_NO_CREDENTIAL = re.compile(r"(?:^|_)(?:set_cookie|cookies?|session|org|organi[sz]ation|workspace|code)(?:_|\d|$)")


def normal_name(name: str) -> str:
    """The words of a name in lower case, with underscores between."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip()).lower().replace("-", "_")


def is_secret_header(name: str) -> bool:
    """Whether a header of this normal name is secret."""
    return _WORD.search(name) is not None


def is_secret_parameter(name: str) -> bool:
    """Whether a parameter, of a URL or a form, of this normal name is secret."""
    return name in _PARAMETERS or _WORD.search(name) is not None


def is_secret_field(name: str) -> bool:
    """Whether a JSON field of this normal name is secret."""
    return _FIELD.search(name) is not None


def is_credential(name: str) -> bool:
    """Whether what a secret place of this normal name holds is made to be secret, and not perhaps a word."""
    return _NO_CREDENTIAL.search(name) is None
