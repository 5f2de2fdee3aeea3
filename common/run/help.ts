/**
 * A script's command line in words: the text of `--help`, and commands to type.
 *
 * @module
 */
import { type Command, type Flags, kebab } from "./flags.ts";

/** The text of `--help`, from the same table. */
export function helpText<F extends Flags>(command: Command<F>): string {
  const rows = Object.entries(command.flags).map(([name, flag]) => {
    const left = `--${kebab(name)} ${flag.placeholder}`.trimEnd();
    const standard = flag.isSwitch || flag.default === undefined ? "" : ` [${flag.default}]`;
    return [left, flag.help + standard];
  });
  const width = Math.min(
    34,
    Math.max(...rows.map(([left]) => left.length)) + 2,
  );
  const lines = rows.map(([left, right]) =>
    left.length < width
      ? `  ${left.padEnd(width)}${right}`
      : `  ${left}\n  ${"".padEnd(width)}${right}`
  );
  const presets = Object.entries(command.presets).map(([name, values]) =>
    `  ${name}: ` +
    (Object.entries(values).map(([key, value]) => `--${kebab(key)} ${value}`)
      .join(" ") ||
      "the defaults above")
  );
  return [
    command.summary,
    "",
    `Usage: deno task ${command.name} ${command.takesFolder ? "DIR " : ""}[flags]`,
    "",
    ...lines,
    ...(presets.length ? ["", "Presets:", ...presets] : []),
  ].join("\n");
}

/** The command line that gives these settings, to be shown to the user. */
export function commandText(
  name: string,
  given: Record<string, unknown>,
): string {
  const flags = Object.entries(given).map(([key, value]) =>
    value === true ? ` --${kebab(key)}` : ` --${kebab(key)} ${quoteIfNeeded(String(value))}`
  );
  return `deno task ${name}${flags.join("")}`;
}

function quoteIfNeeded(text: string): string {
  return /^[\w./:,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
