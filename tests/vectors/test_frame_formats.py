"""Frames as files: what is written, read again exactly, and refused with a line number."""

import numpy as np
import pytest
import vector_cases as cases
from hypothesis import given, settings
from hypothesis import strategies as st

from trigforge import vectors
from trigforge.core.errors import InputError
from trigforge.vectors import FRAME_WRITERS, Flag, Frames, VectorFormat
from trigforge.vectors.formats import CARRIED

V, S, T, O, E, X = (  # noqa: E741
    int(flag)
    for flag in (
        Flag.VALID,
        Flag.START_OF_PACKET,
        Flag.STROBE,
        Flag.START_OF_ORBIT,
        Flag.END_OF_PACKET,
        Flag.ERROR,
    )
)
GOLDEN = Frames(
    board="x0",
    links=(0, 12),
    words=np.array([[1, 0xABCDEF], [2, 3], [0, 0]], dtype=np.uint64),
    flags=np.array([[T | V | S | O, T | V | S], [T | V | E, V], [T, T]], dtype=np.uint8),
)
METADATA = "Metadata: (strobe,) start of orbit, start of packet, end of packet, valid"
EMP2 = f"""ID: x0
{METADATA}

      Link              000                     012{" " * 8}
Frame 0000    1101 0000000000000001  10101 0000000000abcdef
Frame 0001    0011 0000000000000002  00001 0000000000000003
Frame 0002    0000 0000000000000000  10000 0000000000000000
"""
EMP1 = """Board x0
 Quad/Chan :       q00c0               q03c0
      Link :        000                 012
Frame 0000 : 1v0000000000000001 1s1v0000000000abcdef
Frame 0001 : 1v0000000000000002 0s1v0000000000000003
Frame 0002 : 0v0000000000000000 1s0v0000000000000000
"""
APX = """#Sideband ON
#LinkLabel                LINK_00                    LINK_12
#BeginData
0x0000    0x07 0x0000000000000001    0x03 0x0000000000abcdef
0x0001    0x09 0x0000000000000002    0x11 0x0000000000000003
0x0002    0x00 0x0000000000000000    0x00 0x0000000000000000
"""
STROBED = cases.edited(GOLDEN, flags={(1, 1): T | V | X})
FILES = {VectorFormat.EMP2: EMP2, VectorFormat.EMP1: EMP1, VectorFormat.APX: APX}
HELD = {VectorFormat.EMP2: GOLDEN, VectorFormat.EMP1: GOLDEN, VectorFormat.APX: STROBED}


@pytest.mark.parametrize("vector_format", cases.FRAME_FORMATS)
def test_the_text_of_each_format_is_this(vector_format):
    assert FRAME_WRITERS[vector_format](HELD[vector_format]) == FILES[vector_format]


@pytest.mark.parametrize("vector_format", cases.FRAME_FORMATS)
def test_the_text_of_each_format_is_recognised_and_read(vector_format):
    found = cases.parsed(FILES[vector_format])
    assert found.format is vector_format
    assert cases.same(found.content, HELD[vector_format], CARRIED[vector_format])


def test_a_row_of_emp2_is_as_the_framework_writes_it():
    frames = cases.shifted(cases.make_frames(), 10)
    line = cases.text_of(cases.edited(frames, words={(10, 0): 1})).split("\n")[4 + 10]
    assert line == "Frame 0010    1101 0000000000000001"


def test_files_as_other_programs_write_them_are_read():
    emp1 = (
        "# captured\nBoard CMSSW\n Quad/Chan :         q00c0                q00c1       \n"
        "      Link :          000                  001        \n"
        "Frame 0000 :   1v0123456789abcdef   0v0000000000000000\n"
    )
    assert cases.parsed(emp1).content.words[0, 0] == 0x0123456789ABCDEF
    emp2 = f"ID: x1 \n{METADATA} \r\n \n\n      Link    000 \nFrame 0000  1101 00000000000000FF\n\n"
    assert cases.parsed(emp2).content.board == "x1"
    assert cases.parsed(emp2).content.words.tolist() == [[255]]
    apx = "#LinkLabel LINK_00\n"
    with pytest.raises(InputError, match="line 1: the line '#Sideband ON' must come here"):
        cases.parsed(apx)


