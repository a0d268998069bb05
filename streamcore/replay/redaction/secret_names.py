"""Tell which names of headers, parameters and JSON fields hold secrets.

This is the only list of names. Names are compared by their words in lower case, and by all their letters run together:
`x-api-key`, `apiKey`, `API_KEY` and `aPi-kEy` are the same. A name is never split at a capital letter. The work is
linear in the length of the name.
"""

from __future__ import annotations

import re

# A header or parameter with one of these words is secret. `tokens` is not one of them: rate limits count tokens.
_WORDS = frozenset(
    {
        "auth",
        "bearer",
        "credential",
        "credentials",
        "jwt",
        "key",
        "keys",
        "org",
        "orgid",
        "orgs",
        "passphrase",
        "pwd",
        "session",
    }
    | {"sig", "signature", "token", "workspace", "workspaceid"}
)
# The same for these parts of a name, when its words are run together; and for the ends below.
_PARTS = (
    *("accountuuid", "apikey", "authorization", "cookie", "deviceid", "organisation", "organization"),
    *("passwd", "password", "secret", "sessionid"),
)
_PARAMETERS = frozenset({"code", "pass"})

# JSON fields need a narrower list: an `organization` or a `key` may be what a conversation is about, and the
# `signature` of a thinking block is part of the conversation. `input_tokens` are a count, and a `public_key` is public.
_KEYS = (
    *("access", "account", "admin", "api", "app", "auth", "client", "consumer", "deploy", "encryption", "hmac"),
    *("license", "master", "private", "secret", "service", "session", "shared", "signing", "ssh", "subscription"),
    "webhook",
)
_TOKENS = ("access", "api", "auth", "bearer", "csrf", "device", "push", "refresh", "xsrf")
_CODES = ("auth", "authorization", "mfa", "otp", "pass", "recovery", "verification")
_OWNERS = ("organisation", "organization", "org", "workspace")
_FIELD_ENDS = (
    *(kind + "key" for kind in _KEYS),
    *(kind + "code" for kind in _CODES),
    *(owner + end for owner in _OWNERS for end in ("id", "uuid")),
    *("accountuuid", "auth", "authorization", "bearer", "cookie", "credential", "deviceid", "jwt", "otp"),
    *("passphrase", "passwd", "password", "pwd", "secret", "sessionid"),
)
_TOKEN_ENDS = ("token", *(kind + "tokens" for kind in _TOKENS))
_FIELDS = frozenset({"idtokens"})  # but not `paid_tokens`
_ENDS = (*_FIELD_ENDS, "key", "session", "signature")

# A message has it so that the next request can send it back: it is part of the conversation.
_NO_SECRETS = frozenset({"fallback_credit_token"})

# A secret place with one of these words may hold an ordinary word.
_MAYBE_WORDS = frozenset(
    {"account", "code", "cookie", "cookies", "device", "org", "organisation", "organization", "session", "user"}
    | {"workspace"}
)

_SEPARATORS = re.compile(r"[\W_]++")
_DIGITS = "0123456789"


def normal_name(name: str) -> str:
    """Return the words of a name in lower case, with underscores between them."""
    return _SEPARATORS.sub("_", name.casefold()).strip("_")


def is_secret_header(name: str) -> bool:
    """Whether a header with this normal name holds a secret."""
    words = [word.rstrip(_DIGITS) for word in name.split("_")]
    joined = _joined(name)
    return not _WORDS.isdisjoint(words) or _is_ended(joined, _ENDS) or any(part in joined for part in _PARTS)


def is_secret_parameter(name: str) -> bool:
    """Whether a parameter of a URL or a form with this normal name holds a secret."""
    return name in _PARAMETERS or is_secret_header(name)


def is_secret_field(name: str) -> bool:
    """Whether a JSON field with this normal name holds a secret."""
    return _is_ended(_joined(name), _FIELD_ENDS) and name not in _NO_SECRETS


def is_credential(name: str) -> bool:
    """Whether a secret place with this normal name holds a credential, so that it cannot be an ordinary word."""
    return _MAYBE_WORDS.isdisjoint(word.rstrip(_DIGITS) for word in name.split("_"))


def _is_ended(joined: str, ends: tuple[str, ...]) -> bool:
    """Whether a name without separators ends in one of these, in its plural, or as a name of tokens does."""
    return joined.removesuffix("s").endswith(ends) or joined.endswith(_TOKEN_ENDS) or joined in _FIELDS


def _joined(name: str) -> str:
    """Return the letters of a name, without separators and without a number or version at the end."""
    joined = name.replace("_", "")
    unnumbered = joined.rstrip(_DIGITS)
    return unnumbered.removesuffix("v") if unnumbered != joined else joined
