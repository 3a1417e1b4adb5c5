import * as tl from '../../src/index.js';

const weighed = (x: tl.Tensor, a: tl.Tensor): tl.Tensor =>
  tl.sum(tl.mul(tl.sin(tl.matmul(a, x)), tl.exp(tl.mul(x, x))));
const coupled = (x: tl.Tensor, a: tl.Tensor): tl.Tensor => tl.tanh(tl.mul(tl.matmul(a, x), tl.sum(tl.mul(x, x))));
const network = (w: tl.Tensor, x: tl.Tensor): tl.Tensor => tl.mean(tl.square(tl.softmax(tl.tanh(tl.matmul(x, w)), -1)));
const filtered = (w: tl.Tensor, x: tl.Tensor): tl.Tensor =>
  tl.sum(tl.square(tl.sigmoid(tl.conv2d(x, w, null, { padding: 1, stride: 2 }))));
const perExample = (w: tl.Tensor, x: tl.Tensor, label: tl.Tensor): tl.Tensor => tl.crossEntropy(tl.matmul(x, w), label);

/** Derivatives of functions, by the names that the fixtures of transforms call (golden/transforms.py). */
export const TRANSFORMED = {
  hessianOfWeighed: (x: tl.Tensor, a: tl.Tensor) => tl.hessian(weighed)(x, a),
  hessianOfNetwork: (w: tl.Tensor, x: tl.Tensor) => tl.hessian(network)(w, x),
  hessianOfProduct: (x: tl.Tensor) => tl.hessian((v: tl.Tensor) => tl.prod(v))(x),
  hvpOfNetwork: (w: tl.Tensor, x: tl.Tensor, v: tl.Tensor) => tl.hvp(network, w, v, x),
  hvpOfFiltered: (w: tl.Tensor, x: tl.Tensor, v: tl.Tensor) => tl.hvp(filtered, w, v, x),
  jacobianOfCoupled: (x: tl.Tensor, a: tl.Tensor) => tl.jacobian(coupled)(x, a),
  jacfwdOfCoupled: (x: tl.Tensor, a: tl.Tensor) => tl.jacfwd(coupled)(x, a),
  jacfwdOfSorted: (x: tl.Tensor) => tl.jacfwd((v: tl.Tensor) => tl.gather(tl.exp(v), 0, tl.argsort(v)))(x),
  jvpOfAttention: (q: tl.Tensor, k: tl.Tensor, v: tl.Tensor) =>
    tl.jvp((x: tl.Tensor) => tl.matmul(tl.softmax(tl.matmul(x, tl.transpose(k, -1, -2)), -1), v), q, tl.sin(q))[1],
  gradientsByExample: (w: tl.Tensor, x: tl.Tensor, label: tl.Tensor) =>
    tl.vmap(tl.grad(perExample), [null, 0, 0])(w, x, label),
};
