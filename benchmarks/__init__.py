"""How fast streamcore is, beside the official package and beside bare JSON decoding, in one run on the same bytes."""
