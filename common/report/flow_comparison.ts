/**
 * Flows of images and a model of paper 2 side by side, by how often the network is asked for an image.
 *
 * @module
 */
import { askForFolder } from "../files/writing.ts";
import { evaluationFigure } from "../plot/evaluation_figure.ts";
import { labelledRows } from "../plot/labelled_rows.ts";
import type { ImageFlowSettings } from "../run/flow_settings.ts";
import { loadModel } from "../run/model_settings.ts";
import { inWords, readRecord } from "../run/record.ts";
import { UserError } from "../user_error.ts";
import {
  compareEvaluations,
  EVALUATIONS,
  evaluationsAsCsv,
  type Method,
  type MethodResult,
  type Ruler,
} from "./few_evaluations.ts";
import { flowName } from "./flow_run.ts";
import { chainOfFlow, type ImageFlowRun, shapeOf, sizesOf } from "./image_flow_run.ts";

/** Images of each method in the figure, and evaluations that have a row there. */
const SHOWN = { images: 16, evaluations: [1, 2, 5, 50] };

/**
 * Refuses to compare with a run that cannot be compared with.
 *
 * @throws {UserError} `--compare` names no run of paper 2 with a model of the same images.
 */
export async function checkCompared(
  { compare, data, size }: Pick<ImageFlowSettings, "compare" | "data" | "size">,
): Promise<void> {
  if (compare === undefined) return;
  await askForFolder(compare);
  const { script, status, settings } = await readRecord(`${compare}/run.json`);
  const isFit = script === "paper2" && status === "finished" && settings?.dataset === data &&
    settings?.size === size;
  const most = EVALUATIONS.at(-1)!;
  if (isFit && Number(settings?.timesteps) >= most) return;
  if (isFit) {
    throw new UserError(
      `--compare ${compare}: its chain has ${
        inWords(settings?.timesteps)
      } steps; expected at least ` +
        `${most}, as often as the network is asked`,
    );
  }
  const found = `a run of ${inWords(script)} on ${inWords(settings?.dataset)} of size ` +
    `${inWords(settings?.size)}, ${inWords(status)}`;
  throw new UserError(
    `--compare ${compare}: ${found}; expected a finished run of paper2 on ${data} of size ${size}`,
  );
}

/** The table and the figures of few evaluations, with a model of paper 2 where there is one. */
export async function compareWithFew(run: ImageFlowRun, ruler?: Ruler): Promise<MethodResult[]> {
  const { settings, images, folder, flows, chainOf } = run;
  const model = settings.compare === undefined ? undefined : await loadModel(settings.compare);
  try {
    const methods: Method[] = flows.map((velocity, k) => ({
      name: flowName(k),
      chain: (sampleSteps, shape, index) =>
        chainOfFlow(run, velocity, { solver: "euler", sampleSteps }, shape, `compared ${index}`),
    }));
    if (model) {
      const { seed } = settings;
      methods.unshift(...[0, 1].map((eta): Method => ({
        name: `DDIM, η = ${eta}`,
        chain: (sampleSteps, shape, index) =>
          chainOf(model, { sampler: "ddim", sampleSteps, eta }, {
            ...{ shape, seed, name: `compared ${index}` },
          }),
      })));
    }
    const shape = shapeOf(images, settings.samples);
    const shown = Math.min(SHOWN.images, settings.samples);
    const compared = await compareEvaluations(methods, { shape, shown, ruler });
    const rows = methods.flatMap(({ name }, m) =>
      SHOWN.evaluations.map((evaluations) => ({
        label: [name, evaluations === 1 ? "1 evaluation" : `${evaluations} evaluations`],
        images: compared.images[m][EVALUATIONS.indexOf(evaluations)],
      }))
    );
    const { count: _count, ...sizes } = sizesOf(shape);
    await folder.write(
      "paper4_few_steps.png",
      await labelledRows({ ...sizes, columns: shown, rows }),
    );
    if (ruler) {
      const figure = { evaluations: EVALUATIONS, methods: compared.results };
      await folder.write("paper4_evaluations.png", await evaluationFigure(figure));
      await folder.write("paper4_evaluations.csv", evaluationsAsCsv(compared.results));
    }
    return compared.results;
  } finally {
    model?.network.dispose();
  }
}
