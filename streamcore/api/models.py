"""Facts about single models, for warnings. Source: the documentation of the API, as `anthropic` 2.14 has it.

A test compares the tables with those of that package.
"""

from __future__ import annotations

__all__ = ["DEPRECATED_MODELS", "MODELS_WITHOUT_THINKING_ENABLED"]

DEPRECATED_MODELS = {
    "claude-mythos-preview": "June 30th, 2026",
    "claude-opus-4-5": "January 22nd, 2027",
    "claude-opus-4-5-20251101": "January 22nd, 2027",
    "claude-sonnet-4-5": "November 30th, 2026",
    "claude-sonnet-4-5-20250929": "November 30th, 2026",
}
"""The models that have an end of life, and its date."""

MODELS_WITHOUT_THINKING_ENABLED = frozenset({"claude-mythos-preview", "claude-opus-4-6"})
"""The models for which `thinking={"type": "enabled"}` is deprecated in favour of `"adaptive"`."""
