/** What stands with a picture. */
export interface PictureWords {
  /** Above it. */
  title: string;
  /** What is seen, for those who do not see it. */
  alt: string;
}

/** The figures that runs leave, by their file names. */
export const WORDS: Record<string, PictureWords> = {
  "paper1_diffusion.png": {
    title: "Both chains",
    alt: "Two rows of clouds of points: above, the data become noise; below, noise becomes data.",
  },
  "paper1_field.png": {
    title: "Where the network moves a point",
    alt:
      "The plane at four t with an arrow at every place: at large t all lead to the middle, at small t " +
      "to the nearest part of the data.",
  },
  "paper1_loss.png": {
    title: "The loss by step, and the KL of each t",
    alt:
      "Two curves: the loss falls over training; the KL of each t against the best there can be.",
  },
  "paper2_chain.png": {
    title: "From noise to image",
    alt: "Rows of images, each from noise on the left to what it became on the right.",
  },
  "paper2_inpainting.png": {
    title: "Holes filled",
    alt:
      "Rows of images: as they were, with a hole, with the hole filled in several ways, and where the " +
      "fillings differ.",
  },
  "paper2_likelihood.png": {
    title: "Rate and distortion",
    alt:
      "Three charts: how far the image is off by step, what it has cost by step, and the one against " +
      "the other.",
  },
  "paper2_loss.png": {
    title: "The loss by step and by t",
    alt: "Two curves: the loss falls over training; it is largest at small t.",
  },
  "paper2_samplers.png": {
    title: "The same noises by other samplers",
    alt: "Rows of images, one for each sampler and number of steps, from the same noises.",
  },
  "paper2_samples.png": {
    title: "Samples",
    alt: "The first of the images that the run drew, side by side.",
  },
  "paper3_chain.png": {
    title: "From noise to image",
    alt: "Rows of images, each from noise on the left to what it became on the right.",
  },
  "paper3_draw.png": { title: "A number, drawn", alt: "The digits that were asked for, in a row." },
  "paper3_guidance.png": {
    title: "The same noises, more and more strongly guided",
    alt:
      "Images in rows by guidance strength w: the larger w, the clearer the digit and the more alike.",
  },
  "paper3_inpainting.png": {
    title: "Holes filled",
    alt:
      "Rows of images: as they were, with a hole, with the hole filled in several ways, and where the " +
      "fillings differ.",
  },
  "paper3_loss.png": {
    title: "The loss by step and by t",
    alt: "Two curves: the loss falls over training; it is largest at small t.",
  },
  "paper3_samples.png": {
    title: "Samples of every class",
    alt: "A row of images for each class that was asked for.",
  },
  "paper3_tradeoff.png": {
    title: "What guidance trades for what",
    alt:
      "Three charts for every w: the distance to real images against the share taken for what was " +
      "asked, that share, and the variety within a class.",
  },
  "paper4_chain.png": {
    title: "From noise to image",
    alt: "Rows of images, each from noise on the left to what it became on the right.",
  },
  "paper4_evaluations.png": {
    title: "How good images are with few evaluations",
    alt: "A curve for each method over the number of evaluations of the network.",
  },
  "paper4_few_steps.png": {
    title: "The same noises in few steps",
    alt: "Rows of images, one for each method and number of steps.",
  },
  "paper4_field.png": {
    title: "The velocity at each place",
    alt:
      "The plane at four t with an arrow at every place: at first all lead to the middle, at last to " +
      "the nearest part of the data.",
  },
  "paper4_loss.png": {
    title: "The loss by step and by t",
    alt: "Two curves: the loss over training, and over t.",
  },
  "paper4_paths.png": {
    title: "Ways from noise to data",
    alt: "Lines from points of noise to points of the data, for each flow: bent at first, and " +
      "straighter after every reflow.",
  },
  "paper4_samples.png": {
    title: "Samples by few steps",
    alt: "Clouds of samples in a row for each flow, from few steps to many.",
  },
  "paper4_steps.png": {
    title: "Distance to the data by number of steps",
    alt:
      "A falling curve of the sliced Wasserstein distance for each flow; with few steps those after " +
      "a reflow are lowest.",
  },
  "paper5_invention.png": {
    title: "What is copied and what is invented",
    alt:
      "Rows of images from the same noises: by the perfect denoiser, by two local ones, by the " +
      "network, and the training images nearest to the network's.",
  },
  "paper5_plane.png": {
    title: "The perfect denoiser in the plane",
    alt:
      "Above, arrows to where the denoiser expects the data, for 10 to 10,000 training points; below, " +
      "the samples: they lie on the training points.",
  },
};

/** The words for a file; one that is not known, run_of-seven.png, speaks for itself: "run of seven". */
export function wordsFor(file: string): PictureWords {
  const [, name, number] = /^(.*?)(-\d+)?\.png$/.exec(file) ?? ["", file, undefined];
  const plain = name.replace(/^paper\d_/, "").replaceAll(/[_-]+/g, " ");
  const { title, alt } = Object.hasOwn(WORDS, `${name}.png`)
    ? WORDS[`${name}.png`]
    : { title: plain, alt: `A figure of the run: ${plain}.` };
  return { title: number ? `${title}, ${number.slice(1)}` : title, alt };
}
