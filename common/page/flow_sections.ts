/**
 * The part of a page that belongs to paper 4: flows of points, and of images.
 *
 * @module
 */
import { equation, inline } from "./equations.ts";
import { chartPlace, figure, perT, section, stage } from "./sections.ts";
import { timeControl } from "./time_control.ts";

const tex = String.raw;
const t = inline("t");
const xt = inline("x_t");

/** How samples of points are drawn while they train. */
export const FLOW_SAMPLES =
  "The first flow is followed in ten Heun steps. After a reflow the ways " +
  "should be straight, so two Euler steps are taken.";

/** Points on their ways, for each flow and each number of steps. */
export function flows(): string {
  const ways = figure(
    "From noise to data",
    stage("flow", "The points of the flow at the chosen t"),
    `Every point goes where the network's velocity takes it; with few steps it trusts one velocity
    for long. Click a point to see its whole way.` +
      equation(
        tex`\mathrm{d}z_t = v_\theta(z_t, t)\,\mathrm{d}t, \qquad z_0 \sim \mathcal{N}(0, \mathrm{I})`,
        "Liu et al. 2023, Eq. 1",
      ),
  );
  const distances = figure(
    `How far the ends are from the data <output aria-live="off" id="distance-note"></output>`,
    chartPlace("distance-chart"),
    "The sliced Wasserstein distance by the number of Euler steps; the chosen flow is drawn strong.",
  );
  return section(
    "chains",
    "The flow",
    "the run writes the ways of its points when it has finished.",
    `<p class="text">Here time runs from noise, ${inline("t = 0")}, to data, ${
      inline("t = 1")
    }. Take few
    steps before and after a reflow: the points leave bent ways and stay on straight ones. Colours go by
    the distance from the middle in the noise.</p>
    <div class="instrument">
      <div class="choices">
        <label>Flow <select id="flow-choice"></select></label>
        ${timeControl("steps", "number of Euler steps", ["few steps", "many"])}
      </div>
      <div class="panels">
        ${ways}
        ${distances}
        ${lossOfEachT()}
      </div>
      ${timeControl("time", "t", ["noise", "data"])}
    </div>`,
  );
}

/** Images on their ways. */
export function imageFlow(): string {
  const images = (id: string, label: string) =>
    `<div id="${id}" class="images" role="img" aria-label="${label}"></div>`;
  const now = figure(
    `${xt}: where the images are`,
    images("xt-images", "Images on their ways at the chosen t"),
    "No noise is added on the way: all of it is there at the beginning." +
      equation(
        tex`\mathrm{d}x_t = v_\theta(x_t, t)\,\mathrm{d}t`,
        "Liu et al. 2023, Eq. 1",
      ),
  );
  const end = figure(
    `${inline(tex`\hat{x}_1`)}: where they would end, straight on`,
    images("x0hat-images", "Where the images would end from the chosen t on"),
    "If the velocity stayed as it is. On straight ways this is the same image all the time." +
      equation(tex`\hat{x}_1 = x_t + (1-t)\,v_\theta(x_t, t)`, "one Euler step to the end"),
  );
  return section(
    "chains",
    "From noise to image",
    "the run writes the ways of its images when it has finished.",
    `<p class="text">Here time runs from noise, ${inline("t = 0")}, to data, ${inline("t = 1")}.</p>
    <div class="instrument">
      <div class="panels">
        <div class="pair">
          ${now}
          ${end}
        </div>
        ${lossOfEachT()}
      </div>
      ${timeControl("time", "t", ["noise", "image"])}
    </div>`,
  );
}

function lossOfEachT(): string {
  const caption = `The loss of single ${t} after training. It cannot be 0: many lines pass at a
    place, and the network can say but one velocity, the mean.` +
    equation(
      tex`\mathrm{E}\,\bigl\|v_\theta(\psi_t(x_0), t) - (x_1 - (1-\sigma_{min})\,x_0)\bigr\|^2`,
      "Lipman et al. 2023, Eq. 23",
    );
  return perT("How well the velocity is predicted", caption);
}
