/// <reference lib="dom" />
import type { RunData } from "../run_data.ts";
import { byId, element } from "./elements.ts";

/** How a result is called and written. */
interface Wording {
  label: string;
  write(value: number): string;
  /** A result to compare it with. */
  beside?: { name: string; label: string };
  /** Where the result is a list: what those after its first are. */
  rest?: string;
}

const bits = (value: number) => `${value.toFixed(2).replace("-", "−")} bits`;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** The results that the papers' scripts write; what else there is goes by its own name. */
const WORDINGS: Record<string, Wording> = {
  K: { label: "bound K for each point", write: bits },
  KMinusNull: { label: "K − L_null, the gain over the prior alone", write: bits },
  KOfBest: { label: "K of the best Gaussians, which know the data", write: bits },
  slicedWasserstein: {
    label: "distance of samples from data (sliced Wasserstein)",
    write: (value) => value.toFixed(4),
    beside: { name: "slicedWassersteinOfData", label: "between two draws of the data" },
  },
  meanDistance: {
    label: "mean distance of a sample from the spiral",
    write: (value) => value.toFixed(4),
  },
  strays: { label: "samples farther than 0.05 from the spiral", write: percent },
  nearestDistance: {
    label: "distance of a sample from the training image nearest to it (median)",
    write: (value) => value.toFixed(2),
    beside: { name: "nearestDistanceReal", label: "of a real unseen image" },
  },
  closerThanReal: {
    label: "samples closer to a training image than half of the real unseen ones",
    write: percent,
    beside: { name: "closerThanRealError", label: "standard error" },
  },
  asked: { label: "samples taken for the digit that was asked for", write: percent },
  spreadReal: {
    label: "distance of two real images of a class",
    write: (value) => value.toFixed(2),
  },
  frechetRealByW: {
    label: "Fréchet distance of as many real digits as for each w",
    write: (value) => value.toFixed(1),
  },
  loss: { label: "loss at the end", write: (value) => value.toFixed(4) },
  samples: { label: "samples drawn", write: String },
  confident: {
    label: "samples that a classifier is sure of",
    write: percent,
    beside: { name: "confidentReal", label: "of real digits" },
  },
  frechet: {
    label: "Fréchet distance to real digits",
    write: (value) => value.toFixed(1),
    beside: { name: "frechetReal", label: "between real and real" },
  },
  evaluations: { label: "evaluations of the network for each sample", write: String },
  straightness: {
    label: "straightness S of the flow, 0 for straight ways at a constant speed",
    write: (value) => value.toPrecision(2),
    rest: "after each reflow",
  },
  logLikelihood: {
    label: "log likelihood of a data point under the flow",
    write: bits,
    rest: "after each reflow",
    beside: { name: "nullModel", label: "under N(0, I)" },
  },
  accuracyReal: { label: "real digits that the classifier gets right", write: percent },
};
const BESIDE = Object.values(WORDINGS).map(({ beside }) => beside?.name);

/** Name, state, results and settings of the run. */
export function headline(data: RunData): void {
  const { name, record } = data;
  document.title = `${name}: ${record.script}`;
  byId("name").textContent = name;
  const status = byId("status");
  status.textContent = record.status || "no status";
  document.documentElement.dataset.status = record.status;
  byId("summary").textContent = summary(data);
  const found = results(data);
  byId("results").replaceChildren(...found);
  byId("results-section").hidden = found.length === 0;
  byId("settings").replaceChildren(...pairs([...record.settings]));
  byId("again").replaceChildren(...howToRepeat(data));
  byId("versions").replaceChildren(...pairs([...record.versions]));
  byId("problems").replaceChildren(
    ...data.problems.map((line) => element("p", { text: line, className: "problem" })),
  );
}

function summary({ record, loss }: RunData): string {
  const { started, updated, seconds, backend } = record;
  const steps = record.settings.find(([name]) => name === "steps")?.[1];
  const training = seconds.find(([what]) => what === "training")?.[1];
  const parts = [
    loss &&
    `${loss.steps.toLocaleString("en")} ${
      steps && Number(steps) !== loss.steps ? `of ${Number(steps).toLocaleString("en")} ` : ""
    }training steps`,
    training !== undefined && `${duration(training)} of training`,
    backend,
    started && `begun ${moment(started)}`,
    record.status !== "running" && updated && `last written ${moment(updated)}`,
  ];
  return parts.filter((part) => part).join(" · ");
}

function results({ record }: RunData): Node[] {
  const values = new Map(record.results);
  return record.results.flatMap(([name, value]) => {
    const wording = Object.hasOwn(WORDINGS, name) ? WORDINGS[name] : undefined;
    const [first, ...others] = typeof value === "number" ? [value] : wording?.rest ? value : [];
    if (BESIDE.includes(name) || first === undefined) return [];
    const { label = name, write = (value: number) => String(+value.toPrecision(5)), beside } =
      wording ?? {};
    const other = beside && values.get(beside.name);
    const children = [
      element("dt", { text: label }),
      element("dd", { text: write(first) }),
    ];
    if (others.length > 0) {
      const text = `${wording!.rest}: ${others.map(write).join(", ")}`;
      children.push(element("dd", { text, className: "beside" }));
    }
    if (typeof other === "number") {
      const text = `${beside!.label}: ${write(other)}`;
      children.push(element("dd", { text, className: "beside" }));
    }
    return [element("div", { children })];
  });
}

/** The command that runs the same again, where the names are plain enough to be typed. */
function howToRepeat({ name, record: { script } }: RunData): Node[] {
  if (!/^paper[1234]$/.test(script) || !/^[\w.-]+$/.test(name)) return [];
  const command = element("code", { text: `deno task ${script} --from runs/${name}/run.json` });
  return [document.createTextNode("To run the same again: "), command];
}

function pairs(entries: [string, string][]): Node[] {
  return entries.filter(([, value]) => value !== "").map(([name, value]) =>
    element("div", {
      children: [element("dt", { text: name }), element("dd", { text: value })],
    })
  );
}

function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = seconds / 60;
  return minutes < 90 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
}

/** 2026-11-24T02:44:22.794Z as 2026-11-24 02:44 UTC; anything else as it is. */
function moment(text: string): string {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):[\d.]+Z$/.exec(text) ?? [];
  return day ? `${day} ${time} UTC` : text;
}
