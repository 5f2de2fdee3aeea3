/// <reference lib="dom" />
import type { RunData } from "../run_data.ts";
import { lossChart, markedChart } from "./charts.ts";
import { byId, showPart } from "./elements.ts";
import { unpack } from "./unpack.ts";

/** The loss over training. */
export function trainingView(): (data: RunData) => void {
  let data: RunData | undefined;
  const chart = markedChart(byId("loss-chart"), {
    height: 260,
    options: () => data?.loss && lossChart(unpack(data.loss.bins)),
  });
  return (now) => {
    data = now;
    showPart("training", now.loss !== undefined);
    if (!now.loss) return;
    byId("loss-note").textContent = now.loss.binSize === 1
      ? "The loss of every step."
      : `The line is the mean of ${now.loss.binSize} steps, the band goes from the smallest to the ` +
        "largest loss among them.";
    chart.update();
  };
}
