/** erfc, erfinv, lgamma and digamma: polynomials fitted to float64 values, and the reflections that lead below zero. */
import { keepNaN, magnitude } from './bits.js';
import {
  abs,
  add,
  and,
  bitsToF32,
  bitsToU32,
  call,
  constant,
  define,
  div,
  eq,
  gt,
  INF,
  i32,
  loop,
  lt,
  mul,
  NAN,
  type Num,
  neg,
  or,
  polynomial,
  rarely,
  roundEven,
  select,
  shr,
  sqrt,
  sub,
  u32,
} from './body.js';
import { erf, exp } from './exponential.js';
import { log, log1p } from './logarithm.js';
import { sin, tan } from './trigonometry.js';

/** e^(-x²) for x from 0 to 10: the square is taken in two parts, because exp multiplies its error by x². */
function expOfMinusSquare(x: Num): Num {
  const upper = bitsToF32(and(bitsToU32(x), u32(0xfffff000)));
  const low = mul(sub(x, upper), add(x, upper));
  return mul(call(exp, neg(mul(upper, upper))), call(exp, neg(low)));
}

/** 1 - erf(x); above 1/2 e^(-x²) / (1 + 2x) times a polynomial in (x - 2) / (x + 2) (Shepherd and Laframboise, 1981). */
export const erfc = define('erfc', ['f32'], (x) => {
  const a = abs(x);
  const bounded = select(lt(a, 9.5), a, 9.5);
  const t = div(sub(bounded, 2), add(bounded, 2));
  const scaled = polynomial(
    t,
    1.2769783735275269,
    -0.09276378899812698,
    -0.16603080928325653,
    0.16404953598976135,
    -0.05421152338385582,
    -0.008013532496988773,
    0.008660050109028816,
    0.0011746196541935205,
    -0.0012663283850997686,
    -0.00025874178390949965,
  );
  // From 9.2 on the result is below the smallest normal number.
  const tail = select(lt(9.19454, a), 0, div(mul(expOfMinusSquare(bounded), scaled), add(1, add(bounded, bounded))));
  const inside = sub(1, call(erf, x));
  return keepNaN(x, select(lt(a, 0.5), inside, select(lt(x, 0), sub(2, tail), tail)));
});

/** x times a polynomial in w = -log(1 - x²), or in its root (after Giles, 2012). */
export const erfinv = define('erfinv', ['f32'], (x) => {
  const a = abs(x);
  const w = neg(select(lt(a, 0.5), call(log1p, neg(mul(x, x))), call(log, mul(sub(1, x), add(1, x)))));
  const central = polynomial(
    sub(w, 2.5),
    1.5014094114303589,
    0.24664027988910675,
    -0.004177386872470379,
    -0.0012527419021353126,
    0.00021834444487467408,
    -4.963347691955278e-6,
    -3.4627048535185168e-6,
    4.6617066118415096e-7,
    2.3232644252857426e-8,
    -8.791056771428885e-9,
  );
  const tail = polynomial(
    sub(sqrt(select(lt(w, 5), 5, w)), 3.1),
    2.9332315921783447,
    1.0033560991287231,
    0.007461200933903456,
    -0.005695357918739319,
    0.004109305329620838,
    -0.0027217911556363106,
    0.001363816438242793,
    -0.00028516340535134077,
    -0.00020265733473934233,
    0.00012895959662273526,
  );
  const inside = mul(x, select(lt(w, 5), central, tail));
  return keepNaN(x, select(lt(a, 1), inside, select(lt(1, a), NAN, mul(x, INF))));
});

/** lgamma(2 + u) / (u (u + 1)) for u from -1 to 1. */
const betweenZeros = (u: Num): Num =>
  polynomial(
    u,
    0.42278432846069336,
    -0.10031730681657791,
    0.03296494483947754,
    -0.012384114786982536,
    0.004999482538551092,
    -0.0021089448127895594,
    0.0009104973869398236,
    -0.00040197125053964555,
    0.00019581675587687641,
    -9.175394370686263e-5,
    2.023395245487336e-5,
    -7.2659577199374326e-6,
    1.931390943354927e-5,
    -9.682707968750037e-6,
  );

/** log |Γ(x)| for x >= 0: about the zeros 1 and 2 it is their factors times a polynomial, from 3 on Stirling's series. */
function lgammaOfPositive(x: Num): Num {
  const logarithm = call(log, x);
  const belowOne = lt(x, 1);
  // x - 1 and x - 2 are exact where they matter.
  const u = sub(x, select(belowOne, 1, 2));
  const bounded = select(lt(x, 3), u, 0);
  const small = sub(mul(mul(bounded, add(bounded, 1)), betweenZeros(bounded)), select(belowOne, logarithm, 0));
  const inverse = div(1, x);
  const rest = polynomial(
    mul(inverse, inverse),
    0.0833333283662796,
    -0.0027774455957114697,
    0.0007822102052159607,
    -0.0004416131996549666,
  );
  const stirling = add(mul(sub(x, 0.5), sub(logarithm, 1)), add(0.4189385332046727, mul(inverse, rest)));
  return select(lt(x, 3), small, select(lt(4.0850034e36, x), INF, stirling));
}

/** What x is away from the nearest whole number: exact. */
const fromWhole = (x: Num): Num => sub(x, roundEven(x));

/** Below zero |Γ(x) Γ(-x)| = π / |x sin(πx)|; 0 and the negative whole numbers give +infinity. */
export const lgamma = define('lgamma', ['f32'], (x) => {
  const a = abs(x);
  const above = lgammaOfPositive(a);
  const rest = fromWhole(a);
  const product = mul(a, abs(call(sin, mul(rest, Math.PI))));
  const reflected = sub(sub(Math.log(Math.PI), call(log, product)), above);
  // The product would underflow.
  const below = select(lt(a, 1e-15), above, select(eq(rest, 0), INF, reflected));
  const result = rarely(lt(x, 0), below, above);
  const finite = select(lt(magnitude(x), i32(0x00800000)), INF, result);
  return keepNaN(x, select(lt(magnitude(x), i32(0x7f800000)), finite, INF));
});

/** Γ'(x) / Γ(x): steps up to 6, then an asymptotic series; below zero ψ(1 - x) - π / tan(πx). */
export const digamma = define('digamma', ['f32'], (x) => {
  const below = lt(x, 0);
  const start = select(below, sub(1, x), x);
  const [y, steps] = loop(
    [start, constant(0)],
    (at) => lt(at!, 6),
    (at, sum) => [add(at!, 1), add(sum!, div(1, at!))],
  ) as [Num, Num];
  const inverse = div(1, y);
  const z = mul(inverse, inverse);
  const series = polynomial(z, 1 / 12, -1 / 120, 1 / 252, -1 / 240);
  const above = sub(sub(sub(call(log, y), mul(0.5, inverse)), mul(z, series)), steps);
  const rest = fromWhole(x);
  const reflected = select(eq(rest, 0), NAN, sub(above, div(Math.PI, call(tan, mul(rest, Math.PI)))));
  const finite = select(below, reflected, above);
  const negative = gt(shr(bitsToU32(x), 31), u32(0));
  const ends = select(lt(magnitude(x), i32(0x00800000)), select(negative, INF, -Infinity), select(negative, NAN, INF));
  const inside = or(lt(magnitude(x), i32(0x00800000)), eq(magnitude(x), i32(0x7f800000)));
  return keepNaN(x, select(inside, ends, finite));
});
