"""Parts of a message in a few words, for people: content blocks that come whole, citations, usage.

Two tables decide: `_BLOCKS` by the type of the block, `_RESULTS` by the type of a tool's result. Other types are shown
as JSON, cut short.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamcore.types import Message, Usage, WireObject

_WIDTH = 100
_MOST_LINES = 8

Lines = list[str]


def cut(text: str) -> str:
    """Return `text` cut to the width of a line."""
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _flat(value: object) -> str:
    """Return a value as text on one line. In an object of an unknown type it may be anything, not only text."""
    return cut(" ".join(str(value).split()))


def json_line(value: WireObject) -> str:
    """Return an object as JSON, cut short."""
    return cut(value.model_dump_json())


def result_lines(block: Any) -> Lines:
    """Return a line for a block that comes whole and, for some blocks, a line for each of its parts."""
    lines = _BLOCKS.get(block.type, _as_json)(block)
    if len(lines) > _MOST_LINES + 1:
        lines = [*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES} more"]
    return [cut(line) for line in lines]


def _as_json(value: Any) -> Lines:
    return [json_line(value)]


def _result(block: Any) -> Lines:
    content = block.content
    if isinstance(content, list):
        return _web_search(content)
    if hasattr(content, "error_code"):
        return _failed(content)
    return _RESULTS.get(content.type, _as_json)(content)


def _failed(content: Any) -> Lines:
    message = getattr(content, "error_message", None)
    return [f"failed: {content.error_code}" + (f", {message}" if message else "")]


def _web_search(pages: list[Any]) -> Lines:
    return [_count(len(pages), "result"), *map(_page, pages)]


def _page(page: Any) -> str:
    known = hasattr(page, "title") and hasattr(page, "url")
    return f"{_flat(page.title)} {page.url}" if known else json_line(page)


def _code(content: Any) -> Lines:
    stdout = getattr(content, "stdout", None)
    printed = ["(output for the model only)"] if stdout is None else stdout.splitlines()
    files = [f"file {item.file_id}" for item in content.content if hasattr(item, "file_id")]
    return [f"exit {content.return_code}", *files, *printed, *content.stderr.splitlines()]


def _edited(content: Any) -> Lines:
    return [f"replaced {_count(content.old_lines or 0, 'line')} by {content.new_lines or 0}"]


def _viewed(content: Any) -> Lines:
    lines = content.content.splitlines()
    return [f"{_count(content.num_lines or len(lines), 'line')} of {content.file_type}", *lines]


def _created(content: Any) -> Lines:
    return ["updated the file" if content.is_file_update else "created the file"]


def _tools_found(content: Any) -> Lines:
    names = [str(getattr(tool, "tool_name", tool.type)) for tool in content.tool_references]
    return [f"{_count(len(names), 'tool')}: {', '.join(names)}"]


def _mcp_result(block: Any) -> Lines:
    content = block.content
    parts = [content] if isinstance(content, str) else [str(getattr(part, "text", part.type)) for part in content]
    return ["failed" if block.is_error else "ok", *(line for part in parts for line in part.splitlines())]


def _mcp_listing(block: Any) -> Lines:
    return [f"{block.mcp_server_name} offers {_count(len(block.tools), 'tool')}", *(tool.name for tool in block.tools)]


def _fallback(block: Any) -> Lines:
    because = f" ({block.trigger.type})" if block.trigger is not None else ""
    return [f"{block.from_.model} → {block.to.model}{because}"]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_BLOCKS: dict[str, Callable[[Any], Lines]] = {
    "redacted_thinking": lambda block: [f"{len(block.data)} characters"],
    "web_search_tool_result": _result,
    "web_fetch_tool_result": _result,
    "code_execution_tool_result": _result,
    "bash_code_execution_tool_result": _result,
    "text_editor_code_execution_tool_result": _result,
    "tool_search_tool_result": _result,
    "advisor_tool_result": _result,
    "mcp_tool_result": _mcp_result,
    "mcp_tool_listing": _mcp_listing,
    "container_upload": lambda block: [f"file {block.file_id}"],
    "fallback": _fallback,
}

_RESULTS: dict[str, Callable[[Any], Lines]] = {
    "web_fetch_result": lambda content: [content.url],
    "code_execution_result": _code,
    "encrypted_code_execution_result": _code,
    "bash_code_execution_result": _code,
    "text_editor_code_execution_view_result": _viewed,
    "text_editor_code_execution_create_result": _created,
    "text_editor_code_execution_str_replace_result": _edited,
    "tool_search_tool_search_result": _tools_found,
    "advisor_result": lambda content: content.text.splitlines() or [""],
    "advisor_redacted_result": lambda content: ["(for the model only)"],
}


def citation_line(citation: Any) -> str:
    """Return where a citation points, and what it cites."""
    quoted = f"“{_flat(citation.cited_text)}”" if getattr(citation, "cited_text", None) else json_line(citation)
    names = ("title", "document_title", "url", "source")
    sources = [value for name in names if (value := getattr(citation, name, None))]
    return " ".join([*map(_flat, sources), quoted])


def usage_line(message: Message) -> str:
    """Return the counts of tokens and of requests by server tools, without optional ones that are zero."""
    usage: Usage = message.usage
    details = usage.output_tokens_details
    line = f"{usage.input_tokens} tokens in"
    if usage.cache_read_input_tokens:
        line += f", {usage.cache_read_input_tokens} read from the cache"
    if usage.cache_creation_input_tokens:
        line += f", {usage.cache_creation_input_tokens} written to the cache"
    line += f", {usage.output_tokens} out"
    if details is not None and details.thinking_tokens:
        line += f" ({details.thinking_tokens} of thinking)"
    requests = usage.server_tool_use
    if requests is not None and requests.web_search_requests:
        line += f", web searches: {requests.web_search_requests}"
    if requests is not None and requests.web_fetch_requests:
        line += f", web fetches: {requests.web_fetch_requests}"
    return line
