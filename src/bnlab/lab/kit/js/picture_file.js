// What is seen of a widget as one SVG that stands alone, and as PNG.

import { svg } from "./elements.js";

const INLINED = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap",
  "stroke-linejoin", "opacity", "font-family", "font-size", "font-weight", "font-style", "text-anchor", "paint-order",
];
const MARGIN = 16, SHARP = 2;  // px; dots of a PNG on a px
const SMALLEST = 60;           // px: what is less wide is no picture

/** The pictures that are seen now. */
export function picturesOf(root) {
  return [...root.querySelectorAll("svg")].filter((one) =>
    one.getBoundingClientRect().width >= SMALLEST && getComputedStyle(one).visibility !== "hidden");
}

/** A copy that needs no style sheet. */
function alone(picture) {
  const copy = picture.cloneNode(true), copies = copy.querySelectorAll("*");
  picture.querySelectorAll("*").forEach((part, i) => {
    const style = getComputedStyle(part);
    copies[i].removeAttribute("class");
    copies[i].setAttribute("style", INLINED.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"));
  });
  return copy;
}

/** Text in lines of at most so many letters. */
function lines(text, most) {
  const found = [""];
  for (const word of text.split(/\s+/)) {
    if (found.at(-1) && found.at(-1).length + word.length + 1 > most) found.push("");
    found.push(`${found.pop()} ${word}`.trim());
  }
  return found.filter(Boolean);
}

/**
 * The pictures of a widget as they stand on the page, with their captions; `head`, the result, is
 * written above them and `foot`, the setting, below. Null if nothing is seen.
 */
export function asSvg(root, { head, foot }) {
  const pictures = picturesOf(root);
  if (!pictures.length) return null;
  const style = getComputedStyle(root), size = parseFloat(style.fontSize);
  const captions = [...new Set(pictures.map((one) => one.closest("figure")?.querySelector("figcaption")))]
    .filter((one) => one?.textContent);
  const boxes = [...pictures, ...captions].map((one) => one.getBoundingClientRect());
  const left = Math.min(...boxes.map((box) => box.left)), top = Math.min(...boxes.map((box) => box.top));
  const wide = Math.max(...boxes.map((box) => box.right)) - left, high = Math.max(...boxes.map((box) => box.bottom)) - top;
  const most = wide / (0.56 * size), above = lines(head, most), below = lines(foot, most);
  const width = Math.ceil(wide + 2 * MARGIN), start = MARGIN + 1.3 * size * above.length;
  const height = Math.ceil(start + high + 1.3 * size * below.length + 2 * MARGIN);
  const write = (text, x, y, weight = 400) => svg("text", {
    x, y, fill: style.color, "font-family": style.fontFamily, "font-size": size, "font-weight": weight,
  }, text);
  const all = svg("svg", { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}`, color: style.color },
    svg("rect", { width, height, fill: style.backgroundColor }),
    ...above.map((text, i) => write(text, MARGIN, MARGIN + (1 + 1.3 * i) * size, 700)),
    ...captions.map((one) => {
      const box = one.getBoundingClientRect();
      return write(one.textContent, MARGIN + box.left - left, start + box.top - top + size);
    }),
    ...pictures.map((one) => {
      const box = one.getBoundingClientRect(), copy = alone(one);
      const place = { x: MARGIN + box.left - left, y: start + box.top - top, width: box.width, height: box.height, overflow: "visible" };
      for (const [name, value] of Object.entries(place)) copy.setAttribute(name, value);
      for (const name of ["class", "style"]) copy.removeAttribute(name);
      return copy;
    }),
    ...below.map((text, i) => write(text, MARGIN, start + high + MARGIN + (0.6 + 1.3 * i) * size)));
  return { text: new XMLSerializer().serializeToString(all), width, height };
}

/** The same as PNG, with two dots on a pixel. */
export async function asPng({ text, width, height }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [SHARP * width, SHARP * height];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** Rows as comma-separated values, which programs for tables read as UTF-8. */
export function asCsv(rows) {
  const cell = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  return `\ufeff${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}
