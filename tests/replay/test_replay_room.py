"""What recordings leave on the disk: modes, temporary files, and what happens when they do not fit."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import capture_formats
import pytest
from helpers import HELLO, body

from streamcore.replay import Capture, CaptureError, Chunk, Recorder, Redaction, read_captures, write_captures
from streamcore.replay.formats.replace_file import replacing
from streamcore.replay.formats.spool import Spool

EVENT_STREAM = {"content-type": "text/event-stream"}
HELLO_BYTES = body(*HELLO)
CAPTURE = Capture(headers=EVENT_STREAM, body=(Chunk(0.0, HELLO_BYTES),))


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("suffix", capture_formats.ALL)
def test_a_new_file_is_for_its_owner_only_and_a_file_that_is_replaced_keeps_its_mode(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    write_captures(path, [CAPTURE])
    assert mode_of(path) == 0o600
    for mode in (0o644, 0o664, 0o400):
        path.chmod(mode)
        write_captures(path, [CAPTURE])
        assert mode_of(path) == mode
    with Recorder(path) as recorder:
        record(recorder, HELLO_BYTES)
    assert mode_of(path) == 0o400


def test_a_file_whose_group_cannot_be_kept_is_for_no_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    write_captures(path, [CAPTURE])
    path.chmod(0o664)
    found = path.stat()
    of_another = os.stat_result((*found[:5], found.st_gid + 1, *found[6:]))
    stat_of = Path.stat
    monkeypatch.setattr(Path, "stat", lambda each: of_another if each.name == path.name else stat_of(each))

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    write_captures(path, [CAPTURE])
    monkeypatch.undo()
    assert mode_of(path) == 0o604


def test_a_link_is_written_through_and_a_device_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "file.jsonl")
    write_captures(tmp_path / "link.jsonl", [CAPTURE])
    assert (tmp_path / "link.jsonl").is_symlink()
    assert mode_of(tmp_path / "file.jsonl") == 0o600
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(CaptureError, match=r"pipe\.jsonl: cannot be written: it is not a regular file"):
        write_captures(tmp_path / "pipe.jsonl", [CAPTURE])
    with pytest.raises(CaptureError, match=r"pipe\.jsonl: cannot be written: it is not a regular file"):
        Recorder(tmp_path / "pipe.jsonl")
    assert stat.S_ISFIFO((tmp_path / "pipe.jsonl").stat().st_mode)
    assert len(os.listdir(tmp_path)) == 3


WRITES_AND_WAITS = """
import sys, time
from pathlib import Path
from streamcore.replay import Capture, write_captures

def captures():
    yield Capture(headers={"content-type": "text/event-stream"})
    print("begun", flush=True)
    time.sleep(3600)
    yield

