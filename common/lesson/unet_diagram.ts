/**
 * The UNet as a drawing, made from the names and shapes of a model's weights.
 *
 * @module
 */
import { COLOURS } from "../plot/chart.ts";
import { drawing, text } from "../plot/svg.ts";

/** A block of the network as its weights tell of it. */
export interface DrawnBlock {
  kind: "convolution" | "residual" | "attention" | "resize";
  /** Channels that come in and go out. */
  inputs: number;
  outputs: number;
  /** 0 is the full resolution. */
  level: number;
}

/** The network's blocks in their order, on each of its three ways. */
export interface UNetStructure {
  down: DrawnBlock[];
  middle: DrawnBlock[];
  up: DrawnBlock[];
}

/**
 * Reads the structure off a model's weights.
 *
 * @param shapes The shapes by name, in PyTorch's layouts, as `stateDict()` has them.
 */
export function structureOf(shapes: Map<string, number[]>): UNetStructure {
  const level = { now: 0 };
  const block = (name: string): DrawnBlock | undefined => {
    const shape = (part: string) => shapes.get(`${name}.${part}`);
    const [residual, attention, resize] = [
      shape("conv1.weight"),
      shape("Q.W"),
      shape("conv.weight"),
    ];
    const weights = residual ?? attention ?? resize;
    if (!weights) return undefined;
    const [inputs, outputs] = attention ? weights : [weights[1], weights[0]];
    const kind = residual ? "residual" : attention ? "attention" : "resize";
    return { kind, inputs, outputs, level: level.now };
  };
  const way = (name: string, change: number): DrawnBlock[] => {
    const blocks: DrawnBlock[] = [];
    for (let i = 0;; i++) {
      const next = block(`${name}.${i}`);
      if (!next) return blocks;
      blocks.push(next);
      if (next.kind === "resize") level.now += change;
    }
  };
  const [channels, inChannels] = shapes.get("conv1.weight")!;
  const first: DrawnBlock = {
    kind: "convolution",
    inputs: inChannels,
    outputs: channels,
    level: 0,
  };
  const last: DrawnBlock = { kind: "convolution", inputs: channels, outputs: inChannels, level: 0 };
  const down = [first, ...way("down", 1)];
  const middle = way("middle", 0);
  return { down, middle, up: [...way("up", -1), last] };
}

const [WIDTH, HEIGHT, ROW] = [178, 24, 30];
/** Where the way down, the middle and the way up stand. */
const [DOWN, MIDDLE, UP] = [76, 280, 484];
/** Of the drawing, and above and between its levels. */
const [WHOLE, TOP, BETWEEN] = [UP + WIDTH + 22, 52, 22];

const LOOKS = {
  convolution: { fill: "#e8e8e8", stroke: "#777", name: "3×3 convolution" },
  residual: { fill: "#cfe4f2", stroke: COLOURS.blue, name: "residual block" },
  attention: { fill: "#f7d9c4", stroke: COLOURS.orange, name: "self-attention" },
  resize: { fill: "#cdeadf", stroke: COLOURS.green, name: "" },
};

/** A block with its position in the drawing. */
interface PositionedBlock extends DrawnBlock {
  x: number;
  y: number;
}

/**
 * Draws the structure as SVG: the way down on the left, the middle at the bottom, the way up on the
 * right, with a band for each size.
 *
 * @param size Height and width of the images.
 */
export function unetDiagram({ down, middle, up }: UNetStructure, size: number): string {
  const levels = Math.max(...middle.map(({ level }) => level)) + 1;
  const parts: string[] = [];
  const placed: Record<"down" | "up", PositionedBlock[]> = { down: [], up: [] };
  let y = TOP;
  for (let level = 0; level < levels; level++) {
    const at = (blocks: DrawnBlock[]) => blocks.filter((block) => block.level === level);
    const [left, right] = [at(down), at(up).reverse()]; // from above
    const rows = Math.max(left.length, right.length) + (level === levels - 1 ? middle.length : 0);
    parts.push(band(`${size / 2 ** level}×${size / 2 ** level}`, y, rows * ROW));
    placed.down.push(...left.map((block, i) => ({ ...block, x: DOWN, y: y + i * ROW })));
    placed.up.unshift(...right.map((block, i) => ({ ...block, x: UP, y: y + i * ROW })).reverse());
    y += rows * ROW + BETWEEN;
  }
  const first = y - BETWEEN - middle.length * ROW;
  const below = middle.map((block, i) => ({ ...block, x: MIDDLE, y: first + i * ROW }));
  parts.push(
    ...skips(placed.down, placed.up),
    ...flow(placed.down, 1),
    ...flow(placed.up, -1),
    ...through(placed.down.at(-1)!, below, placed.up[0]),
    ...placed.down.map((block) => box(block, "half the size")),
    ...below.map((block) => box(block)),
    ...placed.up.map((block) => box(block, "twice the size")),
    ends(placed),
  );
  return drawing(WHOLE, y, parts);
}

