/**
 * The fixed part of a run's page: its texts and equations, and empty places for what the page's code
 * draws.
 *
 * @module
 */
import { equation, inline } from "./equations.ts";
import { timeControl } from "./time_control.ts";

const tex = String.raw;
const t = inline("t");
const xt = inline("x_t");
const x0Hat = inline(tex`\hat{x}_0`);

/** A section that shows one line in its place until its data is there. */
export function section(id: string, title: string, later: string, content: string): string {
  return `<section id="${id}" class="empty" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    <p class="later">To come: ${later}</p>
    ${content}
  </section>`;
}

/** A title, something drawn, and the words and the equation below it. */
export function figure(title: string, content: string, caption: string): string {
  return `<figure><h3>${title}</h3>${content}<figcaption>${caption}</figcaption></figure>`;
}

export function chartPlace(id: string): string {
  return `<div id="${id}" class="chart-place"></div>`;
}

/** A cloud of points, and a field to choose one of them by. */
export function stage(id: string, label: string): string {
  return `<div id="${id}-stage" class="stage" data-label="${label}"></div>
    <div class="follow">
      <label>Follow point <input type="number" id="${id}-point" min="1" placeholder="–"></label>
      <output aria-live="off" id="${id}-note" for="${id}-point"></output>
    </div>`;
}

/** The chains of paper 1, and what belongs to each t. */
export function pointChains(): string {
  const forward = figure(
    "Forward: data to noise",
    stage("forward", "The points of the forward chain at the chosen t"),
    "Each step draws a point a little towards the middle and adds a little noise. Nothing here is " +
      "learned." +
      equation(
        tex`q(x_t \mid x_{t-1}) = \mathcal{N}\bigl(x_t;\; \sqrt{1-\beta_t}\,x_{t-1},\; \beta_t\,\mathrm{I}\bigr)`,
        "Sohl-Dickstein et al. 2015, table App.1",
      ),
  );
  const reverse = figure(
    "Reverse: noise to data",
    stage("reverse", "The points of the reverse chain at the chosen t"),
    `Each step is a Gaussian again; its mean and width are learned. A point's arrow leads from ${xt} ` +
      `to ${inline(tex`\mu_\theta(x_t, t)`)}.` +
      equation(
        tex`p(x_{t-1} \mid x_t) = \mathcal{N}\bigl(x_{t-1};\; \mu_\theta(x_t, t),\; \sigma_\theta(x_t, t)^2\bigr)`,
        "Sohl-Dickstein et al. 2015, table App.1",
      ) +
      `<label class="option"><input type="checkbox" id="all-arrows"> show every arrow</label>`,
  );
  return section(
    "chains",
    "The two chains",
    "the run writes the points of its chains when it has finished.",
    `<p class="text">One chain turns data into noise, the other noise into data. At every ${t} the two
    clouds should look alike: that is all the training asks for. Colours follow the points: they go
    by the distance from the middle at ${inline("t = 0")}. Point at one of the reverse chain to see
    where its next step leads; click it to see its whole way from noise to data. While it plays, the
    chain that runs the other way is faint.</p>
    <div class="instrument">
      <div class="panels">
        <div class="pair">
          ${forward}
          ${reverse}
        </div>
        ${perT("How far each reverse step is off", klCaption())}
        ${schedule()}
      </div>
      ${timeControl("time", "t", ["data", "noise"])}
    </div>`,
  );
}

function klCaption(): string {
  return `What each ${t} takes away from the bound ${inline("K")}, in nats a point; 0 would be a ` +
    "perfect step." +
    equation(
      tex`\mathrm{E}\;\mathrm{KL}\bigl(q(x_{t-1} \mid x_t, x_0)\,\big\|\,p(x_{t-1} \mid x_t)\bigr)`,
      "Sohl-Dickstein et al. 2015, Eq. 14",
    );
}

/** The chains of paper 2, and what belongs to each t. */
export function imageChains({ sampler }: { sampler: string }): string {
  const images = (id: string, label: string) =>
    `<div id="${id}" class="images" role="img" aria-label="${label}"></div>`;
  const noisy = figure(
    `${xt}: where the chain is`,
    images("xt-images", "Samples as they are in the chain at the chosen t"),
    `Every step takes a little of the noise away that the network finds in ${xt}.` +
      reverseStep(sampler),
  );
  const expected = figure(
    `${x0Hat}: where the network thinks it will end`,
    images("x0hat-images", "The images that the network expects at the chosen t"),
    `The image that ${xt} would come from if the noise were as predicted. Far from ${
      inline("t = 0")
    } it is a blurred mean of all that is possible.` +
      equation(
        tex`\hat{x}_0 = \bigl(x_t - \sqrt{1-\bar\alpha_t}\;\varepsilon_\theta(x_t, t)\bigr) / \sqrt{\bar\alpha_t}`,
        "Ho et al. 2020, Eq. 15",
      ),
  );
  const lossCaption =
    `The loss of single ${t} after training. A small ${t} is hard: there is hardly any
    noise left to be seen.${
      equation(
        tex`L_{\mathrm{simple}} = \mathrm{E}\,\bigl\|\varepsilon - \varepsilon_\theta(\sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\varepsilon,\; t)\bigr\|^2`,
        "Ho et al. 2020, Eq. 14",
      )
    }`;
  return section(
    "chains",
    "From noise to image",
    "the run writes its chains when it has finished.",
    `<p class="text">Samples on their way from noise to image. Move ${t} and see the large
    shapes come first, and the details last.</p>
    <div class="instrument">
      <div class="panels">
        <div class="pair">
          ${noisy}
          ${expected}
        </div>
        ${schedule()}
        ${perT("How well the noise is predicted", lossCaption)}
      </div>
      ${timeControl("time", "t", ["image", "noise"])}
    </div>`,
  );
}

