/// <reference lib="dom" />
import { byId } from "../../page_script/elements.ts";
import { onThemeChange } from "../../page_script/theme.ts";
import { timeControl } from "../../page_script/time_control.ts";
import type { Destruction } from "../protocol.ts";
import type { Address } from "./address.ts";
import type { Engine } from "./engine.ts";
import { drawImage } from "./images.ts";
import { Stage } from "./stage.ts";
import type { Switches } from "./switches.ts";

/** Points of each cloud. */
const COUNT = 1000;
/** The digit's height and width. */
const SIDE = 28;

/** Chapter a: a slider over t. */
export function destroyChapter(
  { engine, address, switches, digit, trouble }: {
    engine: Engine;
    address: Address;
    switches: Switches;
    digit: Uint8Array;
    trouble: (error: unknown) => void;
  },
): void {
  const stages = { closed: new Stage("destroy-closed"), steps: new Stage("destroy-steps") };
  const readout = byId("destroy-readout");
  let destruction: Destruction | undefined;
  let asked = 0;
  const last = () => destruction ? destruction.alphaBar.length - 1 : 0;
  const usual = () => Math.round(last() / 2);
  let placing = false;

  /** Moves the slider to where the address says, which may be of another T: it stays as it is. */
  function place() {
    if (!destruction) return;
    placing = true;
    const t = address.whole("ta", { usual: usual(), from: 0, to: last() });
    time.setMoments(last() + 1, t);
    placing = false;
  }

  const time = timeControl("destroy-time", {
    plays: "up",
    describe: (t) => `t = ${t}`,
    onChange: (t) => {
      if (!placing) address.set({ ta: t === usual() ? undefined : t });
      show(t);
    },
  });

  function show(t: number) {
    if (!destruction) return;
    const { alphaBar, beta } = destruction;
    const at = Math.min(t, alphaBar.length - 1);
    for (const name of ["closed", "steps"] as const) {
      const points = destruction[name].subarray(at * 2 * COUNT, (at + 1) * 2 * COUNT);
      stages[name].show((stage) => stage.dots(points, { tone: "blue", alpha: 0.65 }));
      const pixels = destruction[name === "closed" ? "digitClosed" : "digitSteps"];
      const digit = pixels.subarray(at * SIDE * SIDE, (at + 1) * SIDE * SIDE);
      drawImage(byId(`destroy-${name}-digit`), digit, SIDE);
    }
    const signal = Math.sqrt(alphaBar[at]);
    const noise = Math.sqrt(1 - alphaBar[at]);
    readout.textContent =
      `at t = ${at} of ${alphaBar.length - 1}: ${signal.toFixed(3)} of the data and ` +
      `${noise.toFixed(3)} of noise; β = ${beta[at].toPrecision(2)}`;
  }

  async function compute() {
    const mine = ++asked;
    const now = switches.now;
    if (now.shape === "own" && !now.own) return; // nothing is drawn yet
    try {
      const got = await engine.call("destroy", { switches: now, count: COUNT, digit });
      if (mine !== asked) return;
      destruction = got;
      place();
    } catch (error) {
      trouble(error);
    }
  }

  onThemeChange(() => show(time.position()));
  switches.onChange(compute);
  address.onChange(place);
  compute();
}
