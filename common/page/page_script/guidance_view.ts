/// <reference lib="dom" />
import type { RunData } from "../run_data.ts";
import { showPart } from "./elements.ts";
import { ImagePanel } from "./image_panel.ts";
import { timeControl } from "./time_control.ts";

/** What stands at first: a seven, or the last class where there are fewer. */
const FIRST = 7;

/** Paper 3: the same noises under a label and a guidance strength, each with a slider. */
export function guidanceView(): (data: RunData) => void {
  let data: RunData | undefined;
  const images = new ImagePanel("guidance-images");
  const names = () => data?.record.classes ?? [];
  const show = () => {
    if (!data?.guidance) return;
    images.show(strength.position() * names().length + label.position());
  };
  const label = timeControl("label", {
    plays: "up",
    describe: (position) => names()[position] ?? "",
    onChange: show,
  });
  const strength = timeControl("strength", {
    plays: "up and down",
    describe: (position) => `w = ${data?.guidance?.w[position] ?? 0}`,
    onChange: show,
  });

  return (now) => {
    const before = data;
    data = now;
    const classes = (now.guidance?.images.shape[0] ?? 0) / (now.guidance?.w.length ?? 1);
    const isThere = now.guidance !== undefined && classes === names().length;
    showPart("guidance", isThere);
    if (!now.guidance || !isThere) return;
    images.setContent(now.guidance.images);
    const isFirst = before?.guidance === undefined;
    const { w } = now.guidance;
    label.setMoments(classes, isFirst ? Math.min(FIRST, classes - 1) : label.position());
    strength.setMoments(w.length, isFirst ? Math.max(0, w.indexOf(1)) : strength.position());
  };
}
