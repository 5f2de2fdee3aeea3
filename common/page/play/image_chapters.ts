/**
 * The chapters of the page to play with that are about images.
 *
 * @module
 */
import { inline } from "../equations.ts";
import { chapter } from "./chapters.ts";
import { timeControl } from "../time_control.ts";
import { formula, radios } from "./parts.ts";

const tex = String.raw;

/** An image, large, by itself. */
function large(id: string, title: string, label: string): string {
  return `<figure class="twin"><figcaption>${title}</figcaption>
    <canvas id="${id}" class="digit" role="img" aria-label="${label}"></canvas></figure>`;
}

/** Images on their way from noise: one of them large, with what is expected there, and all of them small. */
function chain(id: string, lights: string): string {
  return `<div class="twins">
      ${large(`${id}-xt`, "xₜ, what there is", "The noisy image at the chosen step")}
      ${large(`${id}-x0hat`, "x̂₀, what is expected", "The image that the network expects there")}
    </div>
    ${timeControl(`${id}-time`, "step of the chain", ["noise", "digit"], { max: 40, lights })}
    <div class="strip" id="${id}-strip" role="group" aria-label="Which image is large"></div>`;
}

/** Which digits of a sheet there are to choose from. */
const OF_SHEET = Array.from("12345678", (n): [string, string] => [n, n]);

