/**
 * A button that plays, a slider, and what it stands at: the same on all pages.
 *
 * Its style is `time_control.css`, to be read before a page's own; its script is `page_script/time_control.ts`.
 *
 * @module
 */

/**
 * The HTML of a time control.
 *
 * @param id What its parts are named after.
 * @param label The slider's name for those who do not see it.
 * @param ends The words at the slider's ends.
 * @param options.max The slider's last place. Default: 1, until the script knows better.
 * @param options.lights Names of the terms that light up with it. Default: none.
 */
export function timeControl(
  id: string,
  label: string,
  ends: [left: string, right: string],
  { max = 1, lights }: { max?: number; lights?: string } = {},
): string {
  return `<div class="time"${lights === undefined ? "" : ` data-lights="${lights}"`}>
    <button type="button" id="${id}-play" class="play" data-state="paused" aria-label="Play">
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <path class="paused" d="M6 3.5v13l10.5-6.5z"/>
        <path class="playing" d="M5 4h3.5v12H5zM11.5 4H15v12h-3.5z"/>
      </svg>
    </button>
    <span class="end">${ends[0]}</span>
    <input type="range" id="${id}-slider" min="0" max="${max}" step="1" value="0" aria-label="${label}">
    <span class="end">${ends[1]}</span>
    <output aria-live="off" id="${id}-label" for="${id}-slider"></output>
  </div>`;
}
