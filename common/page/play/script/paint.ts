/// <reference lib="dom" />
import { byId, colour } from "../../page_script/elements.ts";
import type { Engine } from "./engine.ts";
import { drawImage, gallery } from "./images.ts";
import { ARROWS } from "./own_shape.ts";

/** Fillings at once. */
const COUNT = 6;
/** The chain of a filling: fewer steps than the command's, and shorter jumps. */
const CHAIN = { sampleSteps: 25, jumpLength: 5, jumps: 3 };
/** Pixels that the brush reaches from its middle. */
const RADIUS = 1.6;

/** Painting over an image, and having it filled in. */
export interface Paint {
  /** Takes another image over, in [-1, 1]. */
  take(image: Float32Array): void;
  /** Whether nothing has been painted over. */
  readonly isWhole: boolean;
}

/** Makes the stage, the brush and the buttons work. */
export function paintChapter(
  { engine, trouble, size }: {
    engine: Engine;
    trouble: (error: unknown) => void;
    size: number;
  },
): Paint {
  const canvas = byId("paint-stage").querySelector("canvas")!;
  const showFillings = gallery("fill-strip", { count: COUNT, size, label: "filling" });
  const readout = byId("fill-readout");
  let image = new Float32Array(size * size).fill(-1);
  let known = new Uint8Array(size * size).fill(1);
  let brush: [x: number, y: number] = [size / 2, size / 2];
  let seed = 0;

  function show() {
    drawImage(canvas, image, size);
    const pen = canvas.getContext("2d")!;
    pen.fillStyle = colour("orange");
    for (let i = 0; i < size * size; i++) {
      if (!known[i]) pen.fillRect(i % size, Math.floor(i / size), 1, 1);
    }
    if (document.activeElement === canvas) {
      pen.strokeStyle = colour("blue");
      pen.lineWidth = 0.4;
      pen.strokeRect(Math.floor(brush[0]), Math.floor(brush[1]), 1, 1);
    }
    const hidden = known.filter((value) => !value).length;
    readout.textContent = hidden === 0
      ? "Nothing is hidden yet."
      : `${hidden} of ${size * size} pixels are hidden.`;
  }

  function paintAt([x, y]: [number, number]) {
    for (let i = 0; i < size * size; i++) {
      const distance = Math.hypot(i % size + 0.5 - x, Math.floor(i / size) + 0.5 - y);
      if (distance <= RADIUS) known[i] = 0;
    }
  }

  function placeOf({ clientX, clientY }: PointerEvent): [number, number] {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [size * (clientX - left) / width, size * (clientY - top) / height];
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    brush = placeOf(event);
    paintAt(brush);
    show();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons !== 1) return;
    brush = placeOf(event);
    paintAt(brush);
    show();
  });
  canvas.addEventListener("keydown", (event) => {
    const move = ARROWS[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    const within = (value: number) => Math.max(0, Math.min(size - 1, value));
    if (move) brush = [within(brush[0] + move[0]), within(brush[1] - move[1])];
    else paintAt([Math.floor(brush[0]) + 0.5, Math.floor(brush[1]) + 0.5]);
    show();
  });
  for (const event of ["focus", "blur"]) canvas.addEventListener(event, show);

  byId("fill").addEventListener("click", async () => {
    if (known.every(Boolean)) {
      readout.textContent = "Paint over a part of it first: that is filled in.";
      return;
    }
    try {
      await engine.call("fill", { image, known, count: COUNT, seed: seed++, ...CHAIN });
    } catch (error) {
      trouble(error);
    }
  });
  byId("paint-whole").addEventListener("click", () => {
    known.fill(1);
    show();
  });
  byId("paint-half").addEventListener("click", () => {
    known = known.map((_, i) => i % size < size / 2 ? 1 : 0);
    show();
  });
  engine.on("chain", ({ name, t, share, xt }) => {
    if (name !== "fill") return;
    showFillings(xt);
    readout.textContent = t === 0
      ? `${COUNT} fillings of the same hole; what was known is as it was.`
      : `filling: ${Math.round(100 * share)} %`;
  });
  show();
  return {
    get isWhole() {
      return known.every(Boolean);
    },
    take(other) {
      image = Float32Array.from(other, (value) => Math.max(-1, Math.min(1, value)));
      known.fill(1);
      show();
    },
  };
}
