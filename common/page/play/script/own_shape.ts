/// <reference lib="dom" />
import type { Place, Stage } from "./stage.ts";

/** How far apart the points along a stroke are, and how many there are at most. */
const [SPACING, MOST] = [0.05, 600];
/** How far an arrow key moves the pen. */
const STRIDE = 0.1;
/** The plane's half width in the address's numbers, which go from 0 to 4095. */
const [HALF, LEVELS] = [2.3, 4095];

/** A shape that someone draws: points along strokes. */
export class OwnShape {
  readonly #stage: Stage;
  #points: Place[] = [];
  #last: Place | undefined;
  #pen: Place = [0, 0];
  #down = false;
  #active = false;
  #onDrawn: () => void = () => {};

  /** Draws on a stage, with the pointer or with the keyboard, while it is active. */
  constructor(stage: Stage) {
    this.#stage = stage;
    const { canvas } = stage;
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.#active) return;
      canvas.setPointerCapture(event.pointerId);
      this.#last = undefined;
      this.#moveTo(stage.placeOf(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.#active && event.buttons === 1) this.#moveTo(stage.placeOf(event));
    });
    canvas.addEventListener("pointerup", () => {
      this.#last = undefined;
      if (this.#active) this.#onDrawn();
    });
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Calls back after each stroke. */
  onDrawn(listener: () => void): void {
    this.#onDrawn = listener;
  }

  /** Begins or ends drawing. */
  setActive(active: boolean): void {
    this.#active = active;
    const { canvas } = this.#stage;
    canvas.classList.toggle("drawable", active);
    if (active) canvas.tabIndex = 0;
    else canvas.removeAttribute("tabindex");
    canvas.setAttribute("role", active ? "application" : "img");
  }

  /** The points. */
  get points(): Place[] {
    return this.#points;
  }

  /** Takes over other points. */
  take(points: Place[]): void {
    this.#points = points;
    this.#last = undefined;
    this.#stage.redraw();
  }

  /** Two numbers a line, as the script reads a CSV file; undefined for too few points. */
  table(): string | undefined {
    if (this.#points.length < 2) return undefined;
    return this.#points.map(([x, y]) => `${x.toFixed(3)},${y.toFixed(3)}`).join("\n");
  }

  /** Draws the points and the pen. */
  draw(stage: Stage): void {
    stage.dots(Float32Array.from(this.#points.flat()), { tone: "blue", alpha: 0.9 });
    if (this.#points.length === 0) stage.says("draw a shape here");
    if (document.activeElement === stage.canvas) {
      stage.cross(this.#pen, this.#down ? "accent" : "soft");
    }
  }

  #moveTo(place: Place): void {
    const [x, y] = place.map((value) => Math.max(-HALF, Math.min(HALF, value)));
    const from = this.#last ?? [x, y];
    const steps = Math.max(1, Math.round(Math.hypot(x - from[0], y - from[1]) / SPACING));
    if (this.#last && Math.hypot(x - from[0], y - from[1]) < SPACING) return;
    for (let i = 1; i <= steps && this.#points.length < MOST; i++) {
      const share = i / steps;
      this.#points.push([from[0] + share * (x - from[0]), from[1] + share * (y - from[1])]);
    }
    this.#last = [x, y];
    this.#pen = [x, y];
    this.#stage.redraw();
  }

  #key(event: KeyboardEvent): void {
    if (!this.#active) return;
    const move = ARROWS[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    if (move) {
      this.#pen = [this.#pen[0] + STRIDE * move[0], this.#pen[1] + STRIDE * move[1]];
      if (this.#down) this.#moveTo(this.#pen);
    } else {
      this.#down = !this.#down;
      this.#last = undefined;
      if (this.#down) this.#moveTo(this.#pen);
      else this.#onDrawn();
    }
    this.#stage.redraw();
  }
}

/** Where each arrow key leads. */
export const ARROWS: Record<string, Place | undefined> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** Points as letters for the address: two letters of 64 for each coordinate. */
export function writeShape(points: Place[]): string {
  return points.flat().map((value) => {
    const level = Math.round((value / HALF + 1) / 2 * LEVELS);
    return LETTERS[level >> 6] + LETTERS[level & 63];
  }).join("");
}

/** The points that {@linkcode writeShape} wrote; none if it is something else. */
export function readShape(text: string): Place[] {
  const values: number[] = [];
  for (let i = 0; i + 1 < text.length; i += 2) {
    const [high, low] = [LETTERS.indexOf(text[i]), LETTERS.indexOf(text[i + 1])];
    if (high < 0 || low < 0) return [];
    values.push((2 * (64 * high + low) / LEVELS - 1) * HALF);
  }
  const count = Math.min(MOST, values.length >> 1);
  return Array.from({ length: count }, (_, i): Place => [values[2 * i], values[2 * i + 1]]);
}

/** What stands in an address as it is. */
export const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
