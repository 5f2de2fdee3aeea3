/// <reference lib="dom" />
import { colour } from "../../page_script/elements.ts";
import { onThemeChange } from "../../page_script/theme.ts";

/** A place in the plane. */
export type Place = [x: number, y: number];

/** A square canvas that shows the plane from −reach to reach, y upwards. */
export class Stage {
  readonly canvas: HTMLCanvasElement;
  readonly reach: number;
  readonly #pen: CanvasRenderingContext2D;
  #draw: (stage: Stage) => void = () => {};
  #size = 0;
  #scheduled = false;

  /** The stage in an element of the page; it is as wide as that and draws when there is something new. */
  constructor(id: string, { reach = 3 }: { reach?: number } = {}) {
    const place = document.getElementById(id)!;
    this.canvas = place.querySelector("canvas")!;
    this.reach = reach;
    this.#pen = this.canvas.getContext("2d")!;
    onThemeChange(() => this.redraw());
    new ResizeObserver(() => {
      this.#size = Math.floor(place.clientWidth);
      const pixels = Math.round(this.#size * devicePixelRatio);
      if (this.#size === 0 || this.canvas.width === pixels) return;
      this.canvas.width = this.canvas.height = pixels;
      this.redraw();
    }).observe(place);
  }

  /** Whether it is as on a phone, with room for half as much. */
  get isSmall(): boolean {
    return this.#size < 240;
  }

  /** What is drawn from now on, in each frame in which something has changed. */
  show(draw: (stage: Stage) => void): void {
    this.#draw = draw;
    this.redraw();
  }

  /** Draws in the next frame. */
  redraw(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      if (this.#size === 0) return;
      const scale = this.canvas.width / this.#size;
      this.#pen.setTransform(scale, 0, 0, scale, 0, 0);
      this.#pen.clearRect(0, 0, this.#size, this.#size);
      this.#draw(this);
    });
  }

  /** The pixel of a place. */
  pixel([x, y]: Place): Place {
    const half = this.#size / 2;
    return [half + half * x / this.reach, half - half * y / this.reach];
  }

  /** The place under the pointer. */
  placeOf({ clientX, clientY }: MouseEvent): Place {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const at = (pixels: number) => this.reach * (2 * pixels / width - 1);
    return [at(clientX - left), -at(clientY - top)];
  }

  /** Points, [N·2], as dots. */
  dots(
    points: Float32Array,
    { tone = "ink", alpha = 0.6 }: { tone?: string; alpha?: number } = {},
  ) {
    const pen = this.#pen;
    const radius = this.isSmall ? 1 : 1.5;
    pen.globalAlpha = alpha;
    pen.fillStyle = colour(tone);
    pen.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = this.pixel([points[i], points[i + 1]]);
      pen.moveTo(x + radius, y);
      pen.arc(x, y, radius, 0, 2 * Math.PI);
    }
    pen.fill();
    pen.globalAlpha = 1;
  }

  /** A line through places, [n·2]. */
  path(places: ArrayLike<number>, { tone = "ink", alpha = 1, width = 1.6 } = {}): void {
    const pen = this.#pen;
    pen.globalAlpha = alpha;
    pen.strokeStyle = colour(tone);
    pen.lineWidth = width;
    pen.lineJoin = pen.lineCap = "round";
    pen.beginPath();
    for (let i = 0; i < places.length; i += 2) {
      pen.lineTo(...this.pixel([places[i], places[i + 1]]));
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }

  /** A small circle with a rim. */
  ring(place: Place, { tone = "ink", fill = "paper", radius = 5 } = {}): void {
    const pen = this.#pen;
    const [x, y] = this.pixel(place);
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fillStyle = colour(fill);
    pen.strokeStyle = colour(tone);
    pen.lineWidth = 2;
    pen.fill();
    pen.stroke();
  }

  /** Two thin lines that cross at a place. */
  cross(place: Place, tone = "ink"): void {
    const pen = this.#pen;
    const [x, y] = this.pixel(place);
    pen.strokeStyle = colour(tone);
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(x - 9, y);
    pen.lineTo(x + 9, y);
    pen.moveTo(x, y - 9);
    pen.lineTo(x, y + 9);
    pen.stroke();
  }

  /** Arrows from places, [n·2], along vectors, [n·2], in places' unit; those too short to see are dots. */
  arrows(from: ArrayLike<number>, along: ArrayLike<number>, tone = "accent"): void {
    const pen = this.#pen;
    pen.strokeStyle = pen.fillStyle = colour(tone);
    pen.lineWidth = 1.5;
    for (let i = 0; i < from.length; i += 2) {
      const [x, y] = this.pixel([from[i], from[i + 1]]);
      const [endX, endY] = this.pixel([from[i] + along[i], from[i + 1] + along[i + 1]]);
      const length = Math.hypot(endX - x, endY - y);
      pen.beginPath();
      if (length < 2) {
        pen.arc(x, y, 0.9, 0, 2 * Math.PI);
        pen.fill();
        continue;
      }
      const angle = Math.atan2(endY - y, endX - x);
      const head = Math.min(5.5, 0.55 * length);
      pen.moveTo(x, y);
      pen.lineTo(endX - 0.6 * head * Math.cos(angle), endY - 0.6 * head * Math.sin(angle));
      pen.stroke();
      pen.beginPath();
      pen.moveTo(endX, endY);
      for (const side of [-0.5, 0.5]) {
        pen.lineTo(endX - head * Math.cos(angle + side), endY - head * Math.sin(angle + side));
      }
      pen.fill();
    }
  }

  /** A line of text in the middle. */
  says(text: string): void {
    const pen = this.#pen;
    pen.fillStyle = colour("soft");
    pen.font = "15px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.fillText(text, this.#size / 2, this.#size / 2, this.#size - 20);
  }
}
