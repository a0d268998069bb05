"""Content codings are undone as the bytes arrive, however they are cut and in how many parts they were packed."""

from __future__ import annotations

import gzip
import zlib

import pytest
import zstandard

from streamcore.replay.content_coding import ContentDecoder, ContentError, decoded

DATA = b"event: ping\n" * 500


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = {
    "deflate": zlib.compress(DATA),
    "deflate, raw": raw_deflate(DATA),
    "gzip": gzip.compress(DATA),
    "zstd": zstandard.compress(DATA),
}


@pytest.mark.parametrize("coding", PACKED)
@pytest.mark.parametrize("cut", [1, 2, 3])
def test_the_bytes_may_be_cut_anywhere(coding: str, cut: int) -> None:
    packed = PACKED[coding]
    decoder = ContentDecoder(coding.partition(",")[0])
    content = decoder.decode(packed[:cut]) + decoder.decode(packed[cut:])
    assert content == DATA
    decoder.check_complete()


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_content_may_be_packed_in_several_parts(coding: str) -> None:
    packed = PACKED[coding]
    assert decoded(coding, packed * 3) == DATA * 3
    decoder = ContentDecoder(coding)
    assert b"".join(decoder.decode(bytes([byte])) for byte in packed * 3) == DATA * 3
    decoder.check_complete()


def test_the_frames_of_zstd_have_a_limit() -> None:
    frame = zstandard.compress(b"")
    assert decoded("zstd", frame * 1000) == b""
    with pytest.raises(ContentError, match="more than 1000 zstd frames"):
        decoded("zstd", frame * 1001)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_what_comes_before_an_error_in_the_same_bytes_is_not_lost(coding: str) -> None:
    pieces = ContentDecoder(coding).pieces(PACKED[coding] + b"what does not belong there")
    assert next(pieces) == DATA
    with pytest.raises(ContentError):
        next(pieces)
