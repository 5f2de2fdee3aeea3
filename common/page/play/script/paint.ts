/// <reference lib="dom" />
import { byId, colour } from "../../page_script/elements.ts";
import type { Address } from "./address.ts";
import type { Engine } from "./engine.ts";
import { drawImage, gallery } from "./images.ts";
import { ARROWS, LETTERS } from "./own_shape.ts";

/** Fillings at once. */
const COUNT = 6;
/** The chain of a filling: fewer steps than the command's, and shorter jumps. */
const CHAIN = { sampleSteps: 25, jumpLength: 5, jumps: 3 };
/** Pixels that the brush reaches from its middle. */
const RADIUS = 1.6;

/**
 * Painting over an image, and having it filled in. What is painted over stands in the address, and how
 * often it has been filled in: each time is another one.
 */
export interface Paint {
  /** Takes an image over, in [-1, 1], with what the address says of it. */
  take(image: Float32Array): void;
  /** Nothing is painted over any more. */
  makeWhole(): void;
  /** The fillings were of another image. */
  forgetFillings(): void;
}

/** Makes the stage, the brush and the buttons work. */
export function paintChapter(
  { engine, address, trouble, size }: {
    engine: Engine;
    address: Address;
    trouble: (error: unknown) => void;
    size: number;
  },
): Paint {
  const canvas = byId("paint-stage").querySelector("canvas")!;
  const showFillings = gallery("fill-strip", { count: COUNT, size, label: "filling" });
  const readout = byId("fill-readout");
  let image = new Float32Array(size * size).fill(-1);
  let known = readKnown(address.get("hidden", ""), size * size);
  let brush: [x: number, y: number] = [size / 2, size / 2];
  /** Which image with which hole was filled in at last, and how often. */
  let filled = "";
  let awaited = false;
  const times = () => address.whole("filled", { usual: 0, from: 0, to: 2 ** 31 });

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
    hide((i) => {
      const distance = Math.hypot(i % size + 0.5 - x, Math.floor(i / size) + 0.5 - y);
      return distance <= RADIUS || !known[i];
    });
  }

  /** Hides the pixels of which that is true, and shows the others. */
  function hide(isHidden: (pixel: number) => boolean) {
    known = known.map((_, i) => isHidden(i) ? 0 : 1);
    address.set({
      hidden: known.every(Boolean) ? undefined : writeKnown(known),
      filled: undefined,
    });
    show();
  }

  /** Has the hole filled in as often as the address says, unless that is what is to be seen already. */
  async function fill() {
    const key = [times(), writeKnown(known), image].join(" ");
    if (key === filled) return;
    filled = key;
    showFillings(new Float32Array(COUNT * size * size).fill(-1));
    awaited = times() > 0;
    if (!awaited) return;
    try {
      await engine.call("fill", { image, known, count: COUNT, seed: times() - 1, ...CHAIN });
    } catch (error) {
      trouble(error);
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
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons !== 1) return;
    brush = placeOf(event);
    paintAt(brush);
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

  byId("fill").addEventListener("click", () => {
    if (known.every(Boolean)) {
      readout.textContent = "Paint over a part of it first: that is filled in.";
      return;
    }
    address.set({ filled: times() + 1 });
    fill();
  });
  byId("paint-whole").addEventListener("click", () => hide(() => false));
  byId("paint-half").addEventListener("click", () => hide((i) => i % size >= size / 2));
  engine.on("chain", ({ name, t, share, xt }) => {
    if (name !== "fill" || !awaited) return;
    showFillings(xt);
    readout.textContent = t === 0
      ? `${COUNT} fillings of the same hole; what was known is as it was.`
      : `filling: ${Math.round(100 * share)} %`;
  });
  show();
  return {
    take(other) {
      image = Float32Array.from(other, (value) => Math.max(-1, Math.min(1, value)));
      known = readKnown(address.get("hidden", ""), size * size);
      if (known.every(Boolean)) address.set({ filled: undefined }); // there is nothing to fill in
      show();
      fill();
    },
    makeWhole: () => hide(() => false),
    forgetFillings: () => address.set({ filled: undefined }),
  };
}

/** Which pixels are known as letters for the address, six pixels each. */
function writeKnown(known: Uint8Array): string {
  let text = "";
  for (let i = 0; i < known.length; i += 6) {
    text += LETTERS[
      [0, 1, 2, 3, 4, 5].reduce((bits, k) => bits | (known[i + k] === 0 ? 1 << k : 0), 0)
    ];
  }
  return text;
}

/** What {@linkcode writeKnown} wrote; all are known if it is something else. */
function readKnown(text: string, pixels: number): Uint8Array<ArrayBuffer> {
  const bits = [...text].map((letter) => LETTERS.indexOf(letter));
  const isSound = bits.length === Math.ceil(pixels / 6) && bits.every((value) => value >= 0);
  return Uint8Array.from(
    { length: pixels },
    (_, i) => isSound && bits[Math.floor(i / 6)] >> i % 6 & 1 ? 0 : 1,
  );
}
