/// <reference lib="dom" />
import type { RunData, Sheet } from "../run_data.ts";
import { byId, element } from "./elements.ts";
import { timeControl } from "./time_control.ts";

/** The sheets of samples over training: one large, all of them small below it. */
export interface FilmStrip {
  /** Shows these sheets; one that stands at the end goes on to a new end. */
  update(data: RunData): void;
  /** Goes to the sheet that is nearest to a step. */
  goTo(step: number): void;
}

/** @param onChange Called with the step of the sheet that is shown. */
export function filmStrip(onChange: (step: number) => void): FilmStrip {
  let sheets: Sheet[] = [];
  const large = byId<HTMLImageElement>("sheet");
  const strip = byId("strip");
  const control = timeControl("sheet", {
    plays: "up",
    describe: (position) => `step ${sheets[position]?.step.toLocaleString("en") ?? "–"}`,
    onChange: show,
  });

  function show(position: number): void {
    const sheet = sheets[position];
    if (!sheet) return;
    large.src = source(sheet);
    const after = `after ${sheet.step.toLocaleString("en")} training steps`;
    large.alt = ["points", "flows"].includes(document.documentElement.dataset.kind!)
      ? `Samples in the plane ${after}, over the data in grey`
      : `36 samples ${after}`;
    [...strip.children].forEach((thumbnail, i) => {
      thumbnail.toggleAttribute("data-shown", i === position);
      if (i === position) keepInSight(strip, thumbnail as HTMLElement);
    });
    onChange(sheet.step);
  }

  /** A small picture to click; the keyboard has the slider. */
  function thumbnail(sheet: Sheet, position: number): HTMLElement {
    const image = element("img");
    image.src = source(sheet);
    image.alt = "";
    image.addEventListener("click", () => control.goTo(position));
    return image;
  }

  return {
    update({ sheets: now, sheetsLeftOut }) {
      const wasAtEnd = sheets.length === 0 || control.position() === sheets.length - 1;
      const step = sheets[control.position()]?.step;
      sheets = now;
      byId("film").hidden = sheets.length === 0;
      byId("sheets-left-out").textContent = sheetsLeftOut > 0
        ? `${sheets.length} of ${sheets.length + sheetsLeftOut} sheets; the folder has them all.`
        : "";
      strip.replaceChildren(...sheets.map(thumbnail));
      if (sheets.length === 0) return;
      const same = sheets.findIndex((sheet) => sheet.step === step);
      control.setMoments(sheets.length, wasAtEnd ? sheets.length - 1 : Math.max(0, same));
    },
    goTo(step) {
      if (sheets.length === 0) return;
      const distances = sheets.map((sheet) => Math.abs(sheet.step - step));
      control.goTo(distances.indexOf(Math.min(...distances)));
    },
  };
}

function source({ png }: { png: string }): string {
  return `data:image/png;base64,${png}`;
}

/** Scrolls the strip, and nothing else, to where a picture of it can be seen. */
function keepInSight(strip: HTMLElement, picture: HTMLElement): void {
  const left = picture.offsetLeft - strip.offsetLeft;
  const right = left + picture.offsetWidth;
  if (left < strip.scrollLeft) strip.scrollLeft = left;
  else if (right > strip.scrollLeft + strip.clientWidth) {
    strip.scrollLeft = right - strip.clientWidth;
  }
}
