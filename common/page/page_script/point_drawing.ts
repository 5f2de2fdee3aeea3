/// <reference lib="dom" />
import { colour } from "./elements.ts";
import type { Place, PointChain } from "./point_chain.ts";

/** A canvas's context, and where a place in the plane lies on it. */
export interface Paper {
  pen: CanvasRenderingContext2D;
  pixel: (place: Place) => Place;
}

/** Groups of points with a colour of their own. */
const TINTS = 12;

/** The points in groups of about equal size, by how far from the middle they are at t. */
export function byDistanceFromMiddle(chain: PointChain, t = 0): number[][] {
  const distances = Array.from({ length: chain.N }, (_, point) => {
    const { x, y } = chain.at(point, t);
    return { point, distance: Math.hypot(x, y) };
  });
  distances.sort((a, b) => a.distance - b.distance);
  const groups: number[][] = Array.from({ length: TINTS }, () => []);
  distances.forEach(({ point }, rank) => groups[Math.floor(rank * TINTS / chain.N)].push(point));
  return groups;
}

/** All points at t, each group in a tint of its own. */
export function drawPoints(
  { pen, pixel }: Paper,
  { chain, groups, t, radius, alpha }: {
    chain: PointChain;
    groups: number[][];
    t: number;
    radius: number;
    alpha: number;
  },
): void {
  pen.globalAlpha = alpha;
  groups.forEach((points, i) => {
    pen.fillStyle = tint(i / (TINTS - 1));
    pen.beginPath();
    for (const point of points) {
      const { x, y } = pixel(chain.at(point, t));
      pen.moveTo(x + radius, y);
      pen.arc(x, y, radius, 0, 2 * Math.PI);
    }
    pen.fill();
  });
  pen.globalAlpha = 1;
}

/** The whole way of a point: strong where it has been, faint where it will go; full in the data. */
export function drawPath(
  paper: Paper,
  { chain, point, t, from }: {
    chain: PointChain;
    point: number;
    t: number;
    from: "data" | "noise";
  },
): void {
  const { pen, pixel } = paper;
  function way(first: number, last: number, alpha: number) {
    pen.globalAlpha = alpha;
    pen.beginPath();
    for (let t = first; t <= last; t++) {
      const { x, y } = pixel(chain.at(point, t));
      pen.lineTo(x, y);
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }
  pen.strokeStyle = colour("ink");
  pen.lineWidth = 1.4;
  pen.lineJoin = "round";
  way(0, t, from === "data" ? 0.9 : 0.25);
  way(t, chain.T, from === "noise" ? 0.9 : 0.25);
  drawRing(paper, chain.at(point, chain.T), { radius: 3.5, fill: "paper" });
  drawRing(paper, chain.at(point, 0), { radius: 3.5, fill: "ink" });
}

/** A small circle around a place. */
export function drawRing(
  { pen, pixel }: Paper,
  place: Place,
  { radius, fill }: { radius: number; fill: "paper" | "ink" },
): void {
  const { x, y } = pixel(place);
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.lineWidth = 1.6;
  pen.strokeStyle = colour("ink");
  pen.fillStyle = colour(fill);
  pen.fill();
  pen.stroke();
}

/** An arrow at its true length; its head is never longer than it. */
export function drawArrow({ pen, pixel }: Paper, start: Place, end: Place): void {
  const [from, to] = [pixel(start), pixel(end)];
  const head = Math.min(9, 0.6 * Math.hypot(to.x - from.x, to.y - from.y) + 2);
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  pen.strokeStyle = pen.fillStyle = colour("accent");
  pen.lineWidth = 2.4;
  pen.beginPath();
  pen.moveTo(from.x, from.y);
  pen.lineTo(to.x - 0.7 * head * Math.cos(angle), to.y - 0.7 * head * Math.sin(angle));
  pen.stroke();
  pen.beginPath();
  pen.moveTo(to.x, to.y);
  for (const side of [-0.45, 0.45]) {
    pen.lineTo(to.x - head * Math.cos(angle + side), to.y - head * Math.sin(angle + side));
  }
  pen.fill();
}

/** A thin line from every point to where its arrow leads, in ink: the points have the colours. */
export function drawAllArrows(
  { pen, pixel }: Paper,
  { chain, arrows, t }: { chain: PointChain; arrows: PointChain; t: number },
): void {
  pen.strokeStyle = colour("ink");
  pen.globalAlpha = 0.7;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let point = 0; point < chain.N; point++) {
    const [from, to] = [pixel(chain.at(point, t)), pixel(arrows.at(point, t))];
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x, to.y);
  }
  pen.stroke();
  pen.globalAlpha = 1;
}

/** A colour from the middle of the data, 0, to its rim, 1; the theme has three, as #rrggbb. */
function tint(share: number): string {
  const channels = (name: string) =>
    [1, 3, 5].map((at) => parseInt(colour(name).slice(at, at + 2), 16));
  const [from, to] = share < 0.5 ? ["near", "between"] : ["between", "far"];
  const part = share < 0.5 ? 2 * share : 2 * share - 1;
  const [low, high] = [channels(from), channels(to)];
  return `rgb(${low.map((value, i) => Math.round(value + part * (high[i] - value))).join(" ")})`;
}
