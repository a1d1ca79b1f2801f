"""The line reader: each line exactly once, in its place, however a file is cut, compressed or spelled."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import traceback
from pathlib import Path

import pytest
import zstandard
from hypothesis import assume, given
from hypothesis import strategies as st

from masking.errors import InputError, UnreadableFile
from masking.sources.content import Content, Form, Unsupported, look
from masking.spark import lines
from masking.spark.lines import Limits, Reader
from masking.spark.splits import Block

WIDE = Limits(batch_rows=1000, batch_bytes=1 << 20, line_bytes=1 << 20)


def zstd(raw: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(raw)


COMPRESS = {"": lambda raw: raw, "gzip": gzip.compress, "bz2": bz2.compress, "zstd": zstd}

texts = st.lists(st.binary(max_size=12).map(lambda raw: raw.replace(b"\n", b"")), max_size=12).flatmap(
    lambda rows: st.sampled_from([b"\n".join(rows), b"\n".join(rows) + b"\n", b"\r\n".join(rows)])
)


def is_lines(raw: bytes) -> bool:
    """Whether a file of these bytes is taken for one of lines, as its name says: a drawn text may begin as an archive does."""
    try:
        return look(io.BytesIO(raw), Content(Form.LINES, "")) == (Form.LINES, "")
    except Unsupported:
        return False


def expected(raw: bytes) -> dict[int, bytes]:
    """Line number to document, by the plainest means."""
    found = raw.split(b"\n")
    if found[-1] == b"":
        found.pop()
    found = [line.removesuffix(b"\r") for line in found]
    if found:
        found[0] = found[0].removeprefix(b"\xef\xbb\xbf")
    return {number: line for number, line in enumerate(found) if line.strip()}


def read(blocks: list[Block], limits: Limits = WIDE) -> tuple[dict[tuple[str, int], bytes], Reader]:
    """(path, absolute line) to document: block-local numbers made absolute by the counts of earlier blocks."""
    reader = Reader(blocks, limits)
    local = []
    for batch in reader:
        assert len(batch.documents) <= limits.batch_rows
        assert batch.size == sum(map(len, batch.documents))
        assert batch.size <= limits.batch_bytes or len(batch.documents) == 1
        local += [(batch.place(index), document) for index, document in enumerate(batch.documents)]
    result = {}
    for (number, line), document in local:
        path = blocks[number].path
        before = sum(
            count
            for block, count in zip(blocks, reader.lines, strict=True)
            if block.path == path and block.start < blocks[number].start
        )
        assert (path, before + line) not in result
        result[path, before + line] = document
    assert sum(reader.lines) == reader.blank + len(local)
    return result, reader


def cut(path: str, size: int, codec: str, places: list[int]) -> list[Block]:
    edges = sorted({0, size, *(place % size for place in places)}) if size and not codec else [0, size]
    return [Block(path, codec, start, end, size, 7) for start, end in itertools.pairwise(edges)]


@given(
    raw=texts,
    places=st.lists(st.integers(0, 10_000), max_size=6),
    step=st.integers(1, 20),
    rows=st.integers(1, 5),
    room=st.integers(1, 30),
    codec=st.sampled_from(sorted(COMPRESS)),
)
def test_each_line_exactly_once_in_its_place(tmp_path_factory, raw, places, step, rows, room, codec):
    assume(is_lines(raw))
    path = tmp_path_factory.mktemp("lines") / "x"
    path.write_bytes(COMPRESS[codec](raw))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "READ_BYTES", step)
        patch.setattr(lines, "_TAIL_BYTES", max(1, step // 2))
        found, reader = read(cut(str(path), path.stat().st_size, codec, places), Limits(rows, room, 1 << 20))
    assert {line: document for (_, line), document in found.items()} == expected(raw)
    assert reader.bytes_read == path.stat().st_size


def test_byte_order_mark_crlf_and_blank_lines(tmp_path: Path):
    path = tmp_path / "x"
    path.write_bytes(b"\xef\xbb\xbf{1}\r\n\r\n  \t\r\n{2}\r\n\n\xef\xbb\xbf{3}")
    found, reader = read(cut(str(path), path.stat().st_size, "", []))
    assert found == {(str(path), 0): b"{1}", (str(path), 3): b"{2}", (str(path), 5): b"\xef\xbb\xbf{3}"}
    assert reader.blank == 3


def test_a_line_beyond_the_limit_is_reported_and_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lines, "READ_BYTES", 16)
    path = tmp_path / "x"
    path.write_bytes(b"{1}\n" + b"x" * 500 + b"\n{2}\n")
    reader = Reader(cut(str(path), path.stat().st_size, "", [100]), Limits(10, 100, 64))
    batches = list(reader)
    assert [document for batch in batches for document in batch.documents] == [b"{1}", b"{2}"]
    assert [(line.block, line.line, line.bytes) for batch in batches for line in batch.too_long] == [(0, 1, 500)]
    assert sum(reader.lines) == 3


def read_document(path: Path, raw: bytes, codec: str = "", limit: int = 1 << 20) -> Reader:
    path.write_bytes(COMPRESS[codec](raw))
    size = path.stat().st_size
    return Reader([Block(str(path), codec, 0, size, size, 7, Form.DOCUMENT)], Limits(10, 100, limit))


@pytest.mark.parametrize("codec", sorted(COMPRESS))
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_document_is_one_line_whatever_it_holds(
    tmp_path: Path, codec: str, bom: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lines, "READ_BYTES", 16)
    raw = b'{\r\n  "a": [1,\n\n' + b" " * 300 + b"2]\r\n}\r\n"
    reader = read_document(tmp_path / "x", bom + raw, codec)
    assert [(batch.documents, batch.place(0)) for batch in reader] == [([raw], (0, 0))]
    assert (reader.lines, reader.blank, reader.bytes_read) == ([1], 0, (tmp_path / "x").stat().st_size)


@pytest.mark.parametrize("codec", sorted(COMPRESS))
def test_a_document_beyond_the_limit_is_reported_and_not_held(
    tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lines, "READ_BYTES", 16)
    for size, kept in ((64, True), (65, False)):
        reader = read_document(tmp_path / "x", b"x" * size, codec, limit=64)
        (batch,) = reader
        assert batch.documents == ([b"x" * size] if kept else [])
        assert [(line.block, line.line, line.bytes) for line in batch.too_long] == ([] if kept else [(0, 0, size)])
        assert reader.lines == [1]


@pytest.mark.parametrize(("raw", "count"), [(b"", 0), (b" \r\n\n", 1), (b"\xef\xbb\xbf\n", 1)])
@pytest.mark.parametrize("codec", ["", "gzip"])
def test_a_file_that_holds_nothing_is_no_document(tmp_path: Path, raw: bytes, count: int, codec: str):
    reader = read_document(tmp_path / "x", raw, codec)
    assert [batch.documents for batch in reader] == [[]]
    assert (sum(reader.lines), reader.blank) == (count, count)


@pytest.mark.parametrize("codec", ["", "gzip", "bz2", "zstd"])
def test_a_damaged_document_is_an_error_without_a_name(tmp_path: Path, codec: str):
    path = tmp_path / "Joe_Bloggs_6d75.json"
    read_document(path, b'{"a":1}' * 999, codec)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UnreadableFile) as caught:
        list(Reader([Block(str(path), codec, 0, size, size, 7, Form.DOCUMENT)], WIDE))
    assert_nameless(caught.value)


def test_batches_gather_small_files(tmp_path: Path):
    blocks = []
    for number in range(5):
        path = tmp_path / f"{number}"
        path.write_bytes(b"{}\n")
        blocks.append(Block(str(path), "", 0, 3, 3))
    batches = list(Reader(blocks, WIDE))
    assert [len(batch.documents) for batch in batches] == [5]
    assert [batches[0].place(index) for index in range(5)] == [(number, 0) for number in range(5)]


@pytest.mark.parametrize("codec", ["gzip", "bz2", "zstd"])
def test_members_one_after_another_are_all_read(tmp_path: Path, codec: str):
    path = tmp_path / "x"
    path.write_bytes(COMPRESS[codec](b"{1}\n{") + COMPRESS[codec](b"2}\n"))
    found, _ = read(cut(str(path), path.stat().st_size, codec, []))
    assert sorted(found.values()) == [b"{1}", b"{2}"]


@pytest.mark.parametrize("codec", ["gzip", "bz2", "zstd"])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "other"])
def test_a_damaged_file_is_an_error_that_tells_its_number_and_no_name(tmp_path: Path, codec: str, damage: str):
    raw = COMPRESS[codec](b"".join(b"{%d}\n" % number for number in range(9999)))
    changed = {"truncated": raw[:-9], "flipped": raw[:99] + b"\xff\x00\xff" + raw[102:], "other": b"plain text\n"}[
        damage
    ]
    path = tmp_path / "Joe_Bloggs.ndjson"
    path.write_bytes(changed)
    with pytest.raises(UnreadableFile, match=f"what {codec} holds is damaged") as caught:
        read(cut(str(path), len(changed), codec, []))
    assert_nameless(caught.value)


def assert_nameless(error: UnreadableFile) -> None:
    assert "Bloggs" not in "".join(traceback.format_exception(error))
    assert UnreadableFile(str(error)).number == 7


def test_a_file_that_became_shorter_is_an_error(tmp_path: Path):
    path = tmp_path / "Joe_Bloggs.ndjson"
    path.write_bytes(b"{}\n")
    with pytest.raises(UnreadableFile, match="shorter") as caught:
        read([Block(str(path), "", 0, 9, 9, 7)])
    assert_nameless(caught.value)


def test_a_file_that_is_gone_is_an_error(tmp_path: Path):
    path = tmp_path / "Joe_Bloggs.ndjson"
    with pytest.raises(UnreadableFile, match="No such file") as caught:
        read([Block(str(path), "", 0, 9, 9, 7)])
    assert_nameless(caught.value)


def test_a_file_of_ours_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="part-00000"):
        read([Block(str(tmp_path / "part-00000.ndjson"), "", 0, 9, 9)])
