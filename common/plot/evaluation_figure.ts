/**
 * The figure of few evaluations: how good the images of several methods are, with standard errors.
 *
 * @module
 */
import * as Plot from "@observablehq/plot";
import { type Chart, chart, COLOURS, sheet } from "./chart.ts";
import { rasterize } from "./raster.ts";

/** What is drawn. */
export interface EvaluationFigure {
  /** Evaluations of the network for each image. */
  evaluations: number[];
  /** The methods, at most four of which have a colour of their own; each list by evaluations. */
  methods: {
    name: string;
    confident: number[];
    confidentError: number[];
    frechet: number[];
    frechetError: number[];
  }[];
}

/** Two charts: sure digits, and the Fréchet distance, both against the evaluations. */
export async function evaluationFigure(figure: EvaluationFigure): Promise<Uint8Array> {
  const sure = panel(figure, {
    title: "Sure digits, in percent",
    of: ({ confident, confidentError }, i) => [100 * confident[i], 100 * confidentError[i]],
    scale: { type: "linear", domain: [0, 100] },
  });
  const frechet = panel(figure, {
    title: "Fréchet distance to real digits",
    of: ({ frechet, frechetError }, i) => [frechet[i], frechetError[i]],
    scale: { type: "log", tickFormat: "~g", ticks: 6 },
  });
  return await rasterize(sheet([{ charts: [sure, frechet] }]));
}

const WIDTH = 420;

function panel(
  { evaluations, methods }: EvaluationFigure,
  { title, of, scale }: {
    title: string;
    of: (method: EvaluationFigure["methods"][number], i: number) => [value: number, error: number];
    scale: Plot.ScaleOptions;
  },
): Chart {
  const data = methods.flatMap((method) =>
    evaluations.map((x, i) => {
      const [y, error] = of(method, i);
      const low = scale.type === "log" ? Math.max(y - error, y / 10) : y - error;
      return { name: method.name, x, y, low, high: y + error };
    })
  );
  return chart({
    title,
    ...{ width: WIDTH, height: 330, marginLeft: 46, marginRight: 16, marginBottom: 40 },
    x: {
      ...{ label: "evaluations of the network", type: "log", domain: [0.9, 60] },
      ...{ ticks: evaluations, tickFormat: "d" },
    },
    y: { label: null, grid: true, ...scale },
    color: {
      domain: methods.map(({ name }) => name),
      range: Object.values(COLOURS),
    },
    marks: [
      Plot.ruleX(data, { x: "x", y1: "low", y2: "high", stroke: "name", strokeWidth: 1.2 }),
      Plot.line(data, { x: "x", y: "y", stroke: "name", strokeWidth: 1.8 }),
      Plot.dot(data, { x: "x", y: "y", fill: "name", r: 3 }),
      // the names, one under the other in a corner that the lines leave free
      ...methods.map(({ name }, k) =>
        Plot.text([name], {
          ...{ text: () => name, fill: () => name, frameAnchor: corner(scale), textAnchor: "end" },
          dx: -4,
          dy: (scale.type === "log" ? 1 : -1) * (8 + 14 * k),
        })
      ),
    ],
  });
}

/** Shares grow and distances fall with the evaluations. */
function corner({ type }: Plot.ScaleOptions): "top-right" | "bottom-right" {
  return type === "log" ? "top-right" : "bottom-right";
}
