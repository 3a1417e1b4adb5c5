/** [cos, sin] of the angle 2 pi k / n, each right to the last bit of float64 and exact where it is 0, 1/2 or 1. */
export function rootOfUnity(k: number, n: number): [cos: number, sin: number] {
  // To the first eighth of the circle: there neither function loses what a rounded angle would.
  let at = ((k % n) + n) % n;
  const below = 2 * at > n;
  if (below) at = n - at;
  const left = 4 * at > n;
  // From here on the angle is 2 pi at / (2 n), so that reflections stay whole numbers.
  let doubled = left ? n - 2 * at : 2 * at;
  const steep = 4 * doubled > n;
  if (steep) doubled = n - 2 * doubled;
  const angle = (Math.PI * (steep ? doubled / 2 : doubled)) / n;
  const [near, far] = [Math.cos(angle), Math.sin(angle)];
  const [x, y] = steep ? [far, near] : [near, far];
  return [left ? -x : x, below ? -y : y];
}
