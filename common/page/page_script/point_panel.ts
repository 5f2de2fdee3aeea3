/// <reference lib="dom" />
import * as Plot from "@observablehq/plot";
import { byId, onWidth } from "./elements.ts";
import type { Place, PointChain } from "./point_chain.ts";
import {
  byDistanceFromMiddle,
  drawAllArrows,
  drawArrow,
  drawPath,
  drawPoints,
  drawRing,
  type Paper,
} from "./point_drawing.ts";

/** How near the pointer has to be to a point, in pixels. */
const NEAR = 24;
const MARGIN = { left: 30, right: 8, top: 8, bottom: 22 };

/** What a panel shows. */
export interface PanelContent {
  chain: PointChain;
  /** Where the chain begins. */
  from: "data" | "noise";
  /** Half the side of the square that is shown. */
  reach: number;
  /** The t whose places decide the colours. Default: 0. */
  colouredAt?: number;
  /** Where arrows from the points lead to, if there are any; there are none at t = 0. */
  arrows?: PointChain;
}

/** A cloud of points at some t, on a canvas over axes; one of the points can be followed. */
export class PointPanel {
  readonly #stage: HTMLElement;
  readonly #canvas = document.createElement("canvas");
  readonly #note: HTMLElement;
  readonly #field: HTMLInputElement;
  #content?: PanelContent;
  #groups: number[][] = [];
  #scales = { x: (value: number) => value, y: (value: number) => value };
  #width = 0;
  #t = 0;
  #hovered?: number;
  #showsAll = false;

  /** Uses `<id>-stage` for the drawing, `<id>-note` for a line on a point, `<id>-point` to choose one. */
  constructor(id: string) {
    this.#stage = byId(`${id}-stage`);
    this.#note = byId(`${id}-note`);
    this.#field = byId<HTMLInputElement>(`${id}-point`);
    this.#canvas.setAttribute("role", "img");
    this.#canvas.setAttribute("aria-label", this.#stage.dataset.label ?? "");
    this.#stage.append(this.#canvas);
    this.#canvas.addEventListener("pointermove", (event) => this.#hover(this.#pointAt(event)));
    this.#canvas.addEventListener("pointerleave", () => this.#hover(undefined));
    this.#canvas.addEventListener("click", (event) => this.#follow(this.#pointAt(event)));
    this.#field.addEventListener("input", () => this.draw());
    onWidth(this.#stage, (width) => this.#layOut(width));
  }

  /** Other points, or a bigger part of the plane. */
  setContent(content: PanelContent): void {
    this.#content = content;
    this.#field.max = String(content.chain.N);
    this.#groups = byDistanceFromMiddle(content.chain, content.colouredAt);
    this.#hovered = undefined;
    this.#layOut(this.#stage.clientWidth);
  }

  /** Goes to a moment. */
  show(t: number): void {
    this.#t = t;
    this.draw();
  }

  /** Whether every point has its arrow, and not only the one that is pointed at. */
  showAllArrows(showsAll: boolean): void {
    this.#showsAll = showsAll;
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

  #hover(point: number | undefined): void {
    if (point === this.#hovered) return;
    this.#hovered = point;
    this.draw();
  }

  #pointAt(event: MouseEvent): number | undefined {
    if (!this.#content) return undefined;
    const { left, top } = this.#canvas.getBoundingClientRect();
    const { x, y } = this.#scales;
    const pixelsPerUnit = x(1) - x(0); // the same in both directions
    const place = {
      x: (event.clientX - left - x(0)) / pixelsPerUnit,
      y: (y(0) - (event.clientY - top)) / pixelsPerUnit,
    };
    return this.#content.chain.nearest(place, this.#t, NEAR / pixelsPerUnit);
  }

  /** Axes of this width, and a canvas over them. */
  #layOut(width: number): void {
    if (!this.#content || width === 0) return;
    const { reach } = this.#content;
    const height = width - MARGIN.left - MARGIN.right + MARGIN.top + MARGIN.bottom;
    const axes = Plot.plot({
      className: "chart",
      width,
      height,
      marginLeft: MARGIN.left,
      marginRight: MARGIN.right,
      marginTop: MARGIN.top,
      marginBottom: MARGIN.bottom,
      x: { domain: [-reach, reach], label: null },
      y: { domain: [-reach, reach], label: null },
      marks: [
        Plot.gridX({ ticks: 5 }),
        Plot.gridY({ ticks: 5 }),
        Plot.axisX({ ticks: 5, tickSize: 0 }),
        Plot.axisY({ ticks: 5, tickSize: 0 }),
      ],
    }) as SVGSVGElement & Plot.Plot;
    this.#stage.querySelector("svg")?.remove();
    this.#stage.prepend(axes);
    this.#scales = { x: axes.scale("x")!.apply, y: axes.scale("y")!.apply };
    this.#width = width;
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
    if (!pen || !this.#content || this.#width === 0) return;
    const density = this.#canvas.width / this.#width;
    pen.setTransform(density, 0, 0, density, 0, 0);
    pen.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    pen.save();
    pen.beginPath();
    const inner = this.#width - MARGIN.left - MARGIN.right;
    pen.rect(MARGIN.left, MARGIN.top, inner, inner);
    pen.clip();
    const { x, y } = this.#scales;
    this.#drawContent({ pen, pixel: (place) => ({ x: x(place.x), y: y(place.y) }) });
    pen.restore();
  }

  #drawContent(paper: Paper): void {
    const { chain, from, arrows } = this.#content!;
    const t = this.#t;
    const followed = this.#followed();
    drawPoints(paper, {
      chain,
      groups: this.#groups,
      t,
      radius: this.#width < 320 ? 1.3 : 1.7,
      alpha: followed === undefined ? 0.75 : 0.25,
    });
    if (this.#showsAll && arrows && t > 0) drawAllArrows(paper, { chain, arrows, t });
    if (followed !== undefined) drawPath(paper, { chain, point: followed, t, from });
    for (const point of new Set([followed, this.#hovered])) {
      if (point === undefined) continue;
      drawRing(paper, chain.at(point, t), { radius: 5, fill: "paper" });
      if (arrows && t > 0) drawArrow(paper, chain.at(point, t), arrows.at(point, t));
    }
    this.#note.textContent = this.#describe(this.#hovered ?? followed);
  }

  #describe(point: number | undefined): string {
    if (point === undefined) return "";
    const { chain, arrows } = this.#content!;
    const written = ({ x, y }: Place) => `(${signed(x)}, ${signed(y)})`;
    const where = `point ${point + 1} is at ${written(chain.at(point, this.#t))}`;
    return arrows && this.#t > 0
      ? `${where}, its arrow leads to ${written(arrows.at(point, this.#t))}`
      : where;
  }
}

function signed(value: number): string {
  return value.toFixed(2).replace("-", "−");
}
