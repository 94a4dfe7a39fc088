import io

import verdicts
from rich.console import Console

from trigforge.report import overview


def shown(*judged) -> str:
    console = Console(file=io.StringIO(), width=110, soft_wrap=True)
    console.print(overview.show(judged))
    return console.file.getvalue()


def row(text: str, name: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if line.startswith(f"│ {name} "))
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_each_spec_is_one_line_with_its_figures():
    text = shown(*verdicts.ALL)
    assert row(text, "jets") == [
        "jets",
        "11",
        "",
        "20,000",
        "",
        "0.7300",
        "",
        "3 of 3",
        "47 s",
        "met",
    ]
    assert row(text, "images")[3] == "~15,360"
    assert row(text, "images")[-3:] == ["0 of 2", "10 s", "FAILED"]
    assert row(text, "muons")[-3:] == ["", "2 s", "NOT JUDGED"]
    assert text.splitlines()[-1] == "1 of 4 specs met all checks"


def test_what_is_wrong_is_said_below_the_table():
    text = shown(*verdicts.ALL)
    assert "images: FAILED: budget: latency: 50 cycles; allowed: 48 cycles\n" in text
    assert "images: unknown: BRAM18: neither synthesised nor estimated\n" in text
    assert "images: mean AUC: 0.95 is better than 0.94: update the baseline\n" in text
    assert "muons: NOT JUDGED: its process was killed by SIGSEGV\n" in text
    assert "  budget: missing\n" in text


def test_nothing_is_said_where_all_is_well():
    text = shown(verdicts.MET)
    assert "FAILED" not in text
    assert text.endswith("1 of 1 specs met all checks\n")
