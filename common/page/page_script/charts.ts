/// <reference lib="dom" />
import * as Plot from "@observablehq/plot";
import type { PerTime } from "../run_data.ts";
import { onWidth } from "./elements.ts";
import type { TimeControl } from "./time_control.ts";

/** A chart over t, or over steps, with a line at the moment that is shown elsewhere. */
export interface MarkedChart {
  /** Moves the line. */
  mark(x: number): void;
  /** Draws the chart again, with other numbers. */
  update(): void;
}

/** What the keys move while a chart has the focus: a time control, or what goes by places like one. */
export type Moved = Pick<TimeControl, "position" | "goTo" | "text">;

/** Options that all charts of the page share. */
const SHARED: Plot.PlotOptions = {
  marginLeft: 48,
  marginRight: 14,
  marginTop: 16,
  marginBottom: 38,
  className: "chart",
};

/**
 * Keeps a chart in an element, as wide as it, with a marker in it.
 *
 * @param options What to draw now, without its size; undefined for nothing.
 * @param pick What makes it a slider: its name for those who do not see it, what is called with the x that
 * was clicked or dragged to, and what the keys move.
 */
export function markedChart(
  target: HTMLElement,
  { height, options, pick }: {
    height: number;
    options: () => Plot.PlotOptions | undefined;
    pick?: { label: string; to: (x: number) => void; moves: () => Moved };
  },
): MarkedChart {
  let width = 0;
  let marked: number | undefined;
  let chart: (SVGSVGElement & Plot.Plot) | undefined;
  const marker = document.createElementNS("http://www.w3.org/2000/svg", "line");
  marker.setAttribute("class", "marker");

  function draw() {
    const content = options();
    chart?.remove();
    if (!content || width === 0) return;
    chart = Plot.plot({ ...SHARED, ...content, width, height }) as SVGSVGElement & Plot.Plot;
    const { marginTop, marginBottom } = { ...SHARED, ...content };
    marker.setAttribute("y1", String(marginTop));
    marker.setAttribute("y2", String(height - marginBottom!));
    chart.append(marker);
    target.append(chart);
    place();
  }

  function place() {
    const x = chart?.scale("x");
    const isInside = marked !== undefined && x?.domain !== undefined &&
      marked >= Number([...x.domain][0]) && marked <= Number([...x.domain][1]);
    marker.setAttribute("visibility", isInside ? "visible" : "hidden");
    if (pick && x?.domain) {
      const [min, max] = [...x.domain].map(Number);
      target.ariaValueMin = String(min);
      target.ariaValueMax = String(max);
      target.ariaValueNow = String(marked ?? min);
      target.ariaValueText = pick.moves().text();
    }
    if (!isInside) return;
    const at = String(x.apply(marked));
    marker.setAttribute("x1", at);
    marker.setAttribute("x2", at);
  }

  function pickAt(event: PointerEvent) {
    const x = chart?.scale("x");
    if (!x?.invert || event.buttons !== 1) return;
    event.stopPropagation(); // Plot would keep its tip open
    pick!.to(Number(x.invert(event.clientX - chart!.getBoundingClientRect().left)));
  }

  function pickByKey(event: KeyboardEvent) {
    const { position, goTo } = pick!.moves();
    const places: Record<string, number> = {
      ArrowRight: position() + 1,
      ArrowUp: position() + 1,
      ArrowLeft: position() - 1,
      ArrowDown: position() - 1,
      Home: 0,
      End: Infinity,
    };
    if (!Object.hasOwn(places, event.key)) return;
    event.preventDefault();
    goTo(places[event.key]);
  }
  if (pick) {
    target.classList.add("pickable");
    target.tabIndex = 0;
    target.role = "slider";
    target.ariaLabel = pick.label;
    target.addEventListener("pointerdown", pickAt, { capture: true });
    target.addEventListener("pointermove", pickAt);
    target.addEventListener("keydown", pickByKey);
  }

  onWidth(target, (now) => {
    width = now;
    draw();
  });
  return {
    mark(x) {
      marked = x;
      place();
    },
    update: draw,
  };
}

