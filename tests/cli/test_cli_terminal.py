import os
import sys

import pytest
from rich.text import Text

from trigforge.cli.terminal import Terminal, quiet_imports


def test_progress_off_a_terminal_is_one_line_at_each_end(capsys):
    with Terminal().progress() as progress:
        for done in range(4):
            progress("jets [x]", done, 3)
        progress("kept already", 5, 5)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "jets [x] (3) ...\njets [x]: done\n"


def test_progress_on_a_terminal_is_a_bar(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Terminal().progress() as progress:
        progress("jets", 0, 3)
        progress("jets", 3, 3)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "jets" in captured.err
    assert "3/3" in captured.err


def test_a_path_is_printed_as_it_is(capsys):
    line = f"/data/[bold]/:smile:/{'x' * 200}"
    Terminal().show(line)
    Terminal().show(Text(line))
    assert capsys.readouterr().out == f"{line}\n{line}\n"


def test_what_libraries_write_on_loading_stays_off_the_screen(capfd):
    with quiet_imports():
        os.write(2, b"cudart_stub.cc: no GPU\n")
    sys.stderr.write("an error of ours\n")
    assert capfd.readouterr().err == "an error of ours\n"


def test_an_import_that_fails_is_not_silenced(capfd):
    def importing():
        with quiet_imports():
            msg = "no module named keras"
            raise ImportError(msg)

    with pytest.raises(ImportError, match="no module named keras"):
        importing()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
