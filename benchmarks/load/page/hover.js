"use strict";
// A pointer over a plot is told the values that are nearest to it. The plots are whole without this.
for (const figure of document.querySelectorAll(".figure")) {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const svg = figure.querySelector("svg");
  const pointer = svg.querySelector(".pointer");
  const told = figure.querySelector(".told");
  const draw = (name, attributes) => {
    const element = document.createElementNS(svg.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    pointer.append(element);
  };
  const nearest = (xs, x) => xs.reduce((best, at, i) => (Math.abs(at - x) < Math.abs(xs[best] - x) ? i : best), 0);
  const leave = () => { pointer.replaceChildren(); told.hidden = true; };
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * data.width;
    const lines = data.lines.filter((line) => line.x.length > 0);
    if (x < data.left || x > data.right || lines.length === 0) return leave();
    pointer.replaceChildren();
    told.replaceChildren();
    let at = null;
    for (const line of lines) {
      const i = nearest(line.x, x);
      if (at === null || Math.abs(line.x[i] - x) < Math.abs(at.x - x)) at = { x: line.x[i], text: line.at[i] };
    }
    draw("line", { x1: at.x, x2: at.x, y1: data.top, y2: data.bottom });
    const heading = document.createElement("b");
    heading.textContent = at.text;
    told.append(heading);
    for (const line of lines) {
      const i = nearest(line.x, at.x);
      if (Math.abs(line.x[i] - at.x) > 12) continue;
      draw("circle", { cx: line.x[i], cy: line.y[i], r: 3.5, class: line.class + " dot" });
      const row = document.createElement("div");
      row.className = line.class;
      const value = document.createElement("b");
      value.textContent = line.is[i];
      row.append(line.name + " ", value);
      told.append(row);
    }
    told.hidden = false;
    const left = at.x / data.width * box.width;
    told.style.left = left + told.offsetWidth + 20 > box.width ? left - told.offsetWidth - 12 + "px" : left + 12 + "px";
  });
}
