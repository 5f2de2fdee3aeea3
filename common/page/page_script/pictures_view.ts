/// <reference lib="dom" />
import type { Picture, RunData } from "../run_data.ts";
import { digitsChart, markedChart } from "./charts.ts";
import { byId, element, showPart } from "./elements.ts";
import { wordsFor } from "./picture_words.ts";

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
  const { title, alt } = wordsFor(name);
  image.alt = alt;
  const caption = element("figcaption", {
    text: "File ",
    children: [element("code", { text: name })],
  });
  const heading = element("h3", { text: title });
  const figure = element("figure", { children: [heading, image, caption] });
  image.addEventListener("load", () => {
    figure.classList.toggle("wide", image.naturalWidth > WIDE * image.naturalHeight);
  });
  return figure;
}
