/// <reference lib="dom" />

/**
 * The state of the page as its address has it, behind the #: `#at=walk&shape=moons&T=10`. What is as it
 * always is does not stand there.
 */
export class Address {
  #values = read();
  /** What stands in the address, as far as it is known here. */
  #known = location.hash;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Calls back when someone changes the address by hand, or follows a link within the page. */
  onChange(listener: () => void): void {
    addEventListener("hashchange", () => {
      this.#values = read();
      this.#known = location.hash;
      listener();
    });
  }

  /** A value, or what it is when the address does not say. */
  get(name: string, usual: string): string {
    return this.#values.get(name) ?? usual;
  }

  /** A whole number within bounds, or the usual one. */
  whole(name: string, bounds: { usual: number; from: number; to: number }): number {
    return this.inSteps(name, { ...bounds, step: 1 });
  }

  /** A multiple of a step within bounds, or the usual one. */
  inSteps(
    name: string,
    { usual, from, to, step }: { usual: number; from: number; to: number; step: number },
  ): number {
    const value = numberOf(this.#values.get(name) ?? "");
    return Number.isInteger(value / step) && value >= from && value <= to ? value : usual;
  }

  /** One of some values, or the first of them. */
  oneOf<V extends string>(name: string, values: readonly V[]): V {
    return values.find((value) => value === this.#values.get(name)) ?? values[0];
  }

  /** Notes values; undefined takes one out. Browsers refuse too many changes, so it waits a little. */
  set(values: Values): void {
    this.#note(values);
    this.#timer = setTimeout(() => {
      if (location.hash !== this.#known) return; // a link was followed just now: that counts
      history.replaceState(null, "", this.#url());
      this.#known = location.hash;
    }, 300);
  }

  /** The same at once, as a step that the browser's back button takes back. */
  goTo(values: Values): void {
    this.#note(values);
    history.pushState(null, "", this.#url());
    this.#known = location.hash;
  }

  #note(values: Values): void {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) this.#values.delete(name);
      else this.#values.set(name, String(value));
    }
    clearTimeout(this.#timer);
  }

  #url(): string {
    const text = this.#values.toString();
    return text ? `#${text}` : location.pathname + location.search;
  }
}

/** Values by their names; undefined for one that is as it always is. */
type Values = Record<string, string | number | undefined>;

/** The number that is written there; NaN for anything else. (`Number` takes an empty text for 0.) */
export function numberOf(text: string): number {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
}

function read(): URLSearchParams {
  return new URLSearchParams(location.hash.slice(1));
}