CHANGES = {
    VectorFormat.EMP2: [
        (
            "1101 0000000000000001",
            "1101 000000000000001",
            5,
            "link 0: '1101 000000000000001' is no",
        ),
        ("1101 0000000000000001", "1101 00000000000000001", 5, "4 or 5 flags of 0 and 1"),
        ("1101 0000000000000001", "1101 000000000000000g", 5, "16 hexadecimal digits"),
        ("1101 0000000000000001", "1121 0000000000000001", 5, "is no word"),
        ("1101 0000000000000001", "101 0000000000000001", 5, "is no word"),
        ("0011 0000000000000002", "10011 0000000000000002", 6, "link 0: 5 flags, 4 before"),
        ("  00001 0000000000000003", "", 6, "1 words for 2 links"),
        ("Frame 0001", "Frame 0002", 6, "frame 1 must come here, not 2"),
        ("Frame 0001", "Frame 0000", 6, "frame 1 must come here, not 0"),
        ("Frame 0001  ", "Frame  ", 6, "a frame begins with 'Frame' and a number"),
        ("Frame 0001", "Frame 1", 6, "a frame begins with 'Frame' and a number"),
        ("Frame 0001", "Frame \u0660\u0660\u0660\u0661", 6, "a frame begins with 'Frame'"),
        ("  10101", " 10101", 5, "1 words for 2 links"),
        ("Metadata", "Meta", 2, "the line 'Metadata:"),
        ("valid\n", "ready\n", 2, "must follow the ID"),
        ("Link", "Channel", 4, "the line '      Link  '"),
        ("012", "000", 4, "link 0 is named twice"),
        ("012", "1x2", 4, "'1x2' is no number of a link"),
        ("012", "0012", 4, "'0012' is no number of a link"),
        ("      Link              000                     012", "      Link", 4, "no links"),
    ],
    VectorFormat.EMP1: [
        ("1v0000000000000001", "1v00000001", 4, "link 0: '1v00000001' is no word: 0v or 1v"),
        ("1v0000000000000001", "2v0000000000000001", 4, "is no word"),
        ("1s1v0000000000abcdef", "1s0000000000abcdef", 4, "is no word"),
        ("0s1v0000000000000003", "", 5, "1 words for 2 links"),
        ("0s1v", "0s1v0000000000000000 0s1v", 5, "3 words for 2 links"),
        ("Frame 0001 :", "Frame 0001  ", 5, "a frame begins with 'Frame'"),
        ("Frame 0001", "Frame 0003", 5, "frame 1 must come here, not 3"),
        ("Quad/Chan", "Quads", 2, "the line 'Quad/Chan :' must come here"),
        ("q03c0", "x03c0", 2, "quads and channels are written q00c0"),
        ("q03c0", "", 3, "2 links, but 1 quads and channels"),
        ("012", "000", 3, "link 0 is named twice"),
        ("Link :", "Links:", 3, "the line 'Link :' must come here"),
    ],
    VectorFormat.APX: [
        ("0x0000000000000001", "0x000000000000001", 4, "is no word: 0x and 16 hexadecimal"),
        ("0x0000000000000001", "0000000000000000001", 4, "is no word"),
        ("0x07", "0x7", 4, "'0x7' is no sideband: 0x and two"),
        ("0x07", "0x27", 4, "sideband 0x27: the bits from 5 on are reserved"),
        ("0x0001 ", "0x0002 ", 5, "frame 1 must come here, not 2"),
        ("0x0001 ", "0001 ", 5, "a row begins with 0x and four"),
        ("\n0x0001 ", "\n 0x0001 ", 5, "'': a row begins with 0x"),
        ("    0x11 0x0000000000000003", "", 5, "2 columns for 2 links; sideband and word"),
        ("0x11 ", "", 5, "3 columns for 2 links"),
        ("0x11 ", "0x11 0x0000000000000000 0x00 ", 5, "6 columns for 2 links"),
        ("ON", "OFF", 1, "the line '#Sideband ON' must come here: it says which"),
        ("LINK_12", "LINK_00", 2, "link 0 is named twice"),
        ("LINK_12", "LNK_12", 2, "'LNK_12' is no label of a link; write LINK_00"),
        ("#BeginData", "#LinkSeq", 3, "the line '#BeginData' must come here"),
        ("#LinkLabel", "#Labels", 2, "the line '#LinkLabel' must come here"),
    ],
}


