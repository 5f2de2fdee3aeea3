/// <reference lib="dom" />
import type { Picture, RunData } from "../run_data.ts";
import { digitsChart, markedChart } from "./charts.ts";
import { byId, element, showPart } from "./elements.ts";

/** What the figures show, by their file names; others go by their names alone. */
const CAPTIONS: Record<string, string> = {
  "paper1_diffusion.png": "The forward chain above, the reverse chain below.",
  "paper1_field.png":
    "What the network has learned: where it moves a point of the plane at each t.",
  "paper1_loss.png": "The loss by step, and the KL of each t.",
  "paper2_chain.png": "Chains from noise to image.",
  "paper2_inpainting.png": "Holes in images that the model has not seen, filled by it.",
  "paper2_loss.png": "The loss by step and by t.",
  "paper2_samplers.png": "The same noises by other samplers.",
  "paper2_samples.png": "The first of the run's samples.",
  "paper3_guidance.png": "The same noises and labels with every guidance strength w.",
  "paper3_inpainting.png": "Holes in images that the model has not seen, filled by it.",
  "paper3_samples.png": "Samples of every class.",
  "paper3_tradeoff.png":
    "What guidance trades for what: likeness to the label, likeness to real images, variety.",
};

/** How many times as wide as high a picture is that gets the whole width of the page. */
const WIDE = 1.6;

/** The run's other figures, and how its samples spread over the digits. */
export function picturesView(): (data: RunData) => void {
  let data: RunData | undefined;
  const perDigit = () => {
    const found = data?.record.results.find(([name]) => name === "perDigit")?.[1];
    return Array.isArray(found) && found.length > 1 ? found : undefined;
  };
  const chart = markedChart(byId("digits-chart"), {
    height: 230,
    options: () => perDigit() && digitsChart(perDigit()!),
  });
  return (now) => {
    data = now;
    showPart("pictures", now.pictures.length > 0 || perDigit() !== undefined);
    byId("digits").hidden = perDigit() === undefined;
    byId("gallery").replaceChildren(...now.pictures.map(figure));
    chart.update();
  };
}

function figure({ name, png }: Picture): HTMLElement {
  const image = element("img", { className: "picture" });
  image.src = `data:image/png;base64,${png}`;
  image.alt = name;
  const words = Object.hasOwn(CAPTIONS, name) ? `${CAPTIONS[name]} ` : "";
  const caption = element("figcaption", {
    children: [document.createTextNode(words), element("code", { text: name })],
  });
  const figure = element("figure", { children: [image, caption] });
  image.addEventListener("load", () => {
    figure.classList.toggle("wide", image.naturalWidth > WIDE * image.naturalHeight);
  });
  return figure;
}
