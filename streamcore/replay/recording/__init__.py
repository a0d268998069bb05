"""Record answers while they are received, for clients of streamcore and for transports.

| file | idea |
| --- | --- |
| `recorder.py` | `Recorder`, `Exchange`: take any number of answers, and write one file of captures |
| `clients.py` | `record()`: a client that is recorded |
| `recorded_answer.py` | an answer whose chunks are copied to an exchange as they are read |
"""