@pytest.mark.parametrize(
    ("vector_format", "old", "new", "line", "problem"),
    [(name, *change) for name, changes in CHANGES.items() for change in changes],
)
def test_a_malformed_line_is_refused_with_its_number(vector_format, old, new, line, problem):
    text = FILES[vector_format]
    assert old in text
    with pytest.raises(InputError, match=rf"^file\.txt, line {line}: .*{problem}"):
        cases.parsed(text.replace(old, new, 1))


@pytest.mark.parametrize("vector_format", cases.FRAME_FORMATS)
def test_a_file_that_ends_too_early_is_refused(vector_format):
    text = FILES[vector_format]
    lines = text.splitlines(keepends=True)
    first_row = next(
        number for number, line in enumerate(lines) if line[:6] in {"Frame ", "0x0000"}
    )
    for n_lines in range(1, first_row + 1):
        with pytest.raises(
            InputError, match=r"file.txt, line \d: (no frames|the file ends before)"
        ):
            cases.parsed("".join(lines[:n_lines]))
    with pytest.raises(InputError, match=rf"line {len(lines)}: cut short: no end of line"):
        cases.parsed(text[:-1])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "file.txt: empty"),
        (b"\n\n", "file.txt: nothing but blank lines and comments"),
        (b"# comment\n", "file.txt: nothing but blank lines and comments"),
        (b"\x89PNG\r\n", "file.txt, line 1: no text in UTF-8"),
        (b"ID: x0\n\xff\n", "file.txt, line 2: no text in UTF-8"),
        (b"ID: x0\nab\0c\n", r"file.txt, line 2: a control character, '\\x00'"),
        (b"PK zip\n", "file.txt: begins with 'PK zip'; EMPv2 begins with 'ID: '"),
        (b"{}\n", "APx with '#Sideband ON', events with a number"),
        (b"ID: x0\n" + b"x" * ((1 << 20) + 1) + b"\n", "line 2: a line of 1048577 characters"),
    ],
)
def test_what_is_no_vector_file_is_refused(content, problem):
    with pytest.raises(InputError, match=problem):
        cases.parsed(content)


def test_missing_and_huge_files_and_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.txt: no such file"):
        vectors.read(tmp_path / "nowhere.txt")
    with pytest.raises(InputError, match="no such file"):
        vectors.read(tmp_path)
    huge = tmp_path / "huge.txt"
    with huge.open("wb") as stream:
        stream.truncate((256 << 20) + 1)
    with pytest.raises(InputError, match="huge.txt: larger than 256 MiB"):
        vectors.read(huge)


@pytest.mark.parametrize("vector_format", cases.FRAME_FORMATS)
def test_more_than_1024_frames_are_refused(vector_format):
    lines = FILES[vector_format].splitlines()
    row = "0x{:04x}" if vector_format is VectorFormat.APX else "Frame {:04d}"
    last = lines[-1].replace("0x0002" if vector_format is VectorFormat.APX else "Frame 0002", "{}")
    rows = [last.format(row.format(number)) for number in range(3, 1025)]
    text = "\n".join([*lines, *rows]) + "\n"
    with pytest.raises(InputError, match="more than 1024 frames"):
        cases.parsed(text)
    assert len(cases.parsed(text[: text.rindex("\n", 0, -1) + 1]).content.words) == 1024


