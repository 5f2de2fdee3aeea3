/// <reference lib="dom" />
import type { RunData } from "../run_data.ts";
import { lossChart, markedChart } from "./charts.ts";
import { byId, showPart } from "./elements.ts";
import { filmStrip } from "./film_strip.ts";
import { unpack } from "./unpack.ts";

/** The loss over training, and the samples on the way. */
export function trainingView(): (data: RunData) => void {
  let data: RunData | undefined;
  let bins: Float32Array = new Float32Array();
  /** The bin that was chosen in the chart; undefined where the sheet of samples says where to stand. */
  let chosen: number | undefined;
  let marked = -1;
  const stepOf = (bin: number) => bins[4 * bin];
  const text = () =>
    marked < 0
      ? ""
      : `step ${stepOf(marked).toLocaleString("en")}: ${bins[4 * marked + 1].toPrecision(3)}`;

  const film = filmStrip((step) => {
    chosen = undefined;
    mark(nearest(step));
    chart.mark(step);
  });
  const chart = markedChart(byId("loss-chart"), {
    height: 280,
    options: () => data?.loss && lossChart(bins),
    pick: {
      label: "training step, over the loss",
      to: (step) => choose(nearest(step)),
      moves: () => ({ position: () => marked, goTo: choose, text }),
    },
  });

  function nearest(step: number): number {
    const distances = Array.from(
      { length: bins.length / 4 },
      (_, bin) => Math.abs(stepOf(bin) - step),
    );
    return distances.indexOf(Math.min(...distances));
  }

  function mark(bin: number): void {
    marked = bin;
    byId("loss-at").textContent = text();
  }

  /** Goes to a bin of the loss, and to the samples that were drawn nearest to it. */
  function choose(bin: number): void {
    const bounded = Math.max(0, Math.min(bins.length / 4 - 1, bin));
    film.goTo(stepOf(bounded));
    chosen = bounded;
    mark(bounded);
    chart.mark(stepOf(bounded));
  }

  return (now) => {
    const [step, before] = [chosen, marked < 0 ? undefined : marked]
      .map((bin) => bin === undefined ? undefined : stepOf(bin));
    data = now;
    bins = now.loss ? unpack(now.loss.bins) : new Float32Array();
    marked = before === undefined ? -1 : nearest(before); // there may be fewer bins, of more steps each
    showPart("training", now.loss !== undefined || now.sheets.length > 0);
    byId("training").classList.toggle("with-film", now.sheets.length > 0);
    byId("loss").hidden = now.loss === undefined;
    byId("loss-note").textContent = noteOn(now);
    chart.update();
    film.update(now);
    if (step === undefined) return;
    chosen = nearest(step); // what was chosen stays, though there are new sheets
    mark(chosen);
    chart.mark(stepOf(chosen));
  };
}

function noteOn({ loss }: RunData): string {
  if (!loss) return "";
  return loss.binSize === 1
    ? "The loss of every step."
    : `The line is the mean of ${loss.binSize} steps; the band goes from the smallest to the largest ` +
      "loss among them.";
}
