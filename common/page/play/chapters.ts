/**
 * The texts of the page to play with: a few sentences for each chapter, its formula, and empty places
 * for what the page's code draws.
 *
 * @module
 */
import { inline } from "../equations.ts";
import { timeControl } from "../time_control.ts";
import { formula, radios, stage } from "./parts.ts";

const tex = String.raw;

/** A chapter with its number, title, words and figure. */
export function chapter(
  id: string,
  letter: string,
  title: string,
  words: string,
  figure: string,
): string {
  return `<section id="${id}" aria-labelledby="${id}-title">
    <p class="letter" aria-hidden="true">${letter}</p>
    <h2 id="${id}-title">${title}</h2>
    <div class="words">${words}</div>
    <div class="figure">${figure}</div>
  </section>`;
}

/** Chapter a: the forward process. */
export function destroy(code: string): string {
  const column = (id: string, title: string, label: string) =>
    `<figure class="twin"><figcaption>${title}</figcaption>
      <div class="pair">
        ${stage(`destroy-${id}`, `Points at the chosen t, ${label}`)}
        <canvas id="destroy-${id}-digit" class="digit" width="28" height="28" role="img"
          aria-label="A handwritten digit at the chosen t, ${label}"></canvas>
      </div></figure>`;
  return chapter(
    "destroy",
    "a",
    "Destroy",
    `<p>Take data and add a little noise, many times. After enough steps nothing is left of it.
    That is easy, and everything about it is known: <em>t</em> small steps make the same cloud as
    one big one.</p>
    ${
      formula(
        tex`\htmlClass{term-xt}{x_t} = \htmlClass{term-signal}{\sqrt{\bar\alpha_t}}\,x_0 + \htmlClass{term-noise}{\sqrt{1-\bar\alpha_t}}\;\varepsilon`,
        "Ho et al. 2020, Eq. 4",
      )
    }
    ${
      formula(
        tex`\htmlClass{term-xt}{x_t} = \sqrt{1-\htmlClass{term-beta}{\beta_t}}\;x_{t-1} + \sqrt{\htmlClass{term-beta}{\beta_t}}\;z`,
        "Sohl-Dickstein et al. 2015, table App. 1",
      )
    }
    <p>Move <em>t</em>. Left, the first formula: ${inline("x_0")} is the data, ε is noise, and
    ${inline(tex`\sqrt{\bar\alpha_t}`)} is how much of the data is left. Right, the second, step by
    step, each with fresh noise <em>z</em>, and ${
      inline(tex`\beta_t`)
    } says how little of it. Single
    points go different ways; the clouds look alike.</p>`,
    `<div class="twins">
      ${column("closed", "in one go", "in one go from the data")}
      ${column("steps", "step by step", "step by step")}
    </div>
    ${
      timeControl(
        "destroy-time",
        "t of the forward process",
        ["data", "noise"],
        { max: 40, lights: "xt signal noise beta" },
      )
    }
    <p class="readout" id="destroy-readout"></p>
    ${code}`,
  );
}

/** Chapter b: training. */
export function learn(code: string): string {
  return chapter(
    "learn",
    "b",
    "Learn",
    `<p>One step back is a Gaussian, too, as long as the steps are small. A network learns its mean
    and its width at every <em>t</em>: what it makes small is how far its own step back,
    ${inline(tex`p_\theta`)}, which sees only ${inline("x_t")}, is from the true one,
    ${inline("q")}, which knows the data.</p>
    ${
      formula(
        tex`\htmlClass{term-kl}{\mathrm{KL}}\bigl(q(x_{t-1}\mid x_t,x_0)\,\big\|\,\htmlClass{term-p}{p_\theta}(x_{t-1}\mid x_t)\bigr)`,
        "Sohl-Dickstein et al. 2015, Eq. 14",
      )
    }
    <p>This trains here and now, in this tab, with the code of the script. Choose a shape, or draw
    one. Then break it: five steps are too few, a linear schedule never comes to the pure noise that
    the way back begins with, and a network with one tail (its last layers) for all <em>t</em> is not
    told the time.</p>`,
    `<div class="switches" id="switches">
      ${
      radios("shape", "Shape", [
        ["swiss-roll", "Swiss roll"],
        ["moons", "moons"],
        ["circles", "circles"],
        ["own", "draw one"],
      ])
    }
      ${radios("T", "Steps T", [["5", "5"], ["10", "10"], ["40", "40"], ["100", "100"]], "beta xt")}
      ${
      radios("schedule", "Schedule", [
        ["sigmoid", "sigmoid"],
        ["cosine", "cosine"],
        ["linear", "linear"],
      ], "beta signal noise")
    }
      ${radios("tails", "Tails", [["each", "one for each t"], ["shared", "one for all"]], "p")}
      ${radios("H", "Width H", [["16", "16"], ["96", "96"], ["192", "192"]], "p")}
    </div>
    <div class="twins">
      <figure class="twin"><figcaption>the data</figcaption>
        ${stage("learn-data", "The data, or the shape that is being drawn")}
        <div id="own-tools" class="tools" hidden>
          <button type="button" id="own-train" class="primary">Train on it</button>
          <button type="button" id="own-clear">Clear</button>
          <p class="hint">Draw with mouse or finger. By keyboard: arrow keys move the pen, space
          lowers and lifts it.</p>
        </div>
      </figure>
      <figure class="twin"><figcaption>what the network makes of noise</figcaption>
        ${stage("learn-samples", "Samples of the network as it is now")}
      </figure>
    </div>
    <div class="progress">
      <button type="button" id="train" class="primary" data-lights="p kl">Train</button>
      <button type="button" id="again">Start over</button>
      <progress id="train-bar" max="1" value="0" aria-label="Training"></progress>
      <output aria-live="off" id="train-note"></output>
    </div>
    <div class="twins charts">
      <figure class="twin" data-lights="kl"><figcaption>loss by step</figcaption>
        <div id="loss-chart" class="chart-place"></div></figure>
      <figure class="twin" data-lights="kl"><figcaption>KL of each t, nats a point</figcaption>
        <div id="kl-chart" class="chart-place"></div></figure>
    </div>
    <p class="readout" id="learn-readout"></p>
    <p class="readout" id="learn-backend" aria-live="polite"></p>
    ${code}`,
  );
}

