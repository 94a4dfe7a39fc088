"""The page in a real browser: seen, read, used, and silent on the network."""

import base64
import json
import os
import re
import shutil
from pathlib import Path

import pytest
import scan_results
from page_reports import HOSTILE, page, pictures, report

from trigforge.report.page import compare, scan

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
SCREENSHOTS = Path(__file__).parents[3] / "reports" / "screenshots"
WIDTHS = (400, 1400)
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(
        (BROWSER is None or DRIVER is None) and "CI" not in os.environ,
        reason="no chromium with chromedriver is installed",
    ),
]

VISIBLE = """
return [...document.querySelectorAll(arguments[0])].map((element) => {
  const { width, height } = element.getBoundingClientRect();
  return element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
    && width > 100 && height > 50;
});
"""
CONTRASTS = """
const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
const ground = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const colour = channels(getComputedStyle(e).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour.slice(0, 3);
  }
  return [255, 255, 255];
};
const luminance = (rgb) => {
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const [r, g, b] = rgb.map((c) => linear(c / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const texts = document.createTreeWalker(document.querySelector(arguments[0]), NodeFilter.SHOW_TEXT);
const found = [];
for (let node = texts.nextNode(); node; node = texts.nextNode()) {
  const element = node.parentElement;
  if (!node.textContent.trim() || !element.checkVisibility() || element.closest("svg")) continue;
  const colour = channels(getComputedStyle(element).color).slice(0, 3);
  const [a, b] = [colour, ground(element)].map(luminance);
  found.push([node.textContent.trim(), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
}
return found;
"""


class Window:
    """A window of the browser, of any width and theme, with or without scripts."""

    def __init__(self, driver, folder: Path) -> None:
        self.driver, self.folder = driver, folder

    def show(self, name: str, text: str, *, width: int = 1400, theme: str = "light") -> None:
        path = self.folder / f"{name}.html"
        path.write_text(text)
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        self.command(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": theme}],
        )
        self.driver.get(path.as_uri())

    def command(self, name: str, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def run(self, script: str, *arguments):
        return self.driver.execute_script(script, *arguments)

    def texts(self, selector: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)"
        return self.run(script, selector)

    def screenshot(self, name: str) -> None:
        width, height = self.run(
            "return [innerWidth, Math.min(document.documentElement.scrollHeight, 16000)]"
        )
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self.command("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        (SCREENSHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = BROWSER
    profile = tmp_path_factory.mktemp("profile")
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def window(driver, tmp_path):
    """A window after whose test nothing may have failed and nothing may have been asked for."""
    for log in ("browser", "performance"):
        driver.get_log(log)
    yield Window(driver, tmp_path)
    assert driver.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
        and event["params"]["documentURL"].startswith(tmp_path.as_uri())  # not the browser's own
    ]
    assert asked
    assert [url for url in asked if not url.startswith((tmp_path.as_uri(), "data:"))] == []
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def widest(window) -> tuple[int, int]:
    script = "return [document.scrollingElement.scrollWidth, innerWidth]"
    return tuple(window.run(script))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_figure_is_seen_and_nothing_is_wider_than_the_window(window, width, theme):
    window.show("met", page("met"), width=width, theme=theme)
    assert window.run(VISIBLE, "figure svg") == [True] * len(pictures("met"))
    window.screenshot(f"met_{width}_{theme}")
    window.run("document.querySelectorAll('details').forEach((entry) => { entry.open = true; })")
    within, available = widest(window)
    assert within <= available == width


@pytest.mark.parametrize("kind", ["failed", "hls", "imported", "timemux", "hostile"])
def test_every_kind_of_report_fits_into_a_telephone(window, kind):
    window.show(kind, page(kind), width=400)
    assert all(window.run(VISIBLE, "figure svg"))
    within, available = widest(window)
    assert within <= available
    window.screenshot(f"{kind}_400_light")
    window.show(kind, page(kind))
    window.screenshot(f"{kind}_1400_light")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["met", "failed"])
def test_every_word_stands_out_from_its_ground(window, kind, theme):
    window.show(kind, page(kind), theme=theme)
    window.run("document.querySelectorAll('details').forEach((entry) => { entry.open = true; })")
    found = window.run(CONTRASTS, "body")
    assert len(found) > 200
    assert [text for text, contrast in found if contrast < 4.5] == []


def test_the_verdict_is_the_first_thing_to_read(window):
    window.show("failed", page("failed"))
    (heading,) = window.texts("#verdict h2")
    assert heading.split("\n")[-1].endswith("2 of 4 checks not met")
    assert len(window.texts(".answer p.figure")) == 3
    top = window.run("return document.querySelector('#verdict').getBoundingClientRect().top")
    assert top < 400


@pytest.mark.parametrize("width", WIDTHS)
def test_without_scripts_everything_is_there_but_what_needs_them(window, width):
    window.command("Emulation.setScriptExecutionDisabled", value=True)
    window.show("met", page("met"), width=width)
    window.screenshot(f"met_{width}_without_scripts")
    window.command("Emulation.setScriptExecutionDisabled", value=False)
    assert window.run(VISIBLE, "figure svg") == [True] * len(pictures("met"))
    visible = "return [...document.querySelectorAll('button')].map((e) => e.checkVisibility())"
    assert window.run(visible) == [False]
    assert window.texts("input[type=range]") == []
    within, available = widest(window)
    assert within <= available


