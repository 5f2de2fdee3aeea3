/// <reference lib="dom" />

/**
 * Lights up the parts of a chapter's formulas that belong to the control under the pointer, or to the
 * one that has the keyboard; and the controls of the part of a formula under the pointer.
 */
export function startLights(): void {
  for (const section of document.querySelectorAll("section")) {
    const controls = [...section.querySelectorAll<HTMLElement>("[data-lights]")];
    for (const control of controls) {
      const names = control.dataset.lights!.split(" ");
      const light = (on: boolean) => {
        for (const name of names) {
          for (const term of section.querySelectorAll(`.term-${name}`)) {
            term.classList.toggle("lit", on);
          }
        }
      };
      for (const [event, on] of [["pointerenter", true], ["focusin", true]] as const) {
        control.addEventListener(event, () => light(on));
      }
      control.addEventListener(
        "pointerleave",
        () => light(control.contains(document.activeElement)),
      );
      control.addEventListener("focusout", () => light(control.matches(":hover")));
      for (const name of names) {
        for (const term of section.querySelectorAll(`.katex-html .term-${name}`)) {
          term.addEventListener("pointerenter", () => control.classList.add("lit"));
          term.addEventListener("pointerleave", () => control.classList.remove("lit"));
        }
      }
    }
  }
}