/** A value of single t, from 0 up. */
export function perTimeChart({ t, value }: PerTime, T: number): Plot.PlotOptions {
  const rows = t.map((t, i) => ({ t, value: value[i] }));
  return {
    x: { label: "t", domain: [0, T] },
    y: { label: null, grid: true, zero: true, ticks: 4, nice: true },
    marks: [
      Plot.areaY(rows, { x: "t", y: "value", fill: "var(--orange)", fillOpacity: 0.15 }),
      Plot.line(rows, { x: "t", y: "value", stroke: "var(--orange)", strokeWidth: 1.8 }),
      Plot.ruleY([0], { stroke: "var(--rule)" }),
    ],
  };
}

/** √ᾱₜ, what is left of the data, and √(1−ᾱₜ), the noise. */
export function scheduleChart(alphaBar: Float32Array): Plot.PlotOptions {
  const T = alphaBar.length - 1;
  const curve = (of: (alphaBar: number) => number) =>
    Array.from(alphaBar, (value, t) => ({ t, share: of(value) }));
  const signal = curve(Math.sqrt);
  const noise = curve((value) => Math.sqrt(1 - value));
  const line = (rows: typeof signal, stroke: string) =>
    Plot.line(rows, { x: "t", y: "share", stroke, strokeWidth: 1.8 });
  const name = (text: string, rows: typeof signal, at: number, fill: string) =>
    Plot.text([rows[Math.round(at * T)]], {
      x: "t",
      y: "share",
      text: [text],
      fill,
      dy: -12,
      fontSize: 13,
      stroke: "var(--paper)",
      strokeWidth: 4,
    });
  return {
    x: { label: "t", domain: [0, T] },
    y: { label: null, grid: true, domain: [0, 1.08], ticks: [0, 0.5, 1] },
    marks: [
      line(signal, "var(--blue)"),
      line(noise, "var(--orange)"),
      name("√ᾱₜ", signal, 0.14, "var(--blue)"),
      name("√(1−ᾱₜ)", noise, 0.86, "var(--accent)"), // orange is too pale for letters
    ],
  };
}

/** The share of the samples that are taken for each digit. */
export function digitsChart(perDigit: number[]): Plot.PlotOptions {
  const rows = perDigit.map((share, digit) => ({ digit, share: 100 * share }));
  return {
    x: { label: "digit", type: "band" },
    y: { label: null, grid: true, ticks: 4, tickFormat: (share: number) => `${share} %` },
    marks: [
      Plot.barY(rows, { x: "digit", y: "share", fill: "var(--blue)", fillOpacity: 0.75 }),
      Plot.ruleY([0], { stroke: "var(--rule)" }),
      Plot.ruleY([100 / perDigit.length], { stroke: "var(--ink)", strokeDasharray: "3 3" }),
    ],
  };
}

/** The loss over training: what it is on average, and between which bounds, in every bin of steps. */
export function lossChart(bins: Float32Array): Plot.PlotOptions {
  const rows = Array.from({ length: bins.length / 4 }, (_, i) => {
    const [step, mean, low, high] = bins.subarray(4 * i, 4 * i + 4);
    return { step, mean, low, high };
  });
  const [least, most] = [Math.min, Math.max].map((end) => end(...rows.map(({ mean }) => mean)));
  const isLog = rows.every(({ low }) => low > 0) && most > 10 * least;
  return {
    x: { label: "training step" },
    y: { label: null, type: isLog ? "log" : "linear", grid: true, ticks: 5, tickFormat: "~g" },
    marks: [
      Plot.areaY(rows, {
        x: "step",
        y1: "low",
        y2: "high",
        fill: "var(--blue)",
        fillOpacity: 0.18,
      }),
      Plot.line(rows, { x: "step", y: "mean", stroke: "var(--blue)", strokeWidth: 1.8 }),
      Plot.tip(
        rows,
        Plot.pointerX({
          x: "step",
          y: "mean",
          title: ({ step, mean }) => `step ${step}\nloss ${mean.toPrecision(3)}`,
          fill: "var(--paper)",
          stroke: "var(--rule)",
        }),
      ),
    ],
  };
}