/** Chapter d: paper 2's digits. */
export function digits(code: string): string {
  return chapter(
    "digits",
    "d",
    "Digits",
    `<p>The same with images. A network was trained to see the noise in a digit; it ships with the
    page. From noise that no digit was in, it says at each step which image it expects,
    ${
      inline(tex`\hat{x}_0`)
    }: at first a grey mean of many, then one of them. From there it goes to a smaller time,
    <em>n</em>: by small steps (DDPM), or by leaps (DDIM). How much fresh noise <em>z</em> it adds is up
    to η. With η = 0 it adds none (${
      inline(tex`\sigma_t = 0`)
    }), and each noise leads to one digit.</p>
    ${
      formula(
        tex`\htmlClass{term-x0Hat}{\hat{x}_0} = \bigl(\htmlClass{term-xt}{x_t} - \sqrt{1-\bar\alpha_t}\,\varepsilon_\theta(x_t,t)\bigr) / \sqrt{\bar\alpha_t}`,
        "Ho et al. 2020, Eq. 15",
      )
    }
    ${
      formula(
        tex`x_n = \sqrt{\bar\alpha_n}\,\htmlClass{term-x0Hat}{\hat{x}_0} + \sqrt{1-\bar\alpha_n-\htmlClass{term-sigma}{\sigma_t^2}}\;\varepsilon_\theta + \htmlClass{term-sigma}{\sigma_t}\,z`,
        "Song et al. 2021, Eqs. 12 and 16",
      )
    }`,
    `<p class="later" id="digits-later">The model (1.8 MB) comes when this chapter is reached.</p>
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
      ${chain("digit", "xt x0Hat")}
      <div class="tools">
        <button type="button" id="digit-draw" class="primary">Draw again</button>
        <button type="button" id="digit-other">Other noises</button>
      </div>
      <p class="readout" id="digit-readout"></p>
      <h3>Between two noises</h3>
      <p class="words">With η = 0 the digit is a function of its noise. So what lies between two
      digits? Their noises are joined along a sphere and not by a straight line: noises of 256 numbers are all
      about √256 = 16 long, and a line would cut through shorter ones, which the network has never
      seen. (Choose η = 0 above to find the two among the eight. θ is the angle between them.)</p>
      ${
      formula(
        tex`x_T = \htmlClass{term-lambda}{\frac{\sin((1-\lambda)\theta)}{\sin\theta}}\;\htmlClass{term-left}{a} + \htmlClass{term-lambda}{\frac{\sin(\lambda\theta)}{\sin\theta}}\;\htmlClass{term-right}{b}`,
        "Song et al. 2021, appendix D.5",
      )
    }
      <div class="switches">
        ${radios("left", "a, the noise of image", OF_SHEET, "left")}
        ${radios("right", "b, the noise of image", OF_SHEET, "right")}
      </div>
      <div class="twins">
        ${large("between-noise", "the noise at λ", "The noise between the two")}
        ${large("between-digit", "what it leads to", "The digit that this noise leads to")}
      </div>
      ${
      timeControl("between-time", "λ, the place between the two noises", ["a", "b"], {
        max: 28,
        lights: "lambda",
      })
    }
      <div class="strip" id="between-strip" role="group" aria-label="Which place is large"></div>
      <p class="readout" id="between-readout"></p>
      <h3>Paint over it, and have it filled in</h3>
      <p class="words">The network was never trained to fill holes. It walks its usual way; but at each
      step the pixels that are known are put in as they would look with that much noise. Now and then
      it goes a few steps back to noise, so that the two parts come to fit (Lugmayr et al. 2022).</p>
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

/** Chapter e: paper 3. */
export function ask(code: string): string {
  const labels = Array.from("0123456789", (n): [string, string] => [n, n]);
  return chapter(
    "ask",
    "e",
    "Ask",
    `<p>So far nobody can say which digit comes. Another network was told, as it learned, which digit it
    was looking at, but not always. So it has two answers to a noisy image:
    ${inline(tex`\varepsilon_\theta(x_t,c)`)} is the noise if it is, say, a seven, and
    ${
      inline(tex`\varepsilon_\theta(x_t)`)
    } if it may be any digit. What the first has and the second
    has not is what makes a seven a seven. Take <em>w</em> times more of it.</p>
    ${
      formula(
        tex`\tilde\varepsilon = (1+\htmlClass{term-w}{w})\;\htmlClass{term-label}{\varepsilon_\theta(x_t,c)} - \htmlClass{term-w}{w}\;\htmlClass{term-none}{\varepsilon_\theta(x_t)}`,
        "Ho & Salimans 2022, Eq. 6",
      )
    }
    ${
      formula(
        tex`\htmlClass{term-x0Hat}{\hat{x}_0} = \bigl(\htmlClass{term-xt}{x_t} - \sqrt{1-\bar\alpha_t}\;\tilde\varepsilon\bigr) / \sqrt{\bar\alpha_t}`,
        "Ho & Salimans 2022, Algorithm 2",
      )
    }
    <p>Move <em>w</em>. At 0 the digits are as various as people write them, and now and then one is
    hard to read. The larger <em>w</em>, the plainer they are, and the more alike.</p>`,
    `<p class="later" id="ask-later">This network (1.8 MB) comes when this chapter is reached.</p>
    <div id="ask-figure" hidden>
      <div class="switches">
        ${radios("label", "c, the digit", [...labels, ["none", "any"]], "label none")}
        ${radios("askSteps", "Steps", [["10", "10"], ["25", "25"], ["50", "50"]], "xt")}
      </div>
      <div class="amount" data-lights="w">
        <label for="ask-w">w, how much guidance</label>
        <input type="range" id="ask-w" min="0" max="8" step="0.5" value="1">
        <output aria-live="off" id="ask-w-label" for="ask-w"></output>
      </div>
      <p class="readout" id="ask-sum"></p>
      ${chain("ask", "xt x0Hat")}
      <div class="tools">
        <button type="button" id="ask-other" class="primary">Other noises</button>
      </div>
      <p class="readout" id="ask-readout"></p>
    </div>
    ${code}`,
  );
}

/** Chapter g: paper 5. */
export function invent(code: string): string {
  const row = (id: string, title: string, lights: string) =>
    `<figure class="row" data-lights="${lights}"><figcaption>${title}</figcaption>
      <div class="strip six" id="invent-${id}"></div>
      <p class="readout" id="invent-${id}-readout"></p>
      <div class="strip six nearest" id="invent-${id}-nearest"></div></figure>`;
  return chapter(
    "invent",
    "g",
    "Copy or invent",
    `<p>The best answer to the network’s task is known exactly: the mean of all training images, each
    weighted with how likely it is that the noisy one came from it. Whoever follows it ends in a training image.
    It copies. Why, then, does the network draw digits that nobody wrote?</p>
    ${
      formula(
        tex`\htmlClass{term-mean}{\hat{x}_0(x_t)} = \sum_i \htmlClass{term-weight}{W_i(x_t)}\;x_i`,
        "Kamb & Ganguli 2025, section 3",
      )
    }
    ${
      formula(
        tex`\htmlClass{term-weight}{W_i} \propto \mathcal{N}\bigl(x_t;\,\sqrt{\bar\alpha_t}\,x_i,\,(1-\bar\alpha_t)\,I\bigr)`,
        "",
      )
    }
    <p>A convolution sees only a patch around each pixel. Let each pixel take the same mean of its own
    patch alone, and the exact answer invents, too: neighbours take theirs from different images.</p>`,
    `<p class="later" id="invent-later">The training digits come when this chapter is reached.</p>
    <div id="invent-figure" hidden>
      ${row("perfect", "the perfect denoiser", "mean weight")}
      ${row("patches", "the same, pixel by pixel from patches", "weight")}
      ${row("network", "the network", "mean")}
      <div class="tools">
        <button type="button" id="invent-again" class="primary">Other noises</button>
      </div>
      <p class="readout">All three begin with the same noises, and no noise is added on the way. Below
      each image is the nearest of 1,500 training digits, and how far off its pixels are (root mean
      square; they go from −1 to 1). The network has learned from these and from others.</p>
    </div>
    ${code}`,
  );
}
