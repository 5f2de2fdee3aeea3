/// <reference lib="dom" />
import { byId } from "../../page_script/elements.ts";
import { timeControl } from "../../page_script/time_control.ts";
import type { Address } from "./address.ts";
import type { Engine } from "./engine.ts";
import { drawImage, thumbnails } from "./images.ts";
import { RadioGroup } from "./radio_group.ts";

/** Places on the way, both ends with them, and how many of these are shown in the row. */
const [STOPS, IN_ROW] = [29, 8];
/** From a place in the row to the next. */
const STRIDE = (STOPS - 1) / (IN_ROW - 1);

const LEFT = ["1", "2", "3", "4", "5", "6", "7", "8"] as const;
const RIGHT = ["4", "1", "2", "3", "5", "6", "7", "8"] as const;

/** Which noises there are, and in how many steps one walks down from them. */
export interface BetweenOptions {
  seed: number;
  sampleSteps: number;
}

/** The part of chapter d that goes from one noise of its sheet to another. */
export interface Between {
  /** Computes the way, where that has not been done. */
  walk(options: BetweenOptions): void;
}

/** Makes its switches, its slider and its row work. */
export function betweenNoises({ engine, address, trouble, size, of }: {
  engine: Engine;
  address: Address;
  trouble: (error: unknown) => void;
  size: number;
  of: number;
}): Between {
  const left = new RadioGroup("left", LEFT, address);
  const right = new RadioGroup("right", RIGHT, address);
  let options: BetweenOptions | undefined;
  let done = "";
  let noises: Float32Array | undefined;
  let images: Float32Array | undefined;

  const one = (of: Float32Array, i: number) => of.subarray(i * size * size, (i + 1) * size * size);
  const place = () => address.whole("between", { usual: (STOPS - 1) / 2, from: 0, to: STOPS - 1 });
  const strip = thumbnails("between-strip", {
    ...{ count: IN_ROW, size, label: "place" },
    onPick: () => time.goTo(STRIDE * strip.picked),
  });
  const time = timeControl("between-time", {
    plays: "to and fro",
    describe: (i) => `λ = ${(i / (STOPS - 1)).toFixed(2)}`,
    onChange(i) {
      address.set({ between: i === (STOPS - 1) / 2 ? undefined : i });
      show();
    },
  });

  function show() {
    const i = time.position();
    strip.pick(i % STRIDE === 0 ? i / STRIDE : -1);
    if (!noises || !images) return;
    drawImage(byId("between-noise"), one(noises, i), size);
    drawImage(byId("between-digit"), one(images, i), size);
    const row = Array.from({ length: IN_ROW }, (_, k) => [...one(images!, STRIDE * k)]);
    strip.show(Float32Array.from(row.flat()));
    const lambda = i / (STOPS - 1);
    const [a, b] = [one(noises, 0), one(noises, STOPS - 1)];
    const onLine = a.map((x, k) => (1 - lambda) * x + lambda * b[k]);
    byId("between-readout").textContent =
      `At λ = ${lambda.toFixed(2)} the noise is ${length(one(noises, i))} long; ` +
      `on the straight line it would be ${length(onLine)}.`;
  }

  async function walk() {
    if (!options) return;
    const ends = { left: Number(left.value) - 1, right: Number(right.value) - 1 };
    const given = { ...options, ...ends, of, stops: STOPS };
    if (JSON.stringify(given) === done) return;
    done = JSON.stringify(given);
    try {
      await engine.call("between", given);
    } catch (error) {
      trouble(error);
    }
  }

  engine.on("chain", ({ name, first, xt, x0Hat }) => {
    if (name !== "between") return;
    if (first) noises = xt;
    images = x0Hat;
    show();
  });
  for (const group of [left, right]) group.onChange(walk);
  time.setMoments(STOPS, place());
  address.onChange(() => {
    time.goTo(place());
    walk();
  });
  return {
    walk(next) {
      options = next;
      walk();
    },
  };
}

function length(noise: Float32Array): string {
  return Math.hypot(...noise).toFixed(1);
}
