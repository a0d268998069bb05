"""The exceptions of the API, under the path that clients know. They are defined in `streamcore.errors`."""

from streamcore.errors.exceptions import *  # noqa: F403