def test_colours_change_at_a_button_and_back(window):
    def ground() -> str:
        return window.run("return getComputedStyle(document.documentElement).backgroundColor")

    window.show("met", page("met"))
    light = ground()
    window.run("document.querySelector('#theme').click()")
    dark = ground()
    assert dark != light
    assert window.texts("#theme") == ["Light"]
    window.run("document.querySelector('#theme').click()")
    assert ground() == light
    window.run("localStorage.clear()")


def test_a_curve_is_drawn_in_the_colours_of_the_theme(window):
    script = """
    return [...document.querySelectorAll("#figure-roc path")].map((e) => getComputedStyle(e).stroke)
    """
    window.show("met", page("met"), theme="light")
    light = set(window.run(script))
    window.show("met", page("met"), theme="dark")
    assert "rgb(0, 114, 178)" in light
    assert "rgb(0, 114, 178)" not in window.run(script)


def test_the_agreements_are_filtered_and_sorted(window):
    window.show("failed", page("failed"))
    window.run("document.querySelectorAll('details').forEach((entry) => { entry.open = true; })")
    shown = "#agreement .sortable tbody tr:not([hidden])"
    assert len(window.texts(shown)) == 5
    window.run(
        """
        const [search, only] = document.querySelectorAll("form.filter input");
        only.click();
        """
    )
    assert len(window.texts(shown)) == 1
    assert window.texts("form.filter output") == ["1 of 5"]
    window.run("document.querySelectorAll('form.filter input')[1].click()")
    heading = "#agreement .sortable th:nth-child(5) button"
    for order in ("ascending", "descending"):
        window.run("document.querySelector(arguments[0]).click()", heading)
        (sort,) = window.run(
            "return [document.querySelector(arguments[0]).parentElement.ariaSort]", heading
        )
        assert sort == order
    assert "40" in window.texts(shown)[0].split()


def test_a_curve_is_read_off_by_the_slider_and_the_pointer(window):
    window.show("met", page("met"))
    window.run(
        """
        const slider = document.querySelector("#figure-rate input[type=range]");
        slider.value = 1000;
        slider.dispatchEvent(new Event("input"));
        """
    )
    (said,) = window.texts("#figure-rate .readout")
    lines = said.split("\n")
    assert lines[0].startswith("top: threshold ")
    assert lines[1] == "firmware: kHz 0.977 (0 to 3.98) at 40"
    assert lines[2] == "streamed: kHz 0.5 (0.4 to 0.6) at 40"
    window.run(
        """
        const svg = document.querySelector("#figure-rate svg");
        const box = JSON.parse(document.querySelector("[data-readout=rate]").textContent)[1].box;
        const inside = new DOMPoint(box[0] + 1, (box[1] + box[3]) / 2);
        const { x, y } = inside.matrixTransform(svg.getScreenCTM());
        svg.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y }));
        """
    )
    assert window.texts("#figure-rate .readout")[0].startswith("higgs: threshold ")


def test_a_command_is_copied(window):
    window.command(
        "Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"]
    )
    window.show("met", page("met"))
    assert window.texts(".command button") == ["Copy"] * 4
    done = window.driver.execute_async_script(
        """
        const done = arguments[arguments.length - 1];
        const button = document.querySelector(".command button");
        button.click();
        setTimeout(() => done(button.textContent), 300);
        """
    )
    assert done in {"Copied", "Selected"}


def test_a_hostile_report_runs_nothing_and_shows_itself(window):
    window.show("hostile", page("hostile"))
    assert window.texts("h1") == [HOSTILE]
    assert window.run("return document.querySelectorAll('script').length") == 4


def test_on_paper_there_are_no_buttons_and_every_figure(window):
    window.show("met", page("met"))
    window.command("Emulation.setEmulatedMedia", media="print")
    assert not window.run("return document.querySelector('nav').checkVisibility()")
    pdf = window.command("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
    window.command("Emulation.setEmulatedMedia", media="")
    data = base64.b64decode(pdf["data"])
    assert data.startswith(b"%PDF-")
    n_pages = len(re.findall(rb"/Type\s*/Page\b", data))
    assert 3 <= n_pages <= 20


@pytest.mark.parametrize("width", WIDTHS)
def test_two_runs_stand_side_by_side(window, width):
    window.show("compare", compare(report("met"), report("failed")), width=width)
    within, available = widest(window)
    assert within <= available
    assert window.run(VISIBLE, "table") != []
    window.screenshot(f"compare_{width}_light")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_of_a_scan_fits_and_every_word_stands_out(window, tmp_path, width, theme):
    text = scan.publish(scan_results.result(), tmp_path / "scan").read_text()
    window.show("scan", text, width=width, theme=theme)
    assert window.run(VISIBLE, "figure svg") == [True, True]
    window.screenshot(f"scan_{width}_{theme}")
    window.run("document.querySelectorAll('details').forEach((entry) => { entry.open = true; })")
    within, available = widest(window)
    assert within <= available == width
    found = window.run(CONTRASTS, "body")
    assert len(found) > 80
    assert [word for word, contrast in found if contrast < 4.5] == []


def test_a_fault_would_be_seen(window):
    broken = page("met").replace("<main", '<div style="width:3000px">wide</div><main')
    window.show("broken", broken)
    within, available = widest(window)
    assert within > available
    faint = page("met").replace('class="target"', 'class="target" style="color:#777"')
    window.show("faint", faint)
    found = window.run(CONTRASTS, "header")
    assert min(contrast for _, contrast in found) < 4.5
