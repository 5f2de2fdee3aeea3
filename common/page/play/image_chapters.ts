/**
 * The chapters of the page to play with that are about images.
 *
 * @module
 */
import { inline } from "../equations.ts";
import { chapter } from "./chapters.ts";
import { formula, radios, timeControl } from "./parts.ts";

const tex = String.raw;

/** Chapter d: paper 2's digits. */
export function digits(code: string): string {
  const large = (id: string, title: string, label: string) =>
    `<figure class="twin"><figcaption>${title}</figcaption>
      <canvas id="${id}" class="digit large" role="img" aria-label="${label}"></canvas></figure>`;
  return chapter(
    "digits",
    "d",
    "Digits",
    `<p>The same with images. A network was trained to see the noise in a digit; it ships with the
    page. From noise that no digit was in, it says at each step which image it expects,
    ${
      inline(tex`\hat{x}_0`)
    }: at first a grey mean of many, then one of them. With η = 0 no noise is added on the way
    (σ<sub>t</sub> = 0), and a noise leads to one digit.</p>
    ${
      formula(
        tex`\htmlClass{term-x0Hat}{\hat{x}_0} = \bigl(\htmlClass{term-xt}{x_t} - \sqrt{1-\bar\alpha_t}\,\varepsilon_\theta(x_t,t)\bigr) / \sqrt{\bar\alpha_t}`,
        "Ho et al. 2020, Eq. 15",
      )
    }
    ${
      formula(
        tex`x_n = \sqrt{\bar\alpha_n}\,\htmlClass{term-x0Hat}{\hat{x}_0} + \sqrt{1-\bar\alpha_n-\htmlClass{term-sigma}{\sigma_t^2}}\;\varepsilon + \htmlClass{term-sigma}{\sigma_t}\,z`,
        "Song et al. 2021, Eqs. 12 and 16",
      )
    }`,
    `<p class="later" id="digits-later">The model (1.9 MB) comes when this chapter is reached.</p>
    <div id="digits-figure" hidden>
      <div class="switches">
        ${
      radios("sampler", "Sampler", [["ddim", "DDIM"], ["ddpm", "DDPM, all 1000 steps"]], "sigma")
    }
        ${
      radios("steps", "Steps", [["10", "10"], ["25", "25"], ["50", "50"], ["100", "100"]], "xt")
    }
        ${radios("eta", "η", [["0", "0"], ["0.5", "0.5"], ["1", "1"]], "sigma")}
      </div>
      <div class="twins">
        ${large("digit-xt", "xₜ, what there is", "The noisy image at the chosen step")}
        ${large("digit-x0hat", "x̂₀, what is expected", "The image that the network expects there")}
      </div>
      ${timeControl("digit-time", "step of the chain", ["noise", "digit"], "xt x0Hat")}
      <div class="strip" id="digit-strip" role="group" aria-label="Which digit is large"></div>
      <div class="tools">
        <button type="button" id="digit-draw" class="primary">Draw again</button>
        <button type="button" id="digit-other">Other noises</button>
      </div>
      <p class="readout" id="digit-readout"></p>
      <h3>Paint over it, and have it filled in</h3>
      <p class="words">The network was never trained to fill holes. It walks its usual way; but at each
      step the pixels that are known are put in as they would look with that much noise.</p>
      <div class="paint">
        <div class="stage" id="paint-stage"><canvas tabindex="0" role="application" class="drawable"
          aria-label="The digit to paint over. Arrow keys move the brush, space paints."></canvas></div>
        <div>
          <div class="strip fillings" id="fill-strip"></div>
          <div class="tools">
            <button type="button" id="fill" class="primary">Fill in</button>
            <button type="button" id="paint-whole">Whole again</button>
            <button type="button" id="paint-half">Hide the right half</button>
          </div>
          <p class="hint">Paint with mouse or finger. By keyboard: arrow keys move the brush, space
          paints.</p>
          <p class="readout" id="fill-readout"></p>
        </div>
      </div>
    </div>
    ${code}`,
  );
}
