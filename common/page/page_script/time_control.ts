/// <reference lib="dom" />
import { byId } from "./elements.ts";

/**
 * Where playing goes: to one end, or from end to end again and again, "up and down" with the rise first
 * and "to and fro" with the fall.
 */
type Plays = "up" | "down" | "up and down" | "to and fro";

/** What plays: t rises, t falls, or nothing does. */
export type Runs = "up" | "down" | "not";

/** A slider over the moments of a chain, and a button that plays them. */
export interface TimeControl {
  /** The moment that is shown, from 0. */
  position(): number;
  /** Says how many moments there are, and at which one to stand. */
  setMoments(count: number, position: number): void;
  /** Goes to a moment, and stops playing. */
  goTo(position: number): void;
  /** What the label says. */
  text(): string;
}

/** Milliseconds that a whole chain takes, and that one moment takes at least. */
const WHOLE_CHAIN = 6000;
const SHORTEST = 40;
/** Milliseconds to rest at the ends. */
const REST = 900;

/**
 * Makes the controls under an id work: `<id>-play`, `<id>-slider` and `<id>-label`.
 *
 * @param options.onChange Called with every moment that is to be shown.
 * @param options.describe What the label says of a moment.
 * @param options.plays Where playing goes; to one end it stops there.
 * @param options.onRun Called when playing begins, turns round or ends.
 */
export function timeControl(
  id: string,
  { onChange, describe, plays, onRun = () => {} }: {
    onChange: (position: number) => void;
    describe: (position: number) => string;
    plays: Plays;
    onRun?: (runs: Runs) => void;
  },
): TimeControl {
  const play = byId<HTMLButtonElement>(`${id}-play`);
  const slider = byId<HTMLInputElement>(`${id}-slider`);
  const label = byId<HTMLOutputElement>(`${id}-label`);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let direction = plays === "up" || plays === "up and down" ? 1 : -1;
  const turns = plays === "up and down" || plays === "to and fro";

  const position = () => slider.valueAsNumber;
  const last = () => Number(slider.max);

  function show(at: number) {
    slider.valueAsNumber = at;
    if (timer === undefined) say(); // every moment of a film would be read out
    label.value = describe(at);
    onChange(at);
  }

  function say() {
    slider.setAttribute("aria-valuetext", describe(position()));
  }

  function stop() {
    clearTimeout(timer);
    timer = undefined;
    say();
    play.dataset.state = "paused";
    play.setAttribute("aria-label", "Play");
    onRun("not");
  }

  function start() {
    play.dataset.state = "playing";
    play.setAttribute("aria-label", "Pause");
    if (position() === (direction < 0 ? 0 : last())) { // nothing is left in this direction
      if (turns) direction = -direction;
      else show(direction < 0 ? last() : 0);
    }
    timer = setTimeout(step, SHORTEST);
    onRun(direction > 0 ? "up" : "down");
  }

  function step() {
    show(position() + direction);
    const isEnd = position() === (direction < 0 ? 0 : last());
    if (isEnd && !turns) return stop();
    if (isEnd) direction = -direction;
    timer = setTimeout(
      () => {
        if (isEnd) onRun(direction > 0 ? "up" : "down");
        step();
      },
      isEnd ? REST : Math.max(SHORTEST, WHOLE_CHAIN / last()),
    );
  }

  play.addEventListener("click", () => timer === undefined ? start() : stop());
  slider.addEventListener("input", () => {
    stop();
    show(position());
  });
  slider.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    play.click();
  });

  return {
    position,
    setMoments(count, at) {
      slider.max = String(count - 1);
      show(Math.min(at, count - 1));
    },
    goTo(at) {
      if (timer !== undefined) stop();
      show(Math.min(last(), Math.max(0, at)));
    },
    text: () => label.value,
  };
}
