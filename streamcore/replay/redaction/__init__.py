"""Take secrets out of captures before they are written: keys, authorization, cookies, organisation ids.

It goes in two steps. First, every value in a place that is named for secrets is taken out: headers, parameters of URLs
and forms, JSON fields of the request and of headers, the user and password of a URL, and Claude Code's
`metadata.user_id`. Names are compared without regard to case and separators (`secret_names` lists them). Then each
value that was in such a place of the request, or of the head of the response, is masked everywhere else: in the URL, in
all headers and in both bodies, also if it is escaped or split over chunks or deltas. So are texts that look like API
keys (`sk-ant-...`), and the JSON fields of the response that are named for secrets (`access_token`).

A JSON field is named for secrets if its name ends in one of these, whatever comes before, in the singular or the plural
(`my_access_tokens`, `webhookSigningKey`):

- `auth`, `authorization`, `bearer`, `cookie`, `credential`, `device_id`, `jwt`, `otp`, `passphrase`, `passwd`,
  `password`, `pwd`, `secret`, `session_id`, or the id of an organisation or a workspace;
- `token`; in the plural, only after a word that tells it from a count (`access`, `api`, `auth`, `refresh`, ...);
- `key` after a word that tells it from any other (`access`, `api`, `client`, `encryption`, `private`, `signing`, ...);
- `code` after `auth`, `authorization`, `mfa`, `otp`, `pass`, `recovery` or `verification`.

Headers and parameters are secret under these names and under more.

In heads and request bodies a secret becomes `REDACTED`. In the body of the response each of its bytes becomes an `x`,
so that chunks keep their sizes (digits of a number become `1`). A request body is taken out whole if it looks like JSON
but cannot be read as JSON or has more than a million strings, commas and brackets, if it has more than a million URLs,
parameters and parts of a form, if its content coding cannot be undone, or if that makes it larger than a megabyte and a
hundred times as large as it came. The same goes for a header that looks like JSON.

Not promised:

- Short values and ordinary words that were in a secret place are not masked elsewhere: values with less than 8
  characters or with a blank in them, digits without a letter below 16 characters, and words without a digit (but for
  the value of a credential from 12 characters on).
- If the request of a capture is not known, its secrets cannot be found in the answer: a key that is echoed there stays,
  unless it looks like an API key. A file of bare streams has no request, and a response of urllib3 does not know its
  own.
- An upstream may answer before all of a request has come: what the rest holds is not known to the proxy.
- Values that only the body of the response has are masked in the fields that are named for secrets, and not in the text
  that a model writes, in the JSON that tool input deltas add up to, or where they are repeated.
- Secrets in places without a telling name (also `key`, `code`, `pin`, `token_value`) are not known: tell `Redaction`
  about them. The same goes for personal data.
- In an answer, the name of a field is known up to a length of 100 bytes, with at most 16 blanks before its colon.
- A multipart body inside a part of another is not read. Nor are JSON in a parameter or in a text (what a tool
  returned, say), forms in an answer or under another content type, and names that are values themselves:
  `["x-api-key","..."]`, `{"key":"API_KEY","value":"..."}`.
- In a text, a password of a URL is not known if the user before it has a quote, a bracket or a parenthesis.
- If the payload of an event goes over several lines, the value of a field is found on a later `data:` line, but not
  after a comment or another field of the event.
- In a body, a secret is not found elsewhere if its first and last byte are more than 64 KB apart. If blocks are
  interleaved, one that is split over deltas is only found if each event has its index before its text, as the API does.
- Undoing up to two levels of escapes has to lead to the secret. Base64, encryption, compression inside a body, and an
  encoding other than UTF-8 hide it. Parameters of a URL that is itself percent-encoded in a parameter are not known.

The work is linear in the size of a capture. Nothing recurses on what a peer sends, except the reader of a request's
JSON, which has a limit. A capture whose body is still packed, or that has more than a thousand secrets to look for,
cannot be redacted: `RedactionError`. A recorder leaves that capture out and says so.

| file | idea |
| --- | --- |
| `redact.py` | `Redaction`: clean the head of a capture, and collect the secrets for its body |
| `secret_names.py` | which names are secret: the only list of them |
| `secret_places.py`, `request_body.py` | clean headers, URLs, forms and JSON, and remember the values |
| `mask.py` | mask known values in texts, and in bodies that arrive in chunks |
| `escapes.py`, `delta_texts.py`, `json_fields.py` | scan bodies: escapes, texts of deltas, secret fields |
"""

from streamcore.replay.redaction.mask import REDACTED, RedactionError
from streamcore.replay.redaction.redact import DEFAULT_REDACTION, Redaction

__all__ = ["DEFAULT_REDACTION", "REDACTED", "Redaction", "RedactionError"]
