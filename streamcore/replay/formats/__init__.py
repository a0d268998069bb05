"""Read and write files of captures.

| file | idea |
| --- | --- |
| `files.py` | choose the format of a file, and read or write the whole file; a new format has its rows here |
| `timed.py` | `.jsonl`: our own format, with cuts and times |
| `sse.py` | `.sse`: the bytes of event streams and nothing else |
| `har.py`, `json_depth.py` | `.har`: from browsers; a bound on how deep JSON is nested |
| `cassette.py`, `yaml_items.py` | `.yaml`: from vcrpy; YAML within limits |
| `event_splitter.py` | cut the bytes of a stream into events |
| `spool.py` | bytes on disk, in a file without a name |
| `replace_file.py` | replace a file whole or not at all |
| `same_file.py` | notice that a file has changed between two reads of it |
| `file_head.py` | the first line of a file, for error messages |
"""