/** What the same noises become, by label and guidance strength. */
export function guidance(): string {
  return section(
    "guidance",
    "Draw me a seven",
    "the run draws its images of all labels and strengths when it has finished.",
    `<p class="text">The same noises throughout: choose what they are asked to become, and how strongly.
    With ${inline("w = 0")} the network is only told the label; the larger ${
      inline("w")
    }, the surer the
    label, and the more alike the images.</p>
    <div class="instrument">
      <figure>
        <div id="guidance-images" class="images" role="img"
          aria-label="Images of the chosen label and guidance strength"></div>
        <figcaption>What the label changes is taken ${inline("w")} times more.${
      equation(
        tex`\tilde\varepsilon_\theta(x_t, c) = (1 + w)\,\varepsilon_\theta(x_t, c) - w\,\varepsilon_\theta(x_t)`,
        "Ho & Salimans 2022, Eq. 6",
      )
    }</figcaption>
      </figure>
      ${timeControl("label", "the label that is asked for", ["", ""])}
      ${timeControl("strength", "w, the guidance strength", ["0", "8"])}
    </div>`,
  );
}

/** One step of the reverse process, by the sampler that the run used. */
function reverseStep(sampler: string): string {
  const ddpm = equation(
    tex`x_{t-1} = \tfrac{1}{\sqrt{\alpha_t}} \bigl(x_t - \tfrac{1-\alpha_t}{\sqrt{1-\bar\alpha_t}}\,\varepsilon_\theta(x_t, t)\bigr) + \sigma_t z`,
    "Ho et al. 2020, Algorithm 2, line 4",
  );
  if (sampler !== "ddim") return ddpm;
  return " This run takes fewer and larger steps, by DDIM:" + equation(
    tex`x_{t'} = \sqrt{\bar\alpha_{t'}}\,\hat{x}_0 + \sqrt{1-\bar\alpha_{t'}-\sigma_t^2}\;\varepsilon_\theta(x_t, t) + \sigma_t z`,
    "Song et al. 2021, Eq. 12",
  );
}

export function perT(title: string, caption: string): string {
  return figure(
    `${title} <output aria-live="off" id="per-t-note"></output>`,
    chartPlace("per-t-chart"),
    caption,
  );
}

function schedule(): string {
  return figure(
    "How much of the data is left",
    chartPlace("schedule-chart"),
    `The schedule: how much data and how much noise there is in ${xt}.` + equation(
      tex`x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\varepsilon`,
      "Ho et al. 2020, Eq. 4",
    ),
  );
}

/**
 * The loss over training, and the samples on the way.
 *
 * @param drawn How the samples are drawn, where that is not as everywhere.
 */
export function training(drawn = ""): string {
  return section(
    "training",
    "Training",
    "the run writes its losses with its first samples, or with its first checkpoint.",
    `<div class="training">
      <figure id="film">
        <h3>What the same noises lead to</h3>
        <img id="sheet" class="sheet" alt="">
        ${timeControl("sheet", "training step of the samples", ["", ""])}
        <div id="strip" class="strip"></div>
        <figcaption>${drawn} <span id="sheets-left-out"></span></figcaption>
      </figure>
      <figure id="loss">
        <h3>The loss <output aria-live="off" id="loss-at"></output></h3>
        ${chartPlace("loss-chart")}
        <figcaption id="loss-note"></figcaption>
      </figure>
    </div>`,
  );
}

/** The figures that the run has drawn. */
export function pictures(): string {
  return section(
    "pictures",
    "Figures",
    "the run draws its figures when it has finished.",
    `<div class="gallery">
      <div id="gallery"></div>
      <figure id="digits">
        <h3>Do all ten digits appear?</h3>
        ${chartPlace("digits-chart")}
        <figcaption>For which digit a classifier takes the samples, in percent; the dashed line is a
          tenth of them.</figcaption>
      </figure>
    </div>`,
  );
}
