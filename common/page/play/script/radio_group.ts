/// <reference lib="dom" />
import type { Address } from "./address.ts";

/** Radio buttons, and the same in the address; the first value is the usual one and does not stand there. */
export class RadioGroup<V extends string> {
  readonly #name: string;
  readonly #values: readonly V[];
  readonly #address: Address;
  readonly #listeners: (() => void)[] = [];

  /** Takes the buttons of this name over. */
  constructor(name: string, values: readonly V[], address: Address) {
    this.#name = name;
    this.#values = values;
    this.#address = address;
    for (const input of this.#inputs()) {
      input.addEventListener("change", () => {
        address.set({ [name]: input.value === values[0] ? undefined : input.value });
        for (const listener of this.#listeners) listener();
      });
    }
    address.onChange(() => this.#check());
    this.#check();
  }

  /** The chosen value. */
  get value(): V {
    return this.#address.oneOf(this.#name, this.#values);
  }

  /** Calls back when another one is chosen by its button. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Whether it can be changed. */
  setEnabled(enabled: boolean): void {
    for (const input of this.#inputs()) input.disabled = !enabled;
  }

  #check(): void {
    for (const input of this.#inputs()) input.checked = input.value === this.value;
  }

  #inputs(): HTMLInputElement[] {
    return [...document.querySelectorAll<HTMLInputElement>(`input[name="${this.#name}"]`)];
  }
}
