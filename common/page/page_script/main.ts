/// <reference lib="dom" />
/**
 * The code of a run's page. Bundled by `deno task page-script` into ../page_script.js, which pages have
 * within them.
 *
 * @module
 */
import type { RunData } from "../run_data.ts";
import { byId } from "./elements.ts";
import { flowsView } from "./flows_view.ts";
import { guidanceView } from "./guidance_view.ts";
import { headline } from "./headline.ts";
import { imagesView } from "./images_view.ts";
import { followRun } from "./live.ts";
import { picturesView } from "./pictures_view.ts";
import { pointsView } from "./points_view.ts";
import { startTheme } from "./theme.ts";
import { trainingView } from "./training_view.ts";

startTheme();
const { kind, live } = document.documentElement.dataset;
const views = [headline, trainingView(), picturesView()];
if (kind === "points") views.push(pointsView());
if (kind === "images") views.push(imagesView());
if (kind === "flows") views.push(flowsView());
if (kind === "image-flow") views.push(imagesView({ rises: true }));
if (document.getElementById("guidance")) views.push(guidanceView());

function show(data: RunData): void {
  for (const view of views) view(data);
}

show(JSON.parse(byId("run-data").textContent!));
if (live !== undefined) followRun(show);
