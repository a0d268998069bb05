"""What the objects of streamcore have in common, below every stage of the pipeline.

- `construct`: frozen objects made and copied at the speed of objects that are not frozen.
- `immutable`: dicts and lists that cannot be changed, for the JSON values that snapshots share.
- `not_copyable`: the base of objects that are in the middle of a stream, and so refuse to be copied or pickled.
"""
