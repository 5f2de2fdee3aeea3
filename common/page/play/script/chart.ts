/// <reference lib="dom" />
import { onWidth } from "../../page_script/elements.ts";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 170;
const MARGIN = { left: 44, right: 8, top: 10, bottom: 24 };

/** What a chart shows. */
export interface Curve {
  /** From left to right. */
  x: number[];
  y: number[];
  /** The bounds of x. */
  from: number;
  to: number;
  /** The name of x. */
  label: string;
  /** A vertical line. */
  mark?: number;
}

/** A curve over steps or over t, in an element as wide as it; the returned function shows another one. */
export function chart(id: string): (curve: Curve) => void {
  const place = document.getElementById(id)!;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "curve");
  svg.setAttribute("role", "img");
  place.append(svg);
  let [width, shown] = [0, undefined as Curve | undefined];
  function draw() {
    if (!shown || width === 0) return;
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.replaceChildren(...partsOf(shown, width));
    const last = shown.y.at(-1);
    svg.setAttribute(
      "aria-label",
      `A curve over ${shown.label} from ${shown.from} to ${shown.to}` +
        (last === undefined ? "" : `; it ends at ${last.toPrecision(3)}`),
    );
  }
  onWidth(place, (now) => {
    width = now;
    draw();
  });
  return (curve) => {
    shown = curve;
    draw();
  };
}

function partsOf({ x, y, from, to, label, mark }: Curve, width: number): SVGElement[] {
  const { left, right, top, bottom } = MARGIN;
  const high = Math.max(...y.filter(Number.isFinite), 1e-3) * 1.05;
  const px = (value: number) => left + (width - left - right) * (value - from) / (to - from || 1);
  const py = (value: number) => HEIGHT - bottom - (HEIGHT - top - bottom) * value / high;
  const step = nice(high / 2);
  const ticks = [0, step, 2 * step].filter((value) => value <= high);
  const parts: SVGElement[] = [];
  for (const tick of ticks) {
    parts.push(line(left, py(tick), width - right, py(tick), "rule"));
    parts.push(text(left - 6, py(tick) + 4, short(tick), "end"));
  }
  for (const [value, anchor] of [[from, "start"], [to, "end"]] as const) {
    parts.push(text(px(value), HEIGHT - 6, String(value), anchor));
  }
  parts.push(text((left + width - right) / 2, HEIGHT - 6, label, "middle"));
  if (mark !== undefined) parts.push(line(px(mark), top, px(mark), HEIGHT - bottom, "mark"));
  const path = document.createElementNS(SVG, "polyline");
  const places = x.flatMap((value, i) =>
    Number.isFinite(y[i]) ? [`${px(value).toFixed(1)},${py(y[i]).toFixed(1)}`] : []
  );
  path.setAttribute("points", places.join(" "));
  path.setAttribute("class", "line");
  return [...parts, path];
}

/** The largest of 1, 2 and 5 times a power of ten that is not above a number. */
function nice(value: number): number {
  const size = 10 ** Math.floor(Math.log10(value));
  return size * [5, 2, 1].find((times) => times * size <= value)!;
}

function short(value: number): string {
  return value >= 1000 || (value > 0 && value < 0.001)
    ? value.toExponential(0)
    : String(Number(value.toPrecision(2)));
}

function line(x1: number, y1: number, x2: number, y2: number, className: string): SVGElement {
  const made = document.createElementNS(SVG, "line");
  Object.entries({ x1, y1, x2, y2, class: className }).forEach(([name, value]) =>
    made.setAttribute(name, String(value))
  );
  return made;
}

function text(x: number, y: number, content: string, anchor: string): SVGElement {
  const made = document.createElementNS(SVG, "text");
  made.setAttribute("x", String(x));
  made.setAttribute("y", String(y));
  made.setAttribute("text-anchor", anchor);
  made.textContent = content;
  return made;
}