/** A level's background, with its size. */
function band(name: string, y: number, height: number): string {
  return `<rect x="10" y="${y - 8}" width="${WHOLE - 20}" height="${height + 10}" rx="6" ` +
    `fill="#f6f6f6"/>` +
    text(name, { x: 40, y: y + height / 2 + 2, size: 13, fill: "#666" });
}

/** What each step of the way down leaves is taken up in reverse order by the residual blocks. */
function skips(down: PositionedBlock[], up: PositionedBlock[]): string[] {
  const left = down.filter((_, i) => down[i + 1]?.kind !== "attention");
  return up.filter(({ kind }) => kind === "residual").map((to) => {
    const from = left.pop()!;
    const y1 = from.y + (from.kind === "resize" ? HEIGHT : HEIGHT / 2);
    return line(from.x + WIDTH, y1, to.x, to.y + HEIGHT / 2, "#9a9a9a");
  });
}

/** From each block of a way to the next: downwards (1) or upwards (−1). */
function flow(blocks: PositionedBlock[], direction: 1 | -1): string[] {
  return blocks.slice(0, -1).map((from, i) => {
    const [y1, y2] = direction > 0
      ? [from.y + HEIGHT, blocks[i + 1].y]
      : [from.y, blocks[i + 1].y + HEIGHT];
    return line(from.x + WIDTH / 2, y1, from.x + WIDTH / 2, y2, "#444");
  });
}

/** From the way down through the middle to the way up. */
function through(from: PositionedBlock, middle: PositionedBlock[], to: PositionedBlock): string[] {
  const [first, last] = [middle[0], middle.at(-1)!];
  const corner = (x: number, y1: number, y2: number, x2: number) =>
    `<path d="M ${x} ${y1} V ${y2} H ${x2}" fill="none" stroke="#444" stroke-width="1.4"/>`;
  return [
    corner(from.x + WIDTH / 2, from.y + HEIGHT, first.y + HEIGHT / 2, first.x),
    ...flow(middle, 1),
    corner(to.x + WIDTH / 2, to.y + HEIGHT, last.y + HEIGHT / 2, last.x + WIDTH),
  ];
}

function box({ kind, inputs, outputs, x, y }: PositionedBlock, resize = ""): string {
  const { fill, stroke, name } = LOOKS[kind];
  const channels = inputs === outputs ? `${outputs}` : `${inputs} → ${outputs}`;
  const label = `${name || resize}, ${channels}`;
  return `<rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="4" fill="${fill}" ` +
    `stroke="${stroke}"/>` + text(label, { x: x + WIDTH / 2, y: y + HEIGHT / 2 + 4.5, size: 12.5 });
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string): string {
  return `<path d="M ${x1} ${y1} L ${x2} ${y2}" stroke="${stroke}" stroke-width="1.4"/>`;
}

/** What goes in and what comes out. */
function ends({ down, up }: Record<"down" | "up", PositionedBlock[]>): string {
  const [into, out] = [down[0], up.at(-1)!];
  const above = (block: PositionedBlock, name: string) =>
    text(name, { x: block.x + WIDTH / 2, y: 22, size: 14 }) +
    line(block.x + WIDTH / 2, 28, block.x + WIDTH / 2, block.y, "#444");
  return above(into, "xₜ ↓") + above(out, "↑ the noise in xₜ") +
    text("channels stand behind the name", { x: MIDDLE + WIDTH / 2, y: 22, fill: "#666" });
}
