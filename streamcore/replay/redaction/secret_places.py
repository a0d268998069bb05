"""Clean the places that are named for secrets: headers, parameters of URLs and forms, users and passwords.

`SecretPlaces` also remembers the values, so that they can be masked wherever else they are. Every search is a single
pass over the text.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote, unquote_plus

from streamcore.replay.redaction.mask import REDACTED
from streamcore.replay.redaction.secret_names import (
    is_credential,
    is_secret_field,
    is_secret_header,
    is_secret_parameter,
    normal_name,
)

# Shorter values may be words, above all those without a digit; and those without a letter may be counts or times.
_SHORTEST = 8
_SHORTEST_WITHOUT_DIGIT = 12
_SHORTEST_WITHOUT_LETTER = 16

# A URL in a text, from its `://` on: looking for the scheme before it would not be linear.
_URL = re.compile(r"://[^\s\"<>\\^`]++")
# In a text, these characters may end a URL. They are legal in one, so parameters are looked for after them too.
_AUTHORITY_IN_TEXT = re.compile(r"(?<=://)[^\s\"'<>\\^`{}|()\[\]/?#]++")
_PARAMETER_END_IN_TEXT = re.compile(r"[&#'{}|()\[\]]|\Z")
# The user and password of a URL in a text. A password may have the characters that end a URL above.
_USER_AND_PASSWORD = re.compile(r"(?<=://)[\w.~%!$&*+,;=-]*+:([^/?#@\s\"<>\\]++)(?=@)")
# A URL in a header. It may have the characters that end a URL above: `?token=a'b(c)`.
_RUN = re.compile(r"[^\s\"<>]++")
_AUTHORITY = re.compile(r"(?<=//)(?<![^:]//)[^/?#\s]++")  # also of a reference without a scheme: `//user:password@host`
_PARAMETER = re.compile(r"[?&;#]([^=?&;#]++)=")  # a name may have a `/`: `?user/api_key=a`, `#/access_token=a`
_FIRST_PARAMETER = re.compile(r"\A([^=?&;#]++)=")
_FIRST_IN_RUN = re.compile(r"\A([^=?&;#/]++)=")  # a path is not a name
_PARAMETER_END = re.compile(r"[&#]|\Z")
_BEFORE_NEXT = re.compile(r"[?;]")  # a value may have them, but what follows may also be something else
_ORGANISATION_IN_PATH = re.compile(r"(?<=/)(organi[sz]ations?|orgs?|workspaces?)/([^/?#]++)", re.IGNORECASE)
# Several cookies in one value, as some HTTP libraries and browsers join them. A date has a comma, and no name after it.
_NEXT_COOKIE = re.compile(r"\n|,[ ]*+(?=[^=;,\s]++=)")
_NAMED = re.compile(r"(?<![\w-])([\w-]++)=\"?([^\",\s]++)")
# In a header: `Bearer realm="x", access_token="y"`. A URL ends at a quote.
_QUOTED = re.compile(r"(?<![\w-])([\w-]++)[ \t]*+=[ \t]*+\"((?:[^\"\\]++|\\.)*+)\"")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_BLANK = re.compile(r"\s")

# Each takes microseconds, and up to 100 bytes until the body is put together again.
_MOST_PIECES = 1_000_000


class TooManyPiecesError(ValueError):
    """A body has more URLs, parameters and parts than are looked at."""


class SecretPlaces:
    """Takes secrets out of the places that are named for them.

    Args:
        names: Further normal names of secret places.

    Attributes:
        secrets: The values that were there and that can be recognised elsewhere.
    """

    def __init__(self, names: frozenset[str] = frozenset()) -> None:
        self._names = names
        self.secrets: set[str] = set()
        self._pieces = 0

    def count(self, pieces: int) -> None:
        """Count pieces of a body before it is taken apart.

        Raises:
            TooManyPiecesError: There are too many.
        """
        self._pieces += pieces
        if self._pieces > _MOST_PIECES:
            raise TooManyPiecesError

    def is_field(self, name: str) -> bool:
        """Whether a JSON field of this name holds a secret."""
        normal = normal_name(name)
        return normal in self._names or is_secret_field(normal)

    def is_parameter(self, name: str) -> bool:
        """Whether a parameter of a URL or a form holds a secret."""
        normal = normal_name(name)
        return normal in self._names or is_secret_parameter(normal)

    def is_header(self, name: str) -> bool:
        """Whether a header of this name holds a secret."""
        normal = normal_name(name)
        return normal in self._names or is_secret_header(normal)

    def found(self, name: str, *secrets: str) -> str:
        """Remember secrets that were in a place of this name. Return their replacement."""
        credential = is_credential(normal_name(name))
        # A search undoes percent escapes with others, and then does not find a secret that has them itself.
        ways = {*secrets, *map(unquote, secrets)}
        self.secrets.update(way for way in ways if _is_recognisable(way, credential=credential))
        return REDACTED

    def header(self, name: str, value: str) -> str:
        """Return the value of a header without secrets."""
        if not self.is_header(name):
            value = _QUOTED.sub(self._quoted, value)
            return _RUN.sub(lambda run: self._parameters(self.request_url(run[0]), _FIRST_IN_RUN), value)
        normal = normal_name(name)
        if "cookie" in normal:
            if normal.startswith("set_"):  # the attributes of a cookie are not secret
                pairs = [cookie.partition(";")[0] for cookie in _NEXT_COOKIE.split(value)]
            else:
                pairs = value.split(";")
            return self.found(name, *((pair.partition("=")[2] or pair).strip(' "') for pair in pairs))
        scheme, credential = (*value.split(None, 1), "", "")[:2]
        if not credential:
            return self.found(name, scheme)
        credential = credential.strip()
        if scheme.lower() == "basic":
            self._credentials(_decoded(credential))
        named = (secret for each, secret in _NAMED.findall(credential) if self.is_header(each))
        words = (word.strip(',;"') for word in value.split())  # the first may be a secret too: `x-api-key: a, b`
        return self.found(name, credential, *words, *named)

    def _quoted(self, found: re.Match[str]) -> str:
        return f"{found[1]}={self.found(found[1], found[2])}" if self.is_parameter(found[1]) else found[0]

    def request_url(self, url: str) -> str:
        """Return the URL of a request, or one in a header, without secrets: the organisation in its path is one too."""
        return self.url(_ORGANISATION_IN_PATH.sub(self._organisation, url))

    def url(self, url: str) -> str:
        """Return a URL without its user, password and secret parameters."""
        return self._parameters(_AUTHORITY.sub(self._authority, url), _PARAMETER)

    def form(self, text: str) -> str:
        """Return a form, written as in a URL, without secrets.

        Raises:
            TooManyPiecesError: It has too many parameters.
        """
        self.count(text.count("="))
        return self._parameters(text, _FIRST_PARAMETER)

    def text(self, text: str) -> str:
        """Return any text with the secrets taken out of the URLs in it.

        Raises:
            TooManyPiecesError: It has too many of them, or of what may be parameters.
        """
        if "://" not in text:
            return text
        self.count(text.count("://") + text.count("="))
        text = _USER_AND_PASSWORD.sub(lambda found: self.found("password", found[1], unquote(found[1])), text)
        text = _AUTHORITY_IN_TEXT.sub(self._authority, text)
        return _URL.sub(lambda found: self._parameters(found[0], _PARAMETER, _PARAMETER_END_IN_TEXT), text)

    def _parameters(self, text: str, first: re.Pattern[str], value_end: re.Pattern[str] = _PARAMETER_END) -> str:
        """Return the text without secret parameters. One that is not secret may contain another: `?next=/a?token=b`."""
        pieces: list[str] = []
        end = 0
        found = first.match(text) or _PARAMETER.search(text)
        while found is not None:
            at = found.end()
            name = unquote_plus(found[1])
            if self.is_parameter(name):
                after = value_end.search(text, at)
                stop = after.start() if after else len(text)
                value = unquote_plus(text[at:stop])
                bare = _BEFORE_NEXT.split(value, maxsplit=1)[0].strip("\"'=,)")
                pieces += (text[end:at], self.found(name, text[at:stop], value, bare))
                at = end = stop
            found = _PARAMETER.search(text, at)
        return "".join([*pieces, text[end:]]) if pieces else text

    def _authority(self, found: re.Match[str]) -> str:
        credentials, at, host = found[0].rpartition("@")
        return self._credentials(credentials) + at + host if credentials.strip(":") else found[0]

    def _credentials(self, credentials: str) -> str:
        """Take out a user and a password with a colon between them. The user may be the secret one."""
        user, _, password = credentials.partition(":")
        self.found("user", user)
        return self.found("password", credentials, password or user)

    def _organisation(self, found: re.Match[str]) -> str:
        if not _DIGIT.search(found[2]):
            return found[0]
        return f"{found[1]}/{self.found(found[1], found[2])}"


def _is_recognisable(secret: str, *, credential: bool) -> bool:
    """Whether a secret is unlikely to be an ordinary word."""
    if secret == REDACTED or len(secret) < _SHORTEST or _BLANK.search(secret):
        return False
    if _DIGIT.search(secret):
        return _LETTER.search(secret) is not None or len(secret) >= _SHORTEST_WITHOUT_LETTER
    return credential and len(secret) >= _SHORTEST_WITHOUT_DIGIT


def _decoded(parameter: str) -> str:
    """Return the user and password of basic authorization, or an empty text."""
    try:
        return base64.b64decode(parameter + "=" * (-len(parameter) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
