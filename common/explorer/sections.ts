/**
 * The fixed part of a run's page: its texts and equations, and empty places for what the page's code
 * draws.
 *
 * @module
 */
import { equation, inline } from "./equations.ts";

const tex = String.raw;

/** A section that shows one line in its place until its data is there. */
function section(id: string, title: string, later: string, content: string): string {
  return `<section id="${id}" class="empty" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    <p class="later">${later}</p>
    ${content}
  </section>`;
}

/** Play button, slider and label. */
function timeControl(id: string, label: string, ends: [left: string, right: string]): string {
  return `<div class="time">
    <button type="button" id="${id}-play" class="play" data-state="paused" aria-label="Play">
      <svg viewBox="0 0 20 20" aria-hidden="true"><path class="paused" d="M6 3.5v13l10.5-6.5z"/><path
        class="playing" d="M5 4h3.5v12H5zM11.5 4H15v12h-3.5z"/></svg>
    </button>
    <span class="end">${ends[0]}</span>
    <input type="range" id="${id}-slider" min="0" max="1" step="1" value="0" aria-label="${label}">
    <span class="end">${ends[1]}</span>
    <output id="${id}-label" for="${id}-slider"></output>
  </div>`;
}

/** A stage for points, and what belongs to it. */
function panel(id: string, title: string, label: string, caption: string): string {
  return `<figure>
    <h3>${title}</h3>
    <div id="${id}-stage" class="stage" data-label="${label}"></div>
    <div class="follow">
      <label>Follow point <input type="number" id="${id}-point" min="1" placeholder="–"></label>
      <output id="${id}-note"></output>
    </div>
    <figcaption>${caption}</figcaption>
  </figure>`;
}

/** The chains of paper 1, and what belongs to each t. */
export function pointSections(): string {
  const xt = inline("x_t");
  const forward = panel(
    "forward",
    "Forward: data to noise",
    "The points of the forward chain at the chosen t",
    "Each step shrinks a point a little towards the middle and adds a little noise. Nothing here is " +
      "learned." +
      equation(
        tex`q(x_t \mid x_{t-1}) = \mathcal{N}\bigl(x_t;\; \sqrt{1-\beta_t}\,x_{t-1},\; \beta_t \mathrm{I}\bigr)`,
        "Sohl-Dickstein et al. 2015, table App.1",
      ),
  );
  const reverse = panel(
    "reverse",
    "Reverse: noise to data",
    "The points of the reverse chain at the chosen t",
    "Each step is a Gaussian again. Where its middle lies is what the network has learned: the arrow " +
      `of a point leads from ${xt} to ${inline(tex`\mu_\theta(x_t, t)`)}.` +
      equation(
        tex`p(x_{t-1} \mid x_t) = \mathcal{N}\bigl(x_{t-1};\; \mu_\theta(x_t, t),\; \sigma_\theta(x_t, t)^2\bigr)`,
        "Sohl-Dickstein et al. 2015, table App.1",
      ),
  );
  return section(
    "chains",
    "The two chains",
    "To come: the run writes the points of its chains when it has finished.",
    `<p class="text">One chain turns data into noise, the other one noise into data. At every ${
      inline("t")
    } the two clouds should look alike: that is all the training asks for. The colour is a point’s
    distance from the middle at ${inline("t = 0")}. Point at one of the reverse chain to see its
    arrow; click one to follow it from noise to data.</p>
    <div class="instrument">
      <div class="panels">${forward}${reverse}</div>
      ${timeControl("time", "t", ["data", "noise"])}
      <div class="option"><label><input type="checkbox" id="all-arrows"> every arrow of the reverse
        chain</label></div>
      <div class="panels">
        <figure>
          <h3>How far each reverse step is off <output id="per-t-note"></output></h3>
          <div id="per-t-chart" class="chart-place"></div>
          <figcaption>The terms of the bound ${
      inline("K")
    }, in nats a point: what training brings down.
            ${
      equation(
        tex`\mathrm{KL}\bigl(q(x_{t-1} \mid x_t, x_0)\,\|\,p(x_{t-1} \mid x_t)\bigr)`,
        "Sohl-Dickstein et al. 2015, Eq. 14",
      )
    }</figcaption>
        </figure>
        <figure>
          <h3>How much of the data is left</h3>
          <div id="schedule-chart" class="chart-place"></div>
          <figcaption>The schedule: the share of data and of noise after ${
      inline("t")
    } steps at once.
            ${
      equation(
        tex`x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\varepsilon`,
        "Ho et al. 2020, Eq. 4",
      )
    }</figcaption>
        </figure>
      </div>
    </div>`,
  );
}

/** The loss over training. */
export function trainingSection(): string {
  return section(
    "training",
    "Training",
    "To come: the run writes its losses with its first checkpoint.",
    `<figure>
      <div id="loss-chart" class="chart-place"></div>
      <figcaption id="loss-note"></figcaption>
    </figure>`,
  );
}