/** Chapter c: the reverse chain. */
export function walk(code: string): string {
  return chapter(
    "walk",
    "c",
    "Walk",
    `<p>Now backwards. From pure noise, each step goes where the network points and adds a little
    noise of its own: to the mean, plus the width times fresh noise.</p>
    ${
      formula(
        tex`\htmlClass{term-before}{x_{t-1}} = \htmlClass{term-mu}{\mu_\theta(x_t,t)} + \htmlClass{term-sigma}{\sigma_\theta(x_t,t)}\;z`,
        "Sohl-Dickstein et al. 2015, table App. 1",
      )
    }
    <p>The arrows are the wind at that <em>t</em>: from each place they point to the mean of the next
    step. Put a point of noise anywhere, and send it down several times: the same beginning, different
    ways, different ends.</p>`,
    `<div class="twins">
      <figure class="twin"><figcaption>forward: data to noise</figcaption>
        ${stage("walk-forward", "The points of the forward chain at the chosen t")}
      </figure>
      <figure class="twin"><figcaption>reverse: noise to data</figcaption>
        ${
      stage(
        "walk-reverse",
        "The points of the reverse chain at the chosen t. Arrow keys move the point of noise, Enter sends it down.",
        true,
      )
    }
      </figure>
    </div>
    ${
      timeControl("walk-time", "t of both chains", ["data", "noise"], {
        max: 40,
        lights: "mu before",
      })
    }
    <div class="tools">
      <button type="button" id="walk-send" class="primary" data-lights="sigma mu before">Send it down</button>
      <button type="button" id="walk-clear">Clear the ways</button>
      <label class="option" data-lights="mu"><input type="checkbox" id="walk-wind" checked> wind</label>
      <label class="option"><input type="checkbox" id="walk-cloud" checked> cloud</label>
    </div>
    <p class="readout" id="walk-readout"></p>
    ${code}`,
  );
}

/** Chapter f: flow matching. */
export function straighten(code: string): string {
  const column = (id: string, title: string) =>
    `<figure class="twin"><figcaption>${title}</figcaption>
      ${stage(`straighten-${id}`, `The ways from noise to data, ${title}`)}
      <p class="readout" id="straighten-${id}-readout"></p></figure>`;
  return chapter(
    "straighten",
    "f",
    "Straighten",
    `<p>Why walk in small random steps at all? Draw a line from each noise to a data point, and let a
    network learn the mean velocity of all lines through a place. Whoever follows it moves smoothly
    from noise to data, without any noise on the way.</p>
    ${
      formula(
        tex`\htmlClass{term-euler}{\mathrm{d}Z_t} = \htmlClass{term-v}{v_\theta(Z_t, t)}\,\htmlClass{term-euler}{\mathrm{d}t}`,
        "Liu et al. 2023, Eq. 1",
      )
    }
    <p>The ways are bent, since lines cross and the network can say but one velocity at each place
    and time. So a few big steps miss. But the flow’s own ways never cross: a second network that learns from
    the ends of these (<em>reflow</em>) has ways that are almost straight, and one step is nearly as
    good as forty.</p>`,
    `<div class="twins">
      ${column("first", "the first flow")}
      ${column("second", "after one reflow")}
    </div>
    ${
      radios(
        "S",
        "Euler steps",
        [["1", "1"], ["2", "2"], ["4", "4"], ["8", "8"], ["40", "40"]],
        "euler",
      )
    }
    <div class="progress">
      <button type="button" id="flow-train" class="primary" data-lights="v">Train</button>
      <progress id="flow-bar" max="1" value="0" aria-label="Training of the flows"></progress>
      <output aria-live="off" id="flow-note"></output>
    </div>
    <p class="readout" id="straighten-readout"></p>
    ${code}`,
  );
}
