/// <reference lib="dom" />
import * as Plot from "@observablehq/plot";
import { byId, colour, onWidth } from "./elements.ts";
import { type Place, type PointChain } from "./point_chain.ts";

/** Groups of points with a colour of their own. */
const TINTS = 12;
/** How near the pointer has to be to a point, in pixels. */
const NEAR = 24;
const MARGIN = { left: 30, right: 8, top: 8, bottom: 22 };

/** What a panel shows. */
export interface PanelContent {
  chain: PointChain;
  /** Half the side of the square that is shown. */
  reach: number;
  /** Where arrows from the points lead to, if there are any. */
  arrows?: PointChain;
}

/** A cloud of points at some t, on a canvas over axes; one of the points can be followed. */
export class PointPanel {
  readonly #stage: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #note: HTMLElement;
  readonly #field: HTMLInputElement;
  #content?: PanelContent;
  #tints: number[][] = [];
  #toPixel = { x: (value: number) => value, y: (value: number) => value };
  #pixelsPerUnit = 1;
  #size = 0;
  #t = 0;
  #hovered?: number;
  #showAll = false;

  /** Uses `<id>-stage` for the drawing, `<id>-note` for a line on a point, `<id>-point` to choose one. */
  constructor(id: string) {
    this.#stage = byId(`${id}-stage`);
    this.#note = byId(`${id}-note`);
    this.#field = byId<HTMLInputElement>(`${id}-point`);
    this.#canvas = document.createElement("canvas");
    this.#canvas.setAttribute("role", "img");
    this.#canvas.setAttribute("aria-label", this.#stage.dataset.label ?? "");
    this.#stage.append(this.#canvas);
    this.#canvas.addEventListener("pointermove", (event) => this.#hover(event));
    this.#canvas.addEventListener("pointerleave", () => this.#setHovered(undefined));
    this.#canvas.addEventListener("click", (event) => this.#follow(this.#pointAt(event)));
    this.#field.addEventListener("input", () => this.draw());
    onWidth(this.#stage, (width) => this.#resize(width));
  }

  /** Other points, or a bigger part of the plane. */
  setContent(content: PanelContent): void {
    this.#content = content;
    this.#field.max = String(content.chain.N);
    this.#tints = byDistanceFromMiddle(content.chain);
    this.#resize(this.#stage.clientWidth);
  }

  /** Goes to a moment. */
  show(t: number): void {
    this.#t = t;
    this.draw();
  }

  /** Whether every point has its arrow, and not only the one that is pointed at. */
  showAllArrows(showAll: boolean): void {
    this.#showAll = showAll;
    this.draw();
  }

  /** The point that is followed, if any: the field counts from 1. */
  #followed(): number | undefined {
    const number = this.#field.valueAsNumber;
    const count = this.#content?.chain.N ?? 0;
    return number >= 1 && number <= count ? Math.floor(number) - 1 : undefined;
  }

