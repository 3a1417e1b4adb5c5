/** Other names that PyTorch and NumPy have for the elementwise functions. */
import {
  abs,
  acos,
  asin,
  atan,
  atan2,
  type BinaryOp,
  div,
  ge,
  gt,
  le,
  lt,
  mul,
  ne,
  neg,
  sign,
  sub,
  trunc,
  type UnaryOp,
} from './elementwise.js';
import { acosh, asinh, atanh } from './special.js';

/** Another name of `abs`. */
export const absolute: UnaryOp = abs;
/** Another name of `neg`. */
export const negative: UnaryOp = neg;
/** Another name of `sign`. */
export const sgn: UnaryOp = sign;
/** Another name of `trunc`. */
export const fix: UnaryOp = trunc;
/** Another name of `asin`. */
export const arcsin: UnaryOp = asin;
/** Another name of `acos`. */
export const arccos: UnaryOp = acos;
/** Another name of `atan`. */
export const arctan: UnaryOp = atan;
/** Another name of `asinh`. */
export const arcsinh: UnaryOp = asinh;
/** Another name of `acosh`. */
export const arccosh: UnaryOp = acosh;
/** Another name of `atanh`. */
export const arctanh: UnaryOp = atanh;
/** Another name of `atan2`. */
export const arctan2: BinaryOp = atan2;
/** Another name of `sub`. */
export const subtract: typeof sub = sub;
/** Another name of `mul`. */
export const multiply: BinaryOp = mul;
/** Another name of `div`. */
export const divide: typeof div = div;
/** a / b in f32, whatever the dtypes. */
export const trueDivide: BinaryOp = (a, b) => div(a, b);
/** Another name of `gt`. */
export const greater: BinaryOp = gt;
/** Another name of `ge`. */
export const greaterEqual: BinaryOp = ge;
/** Another name of `lt`. */
export const less: BinaryOp = lt;
/** Another name of `le`. */
export const lessEqual: BinaryOp = le;
/** Another name of `ne`. */
export const notEqual: BinaryOp = ne;
