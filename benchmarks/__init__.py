"""Benchmarks of streamcore beside the official package, other peers and bare JSON decoding, on the same bytes."""
