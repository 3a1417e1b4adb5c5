/** Error function to float64's precision: erf(x) = 2 / sqrt(pi) e^(-x²) (x + 2 x³ / 3 + 4 x⁵ / 15 + …), whose terms do not cancel. */
export function erf(x: number): number {
  // erfc(6) is 2e-17. Written so that NaN goes on.
  if (Math.abs(x) >= 6) return Math.sign(x);
  const twice = 2 * x * x;
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > Math.abs(sum) * 1e-17; odd += 2) {
    term *= twice / odd;
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
