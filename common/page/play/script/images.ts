/// <reference lib="dom" />

/** A grey image in [-1, 1], size × size, on a canvas that takes its size. */
export function drawImage(canvas: HTMLElement, values: ArrayLike<number>, size: number): void {
  const pen = (canvas as HTMLCanvasElement).getContext("2d")!;
  if (pen.canvas.width !== size) pen.canvas.width = pen.canvas.height = size;
  const image = pen.createImageData(size, size);
  for (let i = 0; i < size * size; i++) {
    image.data.fill(127.5 + 127.5 * values[i], 4 * i, 4 * i + 3); // rounded and held in 0..255
    image.data[4 * i + 3] = 255;
  }
  pen.putImageData(image, 0, 0);
}

/** Small images side by side in an element; the returned function shows others, [count, size, size]. */
export function gallery(
  id: string,
  { count, size, label }: { count: number; size: number; label: string },
): (images: Float32Array) => void {
  const canvases = Array.from({ length: count }, (_, i) => {
    const canvas = document.createElement("canvas");
    canvas.className = "small";
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${label} ${i + 1}`);
    return canvas;
  });
  document.getElementById(id)!.replaceChildren(...canvases);
  return (images) =>
    canvases.forEach((canvas, i) =>
      drawImage(canvas, images.subarray(i * size * size, (i + 1) * size * size), size)
    );
}

/** Small images in a row, of which one is picked. */
export interface Thumbnails {
  /** Which one, from 0. */
  readonly picked: number;
  /** Marks another one; -1 for none. */
  pick(index: number): void;
  /** Shows other images, [count, size, size]. */
  show(images: Float32Array): void;
  /** Calls back with the one that was picked. */
  onPicked(listener: (index: number) => void): void;
}

/** Makes them in an element, as buttons. */
export function thumbnails(
  id: string,
  { count, size, onPick, label = "image" }: {
    count: number;
    size: number;
    onPick: () => void;
    label?: string;
  },
): Thumbnails {
  let picked = 0;
  const listeners: ((index: number) => void)[] = [];
  const buttons = Array.from({ length: count }, (_, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "thumbnail";
    button.setAttribute("aria-label", `${label} ${i + 1}`);
    const canvas = document.createElement("canvas");
    canvas.className = "small";
    button.append(canvas);
    button.addEventListener("click", () => {
      picked = i;
      mark();
      onPick();
      for (const listener of listeners) listener(i);
    });
    return button;
  });
  function mark() {
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === picked)));
  }
  mark();
  document.getElementById(id)!.replaceChildren(...buttons);
  return {
    get picked() {
      return picked;
    },
    pick(index) {
      picked = index;
      mark();
    },
    show(images) {
      buttons.forEach((button, i) => {
        const canvas = button.firstElementChild as HTMLElement;
        drawImage(canvas, images.subarray(i * size * size, (i + 1) * size * size), size);
      });
    },
    onPicked: (listener) => listeners.push(listener),
  };
}
