/// <reference lib="dom" />
import { byId } from "../../page_script/elements.ts";
import { timeControl } from "../../page_script/time_control.ts";
import { type Snapshot, WIND } from "../protocol.ts";
import { type Address, numberOf } from "./address.ts";
import type { PointEngine } from "./point_engine.ts";
import { ARROWS } from "./own_shape.ts";
import { type Place, Stage } from "./stage.ts";

/** How often a point is sent down at once, and how many ways are kept. */
const [SENT, KEPT] = [6, 30];
/** How far an arrow key moves the point of noise. */
const STRIDE = 0.1;
/** Where the point of noise is at first. */
const USUAL: Place = [1.2, 1.6];

/** Chapter c: both chains, the wind, and points that are sent down. */
export function walkChapter(
  { engine, address, trouble }: {
    engine: PointEngine;
    address: Address;
    trouble: (error: unknown) => void;
  },
): void {
  const stages = { forward: new Stage("walk-forward"), reverse: new Stage("walk-reverse") };
  const [wind, cloud] = ["walk-wind", "walk-cloud"].map((id) => byId<HTMLInputElement>(id));
  let snapshot: Snapshot | undefined;
  let from = readPlace(address.get("from", ""));
  let ways: Float32Array[] = [];
  let sent = 0;

  const time = timeControl("walk-time", {
    plays: "to and fro",
    describe: (t) => `t = ${t}`,
    onChange: (t) => {
      const last = snapshot ? snapshot.T : t;
      if (!placing) address.set({ tc: t === last ? undefined : t });
      draw();
    },
  });
  let placing = false;

  /** Moves the slider to where the address says, which may be of another T: it stays as it is. */
  function place() {
    if (!snapshot) return;
    const { T } = snapshot;
    placing = true;
    time.setMoments(T + 1, address.whole("tc", { usual: T, from: 0, to: T }));
    placing = false;
  }

  function check() {
    for (const [name, option] of Object.entries({ wind, cloud })) {
      option.checked = address.oneOf(name, ["on", "off"]) === "on";
    }
  }

  function draw() {
    say();
    stages.forward.show((stage) => {
      if (snapshot) stage.dots(cloudAt(snapshot.forward), { tone: "blue", alpha: 0.65 });
    });
    stages.reverse.show((stage) => {
      if (!snapshot) return;
      if (cloud.checked) {
        stage.dots(cloudAt(snapshot.reverse), { tone: "orange", alpha: ways.length ? 0.3 : 0.6 });
      }
      const t = time.position();
      if (wind.checked && t > 0) drawWind(stage, snapshot, t);
      for (const way of ways) {
        stage.path(way.subarray(2 * t), { alpha: 0.75 }); // from t on: where it has been
        stage.path(way.subarray(0, 2 * (t + 1)), { alpha: 0.14, width: 1.2 });
      }
      for (const way of ways) {
        stage.ring([way[2 * t], way[2 * t + 1]], { fill: "orange", radius: 4 });
      }
      stage.ring(from, { fill: "accent", tone: "paper", radius: 6 });
      if (document.activeElement === stage.canvas) stage.cross(from);
    });
  }

  function cloudAt(chain: Float32Array): Float32Array {
    const { N } = snapshot!;
    const t = time.position();
    return chain.subarray(2 * t * N, 2 * (t + 1) * N);
  }

  function drawWind(stage: Stage, { wind }: Snapshot, t: number) {
    const { side, reach } = WIND;
    const count = side * side;
    const along = wind.slice(2 * (t - 1) * count, 2 * t * count);
    const scale = scaleOf(along);
    const stride = stage.isSmall ? 2 : 1; // every second arrow, twice as long
    const [places, arrows]: number[][] = [[], []];
    for (let row = 0; row < side; row += stride) {
      for (let column = 0; column < side; column += stride) {
        const k = 2 * (row * side + column);
        places.push(...[column, row].map((i) => reach * (2 * i / (side - 1) - 1)));
        arrows.push(stride * scale * along[k], stride * scale * along[k + 1]);
      }
    }
    stage.arrows(places, arrows);
  }

  function say() {
    const t = time.position();
    const words: string[] = [];
    if (snapshot && wind.checked && t > 0) {
      const count = WIND.side * WIND.side;
      const scale = scaleOf(snapshot.wind.subarray(2 * (t - 1) * count, 2 * t * count));
      const longer = scale * (stages.reverse.isSmall ? 2 : 1);
      words.push(`The wind at t = ${t}, drawn ${longer.toPrecision(2)} times as long as it is.`);
    }
    if (ways.length > 0) {
      words.push(`${ways.length} ways from (${from.map((value) => value.toFixed(1)).join(", ")}).`);
    }
    byId("walk-readout").textContent = words.join(" ");
  }

  async function send() {
    try {
      const got = await engine.call("walk", { from, count: SENT, seed: ++sent });
      const length = 2 * (got.T + 1);
      const fresh = Array.from(
        { length: SENT },
        (_, k) => got.ways.subarray(k * length, (k + 1) * length),
      );
      ways = [...ways, ...fresh].slice(-KEPT);
      time.goTo(matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : got.T);
      if (time.position() > 0) byId("walk-time-play").click(); // down with them
    } catch (error) {
      trouble(error);
    }
  }

  function moveTo(place: Place) {
    from = place.map((value) => Math.max(-3, Math.min(3, value))) as Place;
    ways = [];
    const text = writePlace(from);
    address.set({ from: text === writePlace(USUAL) ? undefined : text });
    draw();
  }

  const { canvas } = stages.reverse;
  canvas.addEventListener("click", async (event) => {
    moveTo(stages.reverse.placeOf(event));
    await send();
  });
  canvas.addEventListener("keydown", async (event) => {
    const move = ARROWS[event.key];
    if (move) {
      event.preventDefault();
      moveTo([from[0] + STRIDE * move[0], from[1] + STRIDE * move[1]]);
    } else if (event.key === "Enter") {
      await send();
    }
  });
  for (const event of ["focus", "blur"]) canvas.addEventListener(event, draw);
  byId("walk-send").addEventListener("click", send);
  byId("walk-clear").addEventListener("click", () => {
    ways = [];
    draw();
  });
  for (const [name, option] of Object.entries({ wind, cloud })) {
    option.addEventListener("change", () => {
      address.set({ [name]: option.checked ? undefined : "off" });
      draw();
    });
  }
  check();
  address.onChange(() => {
    check();
    const now = readPlace(address.get("from", ""));
    if (writePlace(now) !== writePlace(from)) [from, ways] = [now, []];
    place();
    draw();
  });

  engine.on("snapshot", (now) => {
    const isOther = snapshot?.T !== now.T;
    if (now.step === 0) ways = [];
    snapshot = now;
    if (isOther) place();
    else draw();
  });
}

/** What to multiply the wind of a t with, so that its arrows can be seen and told apart. */
function scaleOf(along: Float32Array): number {
  let longest = 0;
  for (let i = 0; i < along.length; i += 2) {
    longest = Math.max(longest, Math.hypot(along[i], along[i + 1]));
  }
  const { side, reach } = WIND;
  return longest > 0 ? 1.5 * (2 * reach / (side - 1)) / longest : 1;
}

function writePlace(place: Place): string {
  return place.map((value) => value.toFixed(2)).join(",");
}

/** What {@linkcode writePlace} wrote; the usual place if it is something else. */
function readPlace(text: string): Place {
  const values = text.split(",").map(numberOf);
  const isPlace = values.length === 2 && values.every((value) => Math.abs(value) <= 3);
  return isPlace ? values as Place : USUAL;
}
