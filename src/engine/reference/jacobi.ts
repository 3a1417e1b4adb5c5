import { Dense, identity } from './dense.js';

const SWEEPS = 60;

/** The rotation that makes the off-diagonal element of [[p, off], [off, q]] zero. */
function rotation(p: number, q: number, off: number): { c: number; s: number } {
  const theta = (q - p) / (2 * off);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  return { c, s: t * c };
}

/** Columns p and q become c p - s q and s p + c q. */
function rotateColumns(x: Dense, p: number, q: number, { c, s }: { c: number; s: number }): void {
  for (let i = 0; i < x.rows; i++) {
    const [a, b] = [x.at(i, p), x.at(i, q)];
    x.set(i, p, c * a - s * b);
    x.set(i, q, s * a + c * b);
  }
}

function rotateRows(x: Dense, p: number, q: number, { c, s }: { c: number; s: number }): void {
  for (let j = 0; j < x.columns; j++) {
    const [a, b] = [x.at(p, j), x.at(q, j)];
    x.set(p, j, c * a - s * b);
    x.set(q, j, s * a + c * b);
  }
}

/** What is not finite has no rotations: all results are NaN. */
function poisoned(x: Dense): boolean {
  if (x.data.every(Number.isFinite)) return false;
  x.data.fill(Number.NaN);
  return true;
}

/** Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's rotations, the classical cyclic method. */
export function eigh(a: Dense): Dense {
  const n = a.rows;
  const work = new Dense(n, n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) work.set(i, j, a.at(Math.max(i, j), Math.min(i, j)));
  const vectors = identity(n);
  const sweeps = poisoned(work) ? 1 : SWEEPS;
  const scale = Math.sqrt(work.data.reduce((sum, x) => sum + x * x, 0));
  for (let sweep = 0, rotated = true; rotated && sweep < sweeps; sweep++) {
    rotated = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(work.at(p, q)) <= 1e-18 * scale) continue;
        rotated = true;
        const turn = rotation(work.at(p, p), work.at(q, q), work.at(p, q));
        rotateColumns(work, p, q, turn);
        rotateRows(work, p, q, turn);
        rotateColumns(vectors, p, q, turn);
      }
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => work.at(i, i) - work.at(j, j) || i - j);
  const out = new Dense(n + 1, n);
  order.forEach((from, j) => {
    out.set(0, j, work.at(from, from));
    for (let i = 0; i < n; i++) out.set(i + 1, j, vectors.at(i, from));
  });
  return out;
}

const dotColumns = (x: Dense, p: number, q: number): number => {
  let sum = 0;
  for (let i = 0; i < x.rows; i++) sum += x.at(i, p) * x.at(i, q);
  return sum;
};

/** Singular values and vectors by one-sided rotations: A V has orthogonal columns, U times their lengths. */
export function svd(a: Dense): Dense {
  const { rows: m, columns: n } = a;
  const work = a.copy();
  const v = identity(n);
  const sweeps = poisoned(work) ? 1 : SWEEPS;
  for (let sweep = 0, rotated = true; rotated && sweep < sweeps; sweep++) {
    rotated = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const [pp, qq, pq] = [dotColumns(work, p, p), dotColumns(work, q, q), dotColumns(work, p, q)];
        if (Math.abs(pq) <= 1e-16 * Math.sqrt(pp * qq)) continue;
        rotated = true;
        const turn = rotation(pp, qq, pq);
        rotateColumns(work, p, q, turn);
        rotateColumns(v, p, q, turn);
      }
    }
  }
  const lengths = Array.from({ length: n }, (_, j) => Math.sqrt(dotColumns(work, j, j)));
  const order = lengths.map((_, i) => i).sort((i, j) => lengths[j]! - lengths[i]! || i - j);
  // A column of rounding errors has no direction.
  const least = 1e-15 * m * lengths.reduce((a, b) => Math.max(a, b), 0);
  const u = new Dense(m, n);
  const out = new Dense(m + 1 + n, n);
  order.forEach((from, j) => {
    const length = lengths[from]!;
    const found = !(length <= least);
    if (found) for (let i = 0; i < m; i++) u.set(i, j, work.at(i, from) / length);
    else orthogonalColumn(u, j);
    out.set(m, j, found ? length : 0);
    for (let i = 0; i < m; i++) out.set(i, j, u.at(i, j));
    for (let i = 0; i < n; i++) out.set(m + 1 + j, i, v.at(i, from));
  });
  return out;
}

/** Fills column j with a unit vector orthogonal to the columns before it: what is left of the axis that they cover least. */
function orthogonalColumn(u: Dense, j: number): void {
  const covered = Array.from({ length: u.rows }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < j; k++) sum += u.at(i, k) ** 2;
    return sum;
  });
  u.set(covered.indexOf(Math.min(...covered)), j, 1);
  // Twice, because once leaves rounding errors of the size of what was taken away.
  for (let pass = 0; pass < 2; pass++) {
    for (let k = 0; k < j; k++) {
      const along = dotColumns(u, k, j);
      for (let i = 0; i < u.rows; i++) u.set(i, j, u.at(i, j) - along * u.at(i, k));
    }
  }
  const length = Math.sqrt(dotColumns(u, j, j));
  for (let i = 0; i < u.rows; i++) u.set(i, j, u.at(i, j) / length);
}