write_captures(sys.argv[1], captures())
"""


def test_the_temporary_file_of_a_killed_process_is_removed_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"

    def start(path: Path) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", WRITES_AND_WAITS, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        return process

    killed, alive, other = start(path), start(path), start(tmp_path / "b.jsonl")
    try:
        killed.kill()
        killed.wait()
        other.kill()
        other.wait()
        (tmp_path / ".a.jsonl.notes.tmp").touch()
        assert len(os.listdir(tmp_path)) == 4
        write_captures(path, [CAPTURE])
        left = sorted(os.listdir(tmp_path))
        assert [re.sub("[0-9a-f]{16}", "*", name) for name in left] == [
            ".a.jsonl.*.tmp",
            ".a.jsonl.notes.tmp",
            ".b.jsonl.*.tmp",
            "a.jsonl",
        ]
    finally:
        for process in (killed, alive, other):
            process.kill()
            process.communicate()
    write_captures(path, [CAPTURE])
    write_captures(tmp_path / "b.jsonl", [CAPTURE])
    assert sorted(os.listdir(tmp_path)) == [".a.jsonl.notes.tmp", "a.jsonl", "b.jsonl"]


def test_a_killed_conversion_leaves_nothing_that_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "streamcore", "convert", "-", "-", "--from", "sse", "--to", "timed"]
    options: Any = {"env": environment, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **options) as process:
        assert process.stdin is not None
        process.stdin.write(HELLO_BYTES * 200)
        process.stdin.flush()
        while not (names := os.listdir(tmp_path)):
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    assert [mode_of(tmp_path / name) for name in names] == [0o600]
    done = subprocess.run(command, env=environment, input=HELLO_BYTES, capture_output=True, check=True)
    assert done.stdout.startswith(b'{"streamcore":"capture"')
    assert os.listdir(tmp_path) == []


def test_what_raises_within_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"before")
    with contextlib.suppress(KeyError), replacing(path) as file:
        file.write(b"half")
        raise KeyError
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["a"]


# No room


def record(recorder: Recorder, *chunks: bytes) -> Any:
    exchange = recorder.begin(Capture(headers=EVENT_STREAM))
    for chunk in chunks:
        exchange.receive(chunk)
    exchange.complete()
    return exchange


def bodies(path: Path) -> list[bytes]:
    return [capture.data for capture in read_captures(path)]


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Gives or takes the room that there is for temporary files. A write fails half way."""
    there = True
    monkeypatch.setattr("streamcore.replay.formats.spool._IN_MEMORY", 0)
    import streamcore.replay.formats.spool as module

    write = module._write

    def limited(file: Any, offset: int, data: bytes) -> None:
        if not there:
            write(file, offset, data[: len(data) // 2])
            raise OSError(28, "No space left on device")
        write(file, offset, data)

    monkeypatch.setattr(module, "_write", limited)

    def give(more: bool) -> None:
        nonlocal there
        there = more

    return give


@pytest.mark.parametrize("suffix", capture_formats.ALL)
def test_without_room_only_what_came_then_is_lost_and_recording_goes_on(
    suffix: str, tmp_path: Path, room: Callable[[bool], None]
) -> None:
    path = tmp_path / f"a{suffix}"
    recorder = Recorder(path)
    first = record(recorder, HELLO_BYTES)
    through = recorder.begin(Capture(headers=EVENT_STREAM))
    room(False)
    lost = record(recorder, b"data: lost\n\n")
    recorder.save()
    room(True)
    assert bodies(path) == [HELLO_BYTES]
    last = record(recorder, HELLO_BYTES)
    through.receive(HELLO_BYTES)
    through.complete()
    recorder.save()
    assert bodies(path) == [HELLO_BYTES] * 3
    assert [each.failure for each in (first, through, last)] == [None] * 3
    assert "does not fit" in str(lost.failure)
    said = "1 of 4 exchanges could not be recorded: the recording does not fit on the disk: .*No space left on device"
    with pytest.raises(CaptureError, match=said):
        recorder.close()
    assert bodies(path) == [HELLO_BYTES] * 3


def test_an_exchange_that_is_finished_without_room_leaves_the_others_whole(
    tmp_path: Path, room: Callable[[bool], None]
) -> None:
    path = tmp_path / "a.jsonl"
    recorder = Recorder(path)
    record(recorder, b"one")
    exchange = recorder.begin(Capture(headers=EVENT_STREAM))
    exchange.receive(b"x" * 100_000)
    room(False)
    exchange.complete()
    room(True)
    record(recorder, b"two")
    with pytest.raises(CaptureError, match="1 of 3 exchanges"):
        recorder.close()
    assert bodies(path) == [b"one", b"two"]


def test_a_capture_that_cannot_be_redacted_costs_itself_alone(tmp_path: Path) -> None:
    def hook(head: Capture) -> Capture:
        if head.status == 500:
            raise KeyError("x-trace")
        return head

    path = tmp_path / "a.jsonl"
    recorder = Recorder(path, redaction=Redaction(hook=hook))
    for status in (200, 500, 200):
        exchange = recorder.begin(Capture(status=status))
        exchange.receive(b"secret" if status == 500 else b"text")
        exchange.complete()
    with pytest.raises(CaptureError, match=r"1 of 3 exchanges .*: the capture could not be redacted: KeyError: 'x-tr"):
        recorder.close()
    assert bodies(path) == [b"text", b"text"]


@pytest.mark.parametrize("size", [10, 3_000_000])
@pytest.mark.parametrize("linked", [True, False])
def test_a_file_that_cannot_be_written_leaves_the_recording_and_says_where(
    size: int, linked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, temporary = tmp_path / "folder", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    if not linked:

        def refused(*args: object, **options: object) -> None:
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(os, "link", refused)
    recorder = Recorder(folder / "a.har")
    record(recorder, HELLO_BYTES)
    record(recorder, b"x" * size)
    folder.rmdir()
    with pytest.raises(CaptureError, match="cannot be written"):
        recorder.save()
    with pytest.raises(CaptureError, match=r"a\.har: cannot be written: .*; the recording is kept in ") as caught:
        recorder.close()
    (kept,) = temporary.iterdir()
    assert str(caught.value).endswith(str(kept))
    assert bodies(kept) == [HELLO_BYTES, b"x" * size]
    assert mode_of(kept) == 0o600


def test_a_recording_is_written_when_its_folder_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with Recorder(folder / "a.jsonl") as recorder:
        record(recorder, b"one")
        folder.rmdir()
        with pytest.raises(CaptureError, match="cannot be written"):
            recorder.save()
        folder.mkdir()
        recorder.save()
        assert bodies(folder / "a.jsonl") == [b"one"]


@pytest.mark.parametrize("before", [True, False])
def test_a_recording_does_not_replace_another_that_was_made_meanwhile(
    before: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, temporary = tmp_path / "a.jsonl", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    if before:
        write_captures(path, [CAPTURE])
    first, second = Recorder(path), Recorder(path)
    record(first, b"one")
    record(second, b"two")
    first.save()
    record(first, b"three")
    with pytest.raises(CaptureError, match=r"a\.jsonl: cannot be written: another recording or program has written it"):
        second.close()
    first.close()
    assert bodies(path) == [b"one", b"three"]
    (kept,) = temporary.iterdir()
    assert bodies(kept) == [b"two"]


def test_a_recording_that_can_be_kept_nowhere_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    recorder = Recorder(folder / "a.jsonl")
    record(recorder, b"one")
    folder.rmdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(CaptureError, match=r"cannot be written: .*; the recording could not be kept in .* either: No "):
        recorder.close()


def test_a_recording_is_lost_without_room_anywhere_and_nothing_is_left(tmp_path: Path) -> None:
    """A process of its own has no room for any file, and has not yet looked for a temporary folder."""
    script = """
import resource, sys
from streamcore.replay import Capture, Recorder

recorder = Recorder(sys.argv[1])
exchange = recorder.begin(Capture())
exchange.receive(b"x" * 100_000)
exchange.complete()
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
recorder.close()
"""
    for room in ("0", "50000"):
        (tmp_path / room).mkdir()
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "a.jsonl"), room],
            env=os.environ | {"TMPDIR": str(tmp_path / room)},
            cwd=tmp_path / room,
            stderr=subprocess.PIPE,
            check=False,
        )
        *_, line = done.stderr.decode().splitlines()
        assert "CaptureError" in line
        assert "cannot be written: File too large; the recording could not be kept in " in line
        assert os.listdir(tmp_path / room) == []
        assert not (tmp_path / "a.jsonl").exists()


@pytest.mark.parametrize("in_memory", [0, 5, 1000])
def test_a_spool_reads_what_was_appended(in_memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamcore.replay.formats.spool._IN_MEMORY", in_memory)
    spool, other = Spool(), Spool()
    for part in (b"abc", b"", b"defg", b"hi"):
        spool.append(part)
    assert spool.read(2, 100) == b"cdefghi"
    assert spool.read(9, 5) == b""
    if in_memory:
        other.extend(spool)
        assert other.open().read() == spool.open().read() == b"abcdefghi"


def test_a_spool_is_as_before_when_its_file_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamcore.replay.formats.spool._IN_MEMORY", 10)
    monkeypatch.setattr("streamcore.replay.formats.spool._BLOCK_SIZE", 4)
    spool, other = Spool(), Spool()
    spool.append(b"abc")
    other.append(b"0123456789")

    def full() -> Any:
        return open("/dev/full", "r+b", buffering=0)  # the spool closes it

    with monkeypatch.context() as patch:
        patch.setattr("streamcore.replay.formats.spool._unnamed_file", full)
        with pytest.raises(OSError, match="No space left"):
            spool.extend(other)
        assert (spool.size, spool.read(0, 100)) == (3, b"abc")
        with pytest.raises(OSError, match="No space left"):
            spool.append(b"0123456789")
        assert (spool.size, spool.read(0, 100)) == (3, b"abc")
    spool.extend(other)
    assert spool.open().read() == b"abc0123456789"


@pytest.mark.parametrize("name", ["a" * 249, "é" * 124 + "a"], ids=["ASCII", "UTF-8"])
def test_the_name_of_a_file_may_be_as_long_as_the_file_system_allows(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.jsonl"
    write_captures(path, [CAPTURE])
    with Recorder(path) as recorder:
        record(recorder, HELLO_BYTES)
    assert os.listdir(tmp_path) == [path.name]