  #follow(point: number | undefined): void {
    this.#field.value = point === undefined ? "" : String(point + 1);
    this.draw();
  }

  #pointAt(event: MouseEvent): number | undefined {
    if (!this.#content) return undefined;
    const { left, top } = this.#canvas.getBoundingClientRect();
    const middle = { x: this.#toPixel.x(0), y: this.#toPixel.y(0) };
    const place = {
      x: (event.clientX - left - middle.x) / this.#pixelsPerUnit,
      y: -(event.clientY - top - middle.y) / this.#pixelsPerUnit,
    };
    return this.#content.chain.nearest(place, this.#t, NEAR / this.#pixelsPerUnit);
  }

  #hover(event: PointerEvent): void {
    this.#setHovered(this.#pointAt(event));
  }

  #setHovered(point: number | undefined): void {
    if (point === this.#hovered) return;
    this.#hovered = point;
    this.draw();
  }

  #resize(width: number): void {
    if (!this.#content || width === 0) return;
    const { reach } = this.#content;
    const axis = { domain: [-reach, reach], ticks: 5, label: null };
    const height = width - MARGIN.left - MARGIN.right + MARGIN.top + MARGIN.bottom;
    const axes = Plot.plot({
      className: "chart",
      width,
      height,
      marginLeft: MARGIN.left,
      marginRight: MARGIN.right,
      marginTop: MARGIN.top,
      marginBottom: MARGIN.bottom,
      x: { ...axis },
      y: { ...axis },
      marks: [
        Plot.gridX({ ticks: 5 }),
        Plot.gridY({ ticks: 5 }),
        Plot.axisX({ ticks: 5, tickSize: 0 }),
        Plot.axisY({ ticks: 5, tickSize: 0 }),
      ],
    }) as SVGSVGElement & Plot.Plot;
    this.#stage.querySelector("svg")?.remove();
    this.#stage.prepend(axes);
    const { x, y } = { x: axes.scale("x")!, y: axes.scale("y")! };
    this.#toPixel = { x: x.apply, y: y.apply };
    this.#pixelsPerUnit = x.apply(1) - x.apply(0);
    this.#size = width;
    const density = globalThis.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * density);
    this.#canvas.height = Math.round(height * density);
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    this.draw();
  }

  /** Draws everything anew. */
  draw(): void {
    const pen = this.#canvas.getContext("2d");
    if (!pen || !this.#content || this.#size === 0) return;
    const density = this.#canvas.width / this.#size;
    pen.setTransform(density, 0, 0, density, 0, 0);
    pen.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    pen.save();
    pen.beginPath();
    const inner = this.#size - MARGIN.left - MARGIN.right;
    pen.rect(MARGIN.left, MARGIN.top, inner, inner);
    pen.clip();
    const followed = this.#followed();
    this.#drawPoints(pen, followed !== undefined);
    if (this.#showAll) this.#drawArrows(pen);
    if (followed !== undefined) this.#drawPath(pen, followed);
    const chosen = this.#hovered ?? followed;
    if (chosen !== undefined) this.#drawArrow(pen, chosen);
    pen.restore();
    this.#note.textContent = chosen === undefined ? "" : this.#describe(chosen);
  }

  #drawPoints(pen: CanvasRenderingContext2D, faint: boolean): void {
    const { chain } = this.#content!;
    const radius = this.#size < 320 ? 1.3 : 1.7;
    pen.globalAlpha = faint ? 0.25 : 0.75;
    this.#tints.forEach((points, i) => {
      pen.fillStyle = tint(i / (TINTS - 1));
      pen.beginPath();
      for (const point of points) {
        const { x, y } = this.#pixel(chain.at(point, this.#t));
        pen.moveTo(x + radius, y);
        pen.arc(x, y, radius, 0, 2 * Math.PI);
      }
      pen.fill();
    });
    pen.globalAlpha = 1;
  }

  /** The way from noise to data: strong up to the present t, faint from there on. */
  #drawPath(pen: CanvasRenderingContext2D, point: number): void {
    const { chain } = this.#content!;
    const way = (from: number, to: number, alpha: number) => {
      pen.globalAlpha = alpha;
      pen.beginPath();
      for (let t = from; t >= to; t--) {
        const { x, y } = this.#pixel(chain.at(point, t));
        t === from ? pen.moveTo(x, y) : pen.lineTo(x, y);
      }
      pen.stroke();
      pen.globalAlpha = 1;
    };
    pen.strokeStyle = colour("ink");
    pen.lineWidth = 1.4;
    pen.lineJoin = "round";
    way(chain.T, this.#t, 0.9);
    way(this.#t, 0, 0.25);
    this.#ring(pen, chain.at(point, chain.T), 3, false);
    this.#ring(pen, chain.at(point, 0), 3, false);
    this.#ring(pen, chain.at(point, this.#t), 5, true);
  }

  /** From xₜ to μ_θ, at its true length; there is none at t = 0. */
  #drawArrow(pen: CanvasRenderingContext2D, point: number): void {
    const { chain, arrows } = this.#content!;
    this.#ring(pen, chain.at(point, this.#t), 5, true);
    if (!arrows || this.#t === 0) return;
    const from = this.#pixel(chain.at(point, this.#t));
    const to = this.#pixel(arrows.at(point, this.#t));
    pen.strokeStyle = pen.fillStyle = colour("accent");
    pen.lineWidth = 2.4;
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    const head = Math.min(9, 0.6 * length + 2);
    const angle = Math.atan2(to.y - from.y, to.x - from.x);
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x - 0.7 * head * Math.cos(angle), to.y - 0.7 * head * Math.sin(angle));
    pen.stroke();
    pen.beginPath();
    pen.moveTo(to.x, to.y);
    for (const side of [-0.45, 0.45]) {
      pen.lineTo(to.x - head * Math.cos(angle + side), to.y - head * Math.sin(angle + side));
    }
    pen.fill();
  }

  #drawArrows(pen: CanvasRenderingContext2D): void {
    const { chain, arrows } = this.#content!;
    if (!arrows || this.#t === 0) return;
    pen.strokeStyle = colour("accent");
    pen.globalAlpha = 0.4;
    pen.lineWidth = 1;
    pen.beginPath();
    for (let point = 0; point < chain.N; point++) {
      const from = this.#pixel(chain.at(point, this.#t));
      const to = this.#pixel(arrows.at(point, this.#t));
      pen.moveTo(from.x, from.y);
      pen.lineTo(to.x, to.y);
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }

  #ring(pen: CanvasRenderingContext2D, place: Place, radius: number, filled: boolean): void {
    const { x, y } = this.#pixel(place);
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.lineWidth = 1.6;
    pen.strokeStyle = colour("ink");
    pen.fillStyle = colour("paper");
    if (filled) pen.fill();
    pen.stroke();
  }

  #pixel({ x, y }: Place): Place {
    return { x: this.#toPixel.x(x), y: this.#toPixel.y(y) };
  }

  #describe(point: number): string {
    const { chain, arrows } = this.#content!;
    const written = ({ x, y }: Place) => `(${signed(x)}, ${signed(y)})`;
    const words = [`point ${point + 1}: xₜ = ${written(chain.at(point, this.#t))}`];
    if (arrows && this.#t > 0) words.push(`μ_θ = ${written(arrows.at(point, this.#t))}`);
    return words.join(", ");
  }
}

/** The points in groups of equal size, by how far from the middle they are at t = 0. */
function byDistanceFromMiddle(chain: PointChain): number[][] {
  const distances = Array.from({ length: chain.N }, (_, point) => {
    const { x, y } = chain.at(point, 0);
    return { point, distance: Math.hypot(x, y) };
  });
  distances.sort((a, b) => a.distance - b.distance);
  const groups: number[][] = Array.from({ length: TINTS }, () => []);
  distances.forEach(({ point }, rank) => groups[Math.floor(rank * TINTS / chain.N)].push(point));
  return groups;
}

/** A colour from the middle of the data, 0, to its rim, 1; the theme has three, as #rrggbb. */
function tint(share: number): string {
  const channels = (name: string) =>
    [1, 3, 5].map((at) => parseInt(colour(name).slice(at, at + 2), 16));
  const [from, to] = share < 0.5 ? ["near", "between"] : ["between", "far"];
  const part = share < 0.5 ? 2 * share : 2 * share - 1;
  const [low, high] = [channels(from), channels(to)];
  return `rgb(${low.map((value, i) => Math.round(value + part * (high[i] - value))).join(" ")})`;
}

function signed(value: number): string {
  return value.toFixed(2).replace("-", "−");
}
