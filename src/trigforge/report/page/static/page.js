"use strict";
(() => {
  const root = document.documentElement;
  const each = (selector, visit, within = document) => within.querySelectorAll(selector).forEach(visit);
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  const remembered = (value) => {
    try {
      if (value !== undefined) localStorage.setItem("trigforge-theme", value);
      return localStorage.getItem("trigforge-theme");
    } catch {
      return null; // the browser keeps nothing for this page
    }
  };
  const theme = document.getElementById("theme");
  if (theme) {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const current = () => root.dataset.theme || (dark.matches ? "dark" : "light");
    const tell = () => {
      theme.textContent = current() === "dark" ? "Light" : "Dark";
      theme.setAttribute("aria-label", `Change to ${theme.textContent.toLowerCase()} colours`);
    };
    const before = remembered();
    if (before === "light" || before === "dark") root.dataset.theme = before;
    theme.addEventListener("click", () => {
      root.dataset.theme = current() === "dark" ? "light" : "dark";
      remembered(root.dataset.theme);
      tell();
    });
    dark.addEventListener("change", tell);
    theme.hidden = false;
    tell();
  }

  each(".command", (command) => {
    const text = command.querySelector("code").textContent;
    const button = make("button", { type: "button", textContent: "Copy" });
    button.setAttribute("aria-label", `Copy: ${text}`);
    button.addEventListener("click", async () => {
      let done = true;
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const range = document.createRange();
        range.selectNodeContents(command.querySelector("code"));
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        done = document.execCommand("copy");
      }
      button.textContent = done ? "Copied" : "Selected";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    command.querySelector("pre").after(button);
  });

  const key = (row, column) => {
    const cell = row.cells[column];
    const value = cell.dataset.value;
    return value === undefined ? cell.textContent.trim() : Number(value);
  };
  each("table.sortable", (table) => {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const button = make("button", { type: "button" }, ...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const up = heading.getAttribute("aria-sort") !== "ascending";
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", up ? "ascending" : "descending");
        const body = table.tBodies[0];
        const rows = [...body.rows].sort((a, b) => {
          const [x, y] = [key(a, column), key(b, column)];
          const order = typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true });
          return up ? order : -order;
        });
        body.append(...rows);
      });
    });
  });

  each("form.filter", (form) => {
    const [search, only] = form.querySelectorAll("input");
    const shown = form.querySelector("output");
    const rows = [...form.parentElement.querySelector("tbody").rows];
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let n = 0;
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word)) || (only.checked && row.dataset.met === "yes");
        n += !row.hidden;
      });
      shown.textContent = `${n} of ${rows.length}`;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    apply();
  });

  const bend = (axis, value) => (axis.scale === "log" ? Math.log10(value) : value);
  const unbend = (axis, value) => (axis.scale === "log" ? 10 ** value : value);
  const at = (axis, share) => unbend(axis, bend(axis, axis.low) + share * (bend(axis, axis.high) - bend(axis, axis.low)));
  const share = (axis, value) => (bend(axis, value) - bend(axis, axis.low)) / (bend(axis, axis.high) - bend(axis, axis.low));
  const write = (value) => (value === null || value === undefined ? "?" : Number(value.toPrecision(3)).toString().replace("-", "\u2212"));
  const nearest = (axis, xs, x) => {
    let best = -1;
    let least = Infinity;
    xs.forEach((value, index) => {
      const distance = value === null ? Infinity : Math.abs(share(axis, value) - share(axis, x));
      if (distance < least) [best, least] = [index, distance];
    });
    return best;
  };
  each("script[data-readout]", (script) => {
    const figure = script.closest("figure");
    const svg = figure.querySelector("svg");
    const panels = JSON.parse(script.textContent);
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    line.setAttribute("class", "cursor");
    line.setAttribute("visibility", "hidden");
    svg.append(line);
    const output = make("p", { className: "readout" });
    output.setAttribute("aria-live", "polite");
    const slider = make("input", { type: "range", min: 0, max: 1000, value: 500 });
    slider.setAttribute("aria-label", `Read off the curves: ${panels[0].x.name}`);
    figure.querySelector(".scroll").after(slider, output);
    output.textContent = "Move over the figure, or the slider, to read off the curves.";
    const show = (panel, part) => {
      const x = at(panel.x, part);
      const [left, top, right, bottom] = panel.box;
      const place = left + part * (right - left);
      for (const [name, value] of Object.entries({ x1: place, x2: place, y1: top, y2: bottom, visibility: "visible" })) line.setAttribute(name, value);
      output.replaceChildren(make("strong", { textContent: `${panel.title}: ${panel.x.name} ${write(x)}` }));
      panel.series.forEach((series) => {
        const index = nearest(panel.x, series.x, x);
        if (index < 0) return;
        const band = series.low.length ? ` (${write(series.low[index])} to ${write(series.high[index])})` : "";
        output.append(make("span", { textContent: `${series.name}: ${panel.y.name} ${write(series.y[index])}${band} at ${write(series.x[index])}` }));
      });
    };
    let latest = panels[0];
    svg.addEventListener("pointermove", (event) => {
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const found = panels.find(({ box }) => place.x >= box[0] && place.x <= box[2] && place.y >= box[1] && place.y <= box[3]);
      if (!found) return;
      latest = found;
      const part = (place.x - found.box[0]) / (found.box[2] - found.box[0]);
      slider.value = Math.round(1000 * part);
      show(found, part);
    });
    slider.addEventListener("input", () => show(latest, slider.value / 1000));
  });

  addEventListener("beforeprint", () => each("details", (entry) => { entry.open = true; }));
})();
