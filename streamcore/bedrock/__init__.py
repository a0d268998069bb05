"""Bedrock's binary event stream: frames of AWS with the events of the Messages API inside (extra `bedrock`).

| file | idea |
| --- | --- |
| `_frames.py` | cut the bytes into frames, and let botocore's parser read each |
| `_events.py` | the content of a frame as a server-sent event |
| `decoder.py` | `BedrockDecoder`: frames in front of an engine or another decoder |
| `chunks.py` | the same for chunks: `MessageStream(event_chunks(response.iter_bytes()))` |

The frames become server-sent events, one for one, so everything behind them is what other streams have too. Nothing
here knows HTTP.
"""

from streamcore._extras import requires_extra

with requires_extra("bedrock"):
    from streamcore.bedrock.chunks import AsyncEventChunks, EventChunks, async_event_chunks, event_chunks
    from streamcore.bedrock.decoder import BedrockDecoder

__all__ = ["AsyncEventChunks", "BedrockDecoder", "EventChunks", "async_event_chunks", "event_chunks"]
