/// <reference lib="dom" />
import type { RunData } from "../run_data.ts";
import { lossChart, markedChart } from "./charts.ts";
import { byId, showPart } from "./elements.ts";
import { filmStrip } from "./film_strip.ts";
import { unpack } from "./unpack.ts";

/** The loss over training, and the samples on the way. */
export function trainingView(): (data: RunData) => void {
  let data: RunData | undefined;
  const film = filmStrip((step) => chart.mark(step));
  const chart = markedChart(byId("loss-chart"), {
    height: 280,
    options: () => data?.loss && lossChart(unpack(data.loss.bins)),
    onPick: (step) => film.goTo(step),
  });
  return (now) => {
    data = now;
    showPart("training", now.loss !== undefined || now.sheets.length > 0);
    byId("training").classList.toggle("with-film", now.sheets.length > 0);
    byId("loss-note").textContent = noteOn(now);
    chart.update();
    film.update(now);
  };
}

function noteOn({ loss }: RunData): string {
  if (!loss) return "";
  return loss.binSize === 1
    ? "The loss of every step."
    : `The line is the mean of ${loss.binSize} steps; the band goes from the smallest to the largest ` +
      "loss among them.";
}
