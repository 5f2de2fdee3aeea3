/**
 * The settings and the data of a script, as the page's switches have them.
 *
 * @module
 */
import { type PointData, pointData, tableData } from "../common/data/points/point_data.ts";
import type { PointSwitches } from "../common/page/play/protocol.ts";
import type { Command, Flags, Settings } from "../common/run/flags.ts";

/** What a run of the command has without a flag, but for some. */
export function settingsOf<F extends Flags>(
  command: Command<F>,
  given: Partial<Settings<F>>,
): Settings<F> {
  const defaults = Object.entries(command.flags).map(([name, flag]) => [name, flag.default]);
  return { ...Object.fromEntries(defaults), ...given };
}

/**
 * The shape that was chosen, or the own one.
 *
 * @throws {UserError} The own one has too few points.
 */
export async function dataOf({ shape, own }: PointSwitches): Promise<PointData> {
  return shape === "own" ? await tableData(own ?? "", "your shape") : await pointData(shape);
}