def test_frames_know_what_they_may_be():
    words, flags = np.zeros((2, 1), dtype=np.uint64), np.zeros((2, 1), dtype=np.uint8)
    with pytest.raises(InputError, match=r"links \(\) must be some numbers"):
        Frames(board="", links=(), words=words[:, :0], flags=flags[:, :0])
    with pytest.raises(InputError, match=r"links \(1, 1\) must be some numbers, each once"):
        Frames(board="", links=(1, 1), words=words[:, [0, 0]], flags=flags[:, [0, 0]])
    with pytest.raises(InputError, match=r"2 links, but words \(2, 1\)"):
        Frames(board="", links=(1, 2), words=words, flags=flags)
    many = {"words": np.zeros((1025, 1), dtype="u8"), "flags": np.zeros((1025, 1), dtype="u1")}
    with pytest.raises(InputError, match="1025 frames; a file holds at most 1024"):
        Frames(board="", links=(1,), **many)
    frames = Frames(board="", links=(1,), words=words, flags=flags)
    with pytest.raises(ValueError, match="read-only"):
        frames.words[0, 0] = 1


@pytest.mark.parametrize(
    ("vector_format", "flags", "problem"),
    [
        (VectorFormat.EMP2, T | X, "frame 1 of link 12 cannot be written: EMPv2 has no error flag"),
        (VectorFormat.EMP1, T | X, "frame 1 of link 12 cannot be written: EMPv1 has no error flag"),
        (VectorFormat.APX, V, "frame 1 of link 12 cannot be written: APx has no strobe"),
    ],
)
def test_what_a_format_cannot_say_is_not_written(vector_format, flags, problem):
    clean = cases.edited(GOLDEN, flags={(1, 1): T})
    FRAME_WRITERS[vector_format](clean)
    with pytest.raises(InputError, match=problem):
        FRAME_WRITERS[vector_format](cases.edited(clean, flags={(1, 1): flags}))


@given(st.data(), st.sampled_from(cases.FRAME_FORMATS))
def test_any_frames_are_read_as_they_were_written(data, vector_format):
    carried = int(CARRIED[vector_format])
    frames = data.draw(cases.random_frames(carried))
    if vector_format is VectorFormat.APX:
        frames = cases.edited(frames, flags={...: frames.flags | T})
    text = cases.text_of(frames, vector_format)
    found = cases.parsed(text)
    assert found.format is vector_format
    assert cases.same(found.content, frames)
    if vector_format is not VectorFormat.APX:
        assert found.content.board == frames.board
    assert cases.text_of(found.content, vector_format) == text


@given(st.data(), st.sampled_from(cases.FRAME_FORMATS))
def test_events_survive_every_format(data, vector_format):
    port = data.draw(cases.ports())
    links = data.draw(cases.links_sections(port))
    layout = vectors.plan(links, port, "outputs")
    events = cases.make_events(port, data.draw(st.integers(1, 6)))
    back = [
        vectors.to_events(layout, cases.parsed(cases.text_of(frames, vector_format)).content).raw
        for frames in vectors.to_frames(layout, events, "x0")
    ]
    assert np.array_equal(np.concatenate(back), events.raw)


def refusal(content: bytes) -> str | None:
    """Return why a content is refused, or None; any other error than InputError is a defect."""
    try:
        found = cases.parsed(content)
    except InputError as error:
        return str(error)
    held = found.content.words if isinstance(found.content, Frames) else found.content.rows
    return None if len(held) else "nothing was read, nothing refused"


@settings(max_examples=400)
@given(st.data(), st.sampled_from([*FILES.values(), "1 -2 3\n4 5 6\n", "1.5 -0.25\n0.0 3.0\n"]))
def test_damaged_files_are_read_or_refused_and_nothing_else(data, text):
    content = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        new = data.draw(
            st.binary(max_size=3) | st.sampled_from([b"\n", b" ", b"  ", b"0", b"9", b"e99", b"\0"])
        )
        content[at : at + data.draw(st.integers(0, 30))] = new
    message = refusal(bytes(content))
    assert message is None or (message.startswith("file.txt") and "\n" not in message)


@given(st.integers(0, 400), st.sampled_from(list(FILES.values())))
def test_truncated_files_are_read_or_refused(n_bytes, text):
    message = refusal(text.encode()[:n_bytes])
    assert message is None or message.startswith("file.txt")
