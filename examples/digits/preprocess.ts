/** Side of the images that the network was trained on, and of the box that a digit fills in them. */
export const SIDE = 28;
const BOX = 20;
/** Fainter ink does not count for where a digit begins and ends. */
const FAINT = 0.1;

/**
 * Makes of a drawing what MNIST's authors made of their scans: cropped, scaled to fit 20 x 20 pixels with its proportions kept,
 * and moved so that its centre of mass is the centre of 28 x 28.
 * @param ink values 0..1, row by row
 * @returns 784 values 0..1, or null where nothing is drawn
 */
export function likeMnist(ink: Float32Array, width: number, height: number): Float32Array | null {
  const crop = boundingBox(ink, width, height);
  if (crop === null) return null;
  const scale = BOX / Math.max(crop.width, crop.height);
  const columns = Math.max(1, Math.round(crop.width * scale));
  const rows = Math.max(1, Math.round(crop.height * scale));
  const digit = resampled(ink, width, crop, columns, rows);

  const { x, y } = centreOfMass(digit, columns, rows);
  const left = clamp(Math.round((SIDE - 1) / 2 - x), 0, SIDE - columns);
  const top = clamp(Math.round((SIDE - 1) / 2 - y), 0, SIDE - rows);
  const image = new Float32Array(SIDE * SIDE);
  for (let row = 0; row < rows; row++) {
    image.set(digit.subarray(row * columns, (row + 1) * columns), (top + row) * SIDE + left);
  }
  return image;
}

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

function boundingBox(ink: Float32Array, width: number, height: number): Box | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x]! <= FAINT) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Each pixel of the result is the mean of the area that it covers. */
function resampled(ink: Float32Array, stride: number, crop: Box, columns: number, rows: number): Float32Array {
  const out = new Float32Array(columns * rows);
  const acrossX = spans(crop.left, crop.width, columns);
  const acrossY = spans(crop.top, crop.height, rows);
  acrossY.forEach((ySpan, row) => {
    acrossX.forEach((xSpan, column) => {
      let sum = 0;
      let area = 0;
      for (const { at: y, share: dy } of ySpan) {
        for (const { at: x, share: dx } of xSpan) {
          sum += dx * dy * ink[y * stride + x]!;
          area += dx * dy;
        }
      }
      out[row * columns + column] = sum / area;
    });
  });
  return out;
}

/** For each of `count` equal parts of an interval: the pixels in it, and how much of each. */
function spans(start: number, length: number, count: number): { at: number; share: number }[][] {
  return Array.from({ length: count }, (_, i) => {
    const from = start + (i * length) / count;
    const to = start + ((i + 1) * length) / count;
    const pixels: { at: number; share: number }[] = [];
    for (let at = Math.floor(from); at < to && at < start + length; at++) {
      pixels.push({ at, share: Math.min(at + 1, to) - Math.max(at, from) });
    }
    return pixels;
  });
}

function centreOfMass(image: Float32Array, width: number, height: number): { x: number; y: number } {
  let [mass, x, y] = [0, 0, 0];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const value = image[row * width + column]!;
      mass += value;
      x += value * column;
      y += value * row;
    }
  }
  return { x: x / mass, y: y / mass };
}

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));
