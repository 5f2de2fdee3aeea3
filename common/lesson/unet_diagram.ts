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

const [WIDTH, HEIGHT, GAP, ROW, LEFT, TOP] = [42, 30, 7, 92, 66, 84];

const LOOKS = {
  convolution: { fill: "#e8e8e8", stroke: "#777", name: "3×3 convolution" },
  residual: { fill: "#cfe4f2", stroke: COLOURS.blue, name: "residual block (timestep added)" },
  attention: { fill: "#f7d9c4", stroke: COLOURS.orange, name: "self-attention" },
  resize: { fill: "#cdeadf", stroke: COLOURS.green, name: "half or twice the size" },
};

/** A block with its position in the drawing. */
interface PositionedBlock extends DrawnBlock {
  x: number;
  y: number;
}

/**
 * Draws the structure as SVG, a row for each size, in the order in which the blocks compute: down the
 * stairs on the left, up the stairs on the right.
 *
 * @param size Height and width of the images.
 */
export function unetDiagram({ down, middle, up }: UNetStructure, size: number): string {
  let column = 0;
  const positioned = (block: DrawnBlock, before?: DrawnBlock): PositionedBlock => {
    if (before && before.level === block.level) column++; // another size stands below or above
    return { ...block, x: LEFT + column * (WIDTH + GAP), y: TOP + block.level * ROW };
  };
  const blocks = [...down, ...middle, ...up];
  const placed = blocks.map((block, i) => positioned(block, blocks[i - 1]));
  const [placedDown, placedUp] = [placed.slice(0, down.length), placed.slice(-up.length)];
  const levels = Math.max(...blocks.map(({ level }) => level)) + 1;
  const rows = Array.from(
    { length: levels },
    (_, level) =>
      text(`${size / 2 ** level}×${size / 2 ** level}`, {
        x: 32,
        y: TOP + level * ROW + HEIGHT / 2 + 4,
        fill: "#666",
        size: 12,
      }),
  );
  const parts = [
    ...skips(placedDown, placedUp),
    ...turns(placed),
    ...placed.map(box),
    ...rows,
    ...legend(TOP + levels * ROW - 22),
  ];
  const width = LEFT + (column + 1) * (WIDTH + GAP) + 16;
  return drawing(width, TOP + levels * ROW + 6, parts);
}

/** What each step of the way down leaves is taken up in reverse order by the residual blocks. */
function skips(down: PositionedBlock[], up: PositionedBlock[]): string[] {
  const left = down.filter((_, i) => down[i + 1]?.kind !== "attention");
  return up.filter(({ kind }) => kind === "residual").map((to) => {
    const from = left.pop()!;
    const [x1, x2] = [from.x + WIDTH / 2, to.x + WIDTH / 2];
    const halved = from.kind === "resize"; // its result belongs to the row below
    const y1 = halved ? from.y + HEIGHT : from.y;
    const top = to.y - 18 - (x2 - x1) / 42;
    const path = `M ${x1} ${y1} C ${x1} ${top}, ${x2} ${top}, ${x2} ${to.y}`;
    return `<path d="${path}" fill="none" stroke="#b5b5b5" stroke-width="1.1"/>`;
  });
}

/** From each size to the next. */
function turns(blocks: PositionedBlock[]): string[] {
  return blocks.slice(0, -1).flatMap((from, i) => {
    const to = blocks[i + 1];
    if (from.level === to.level) return [];
    const [y1, y2] = from.y < to.y ? [from.y + HEIGHT, to.y] : [from.y, to.y + HEIGHT];
    const x = from.x + WIDTH / 2;
    return [`<path d="M ${x} ${y1} V ${y2}" stroke="${COLOURS.green}" stroke-width="1.4"/>`];
  });
}

function box({ kind, inputs, outputs, x, y }: PositionedBlock): string {
  const { fill, stroke } = LOOKS[kind];
  const label = inputs === outputs ? `${outputs}` : `${inputs}→${outputs}`;
  return `<rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="4" fill="${fill}" ` +
    `stroke="${stroke}"/>` +
    text(label, { x: x + WIDTH / 2, y: y + HEIGHT / 2 + 4, size: label.length > 5 ? 9 : 10.5 });
}

function legend(y: number): string[] {
  const names = Object.values(LOOKS);
  return [
    text("xₜ comes in on the left, the predicted noise out on the right; numbers are channels", {
      x: 14,
      y: 22,
      anchor: "start",
      size: 13,
    }),
    ...names.flatMap(({ fill, stroke, name }, i) => {
      const x = 14 + [0, 150, 380, 510][i];
      return [
        `<rect x="${x}" y="${y}" width="16" height="12" rx="2" fill="${fill}" stroke="${stroke}"/>`,
        text(name, { x: x + 22, y: y + 10, anchor: "start", size: 11.5 }),
      ];
    }),
  ];
}
