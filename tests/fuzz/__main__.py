"""Coverage-guided fuzzing of the core, by atheris (libFuzzer), from the fixtures.

    pip install -e '.[fuzz]'
    python tests/fuzz engine --seconds 300

What it finds is written to `tests/fuzz/finds/TARGET/`, where `tests/test_fuzz.py` runs it from then on. Further options
of libFuzzer go after `--`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import atheris

HERE = Path(__file__).parent
# Of an input: small ones are run often. The work is quadratic, as the message is looked at after each event.
MAX_SIZE = 3000
FIXTURES = HERE.parents[1] / "fixtures"

with atheris.instrument_imports(include=["streamcore"]):
    sys.path.insert(0, str(HERE))
    from targets import TARGETS

# Words that mean something to a decoder: libFuzzer puts them in as they are.
WORDS = [
    "event: ",
    "data: ",
    "id: ",
    "retry: ",
    "\n\n",
    "\r\n",
    "\r",
    ":",
    "\ufeff",
    "[DONE]",
    "\\u0000",
    "\\ud83d",
    "1e5",
]
WORDS += ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta"]
WORDS += ["message_stop", "ping", "error", "text_delta", "input_json_delta", "partial_json", "thinking_delta"]
WORDS += ["signature_delta", "citations_delta", "compaction_delta", "index", "content_block", "tool_use", "fallback"]
WORDS += ["usage", "output_tokens", "stop_reason", "NaN", "-Infinity", "null", "true"]


def seeds(target: str) -> list[bytes]:
    """The fixtures, small enough to be changed often, each with a few ways to cut it."""
    bodies = [path.read_bytes() for path in sorted(FIXTURES.rglob("*.sse"))]
    if target == "partial_json":
        bodies = [text for body in bodies for text in _inputs(body)]
    return [bytes([size]) + body for body in bodies if len(body) < MAX_SIZE for size in (0, 1, 7)]


def _inputs(body: bytes) -> list[bytes]:
    """The input of each tool, and each payload."""
    payloads = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
    inputs: dict[int, str] = {}
    for payload in payloads:
        try:
            event = json.loads(payload)
        except ValueError:
            continue
        if "partial_json" in event.get("delta", {}):
            inputs[event["index"]] = inputs.get(event["index"], "") + event["delta"]["partial_json"]
    return [*payloads, *(text.encode() for text in inputs.values())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--corpus", type=Path, default=None, help="where inputs that reach new code are kept")
    parser.add_argument("options", nargs="*", help="options of libFuzzer, after --")
    arguments = parser.parse_args()
    corpus = arguments.corpus or Path(tempfile.gettempdir()) / "streamcore-fuzz" / arguments.target
    finds = HERE / "finds" / arguments.target
    for folder in (corpus, finds):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(arguments.target)):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = corpus.parent / f"{arguments.target}.words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS), encoding="utf-8")
    options = [
        f"-max_total_time={arguments.seconds}",
        f"-artifact_prefix={finds}/",
        f"-dict={words}",
        f"-max_len={MAX_SIZE}",
    ]
    options += ["-timeout=20", "-rss_limit_mb=2048", *arguments.options, str(corpus)]
    atheris.Setup([sys.argv[0], *options], TARGETS[arguments.target])
    atheris.Fuzz()


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    main()
