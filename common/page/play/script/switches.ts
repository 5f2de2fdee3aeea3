/// <reference lib="dom" />
import type { PointSwitches } from "../protocol.ts";
import type { Address } from "./address.ts";
import { type OwnShape, readShape } from "./own_shape.ts";

const SHAPES = ["swiss-roll", "moons", "circles", "own"] as const;
const SCHEDULES = ["sigmoid", "cosine", "linear"] as const;
const TAILS = ["each", "shared"] as const;

/** The names of the switches in the address and in the page. */
const NAMES = ["shape", "T", "schedule", "tails", "H"] as const;

/** What the switches are as the script's own command has them. */
const USUAL = { shape: "swiss-roll", T: "40", schedule: "sigmoid", tails: "each", H: "96" };

/** The switches of the chapters on points: radio buttons, and the same in the address. */
export class Switches {
  readonly #address: Address;
  readonly #own: OwnShape;
  readonly #listeners: (() => void)[] = [];
  /** What everyone knows of. */
  #told: string;

  /** Radio buttons as the address has them. */
  constructor(address: Address, own: OwnShape) {
    this.#address = address;
    this.#own = own;
    this.#told = JSON.stringify(this.now);
    this.#check();
    for (const name of NAMES) {
      for (const input of inputs(name)) {
        input.addEventListener("change", () => {
          address.set({ [name]: input.value === USUAL[name] ? undefined : input.value });
          this.changed();
        });
      }
    }
    address.onChange(() => {
      const shape = readShape(address.get("own", ""));
      if (shape.length > 0) own.take(shape);
      this.#check();
      if (JSON.stringify(this.now) !== this.#told) this.changed(); // else a training would begin anew
    });
  }

  /** The switches as they stand. */
  get now(): PointSwitches {
    const address = this.#address;
    return {
      shape: address.oneOf("shape", SHAPES),
      own: this.#own.table(),
      timesteps: address.whole("T", { usual: Number(USUAL.T), from: 2, to: 200 }),
      schedule: address.oneOf("schedule", SCHEDULES),
      tails: address.oneOf("tails", TAILS),
      hidden: address.whole("H", { usual: Number(USUAL.H), from: 4, to: 256 }),
      seed: address.whole("seed", { usual: 0, from: 0, to: 2 ** 31 }),
    };
  }

  /** Calls back when one was switched. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Tells everyone. */
  changed(): void {
    this.#told = JSON.stringify(this.now);
    for (const listener of this.#listeners) listener();
  }

  #check(): void {
    const { shape, timesteps, schedule, tails, hidden } = this.now;
    const values = { shape, T: String(timesteps), schedule, tails, H: String(hidden) };
    for (const name of NAMES) {
      for (const input of inputs(name)) input.checked = input.value === values[name];
    }
  }
}

function inputs(name: string): HTMLInputElement[] {
  return [...document.querySelectorAll<HTMLInputElement>(`#switches input[name="${name}"]`)];
}
