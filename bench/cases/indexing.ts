import { cumsum as cumsumOf, indexSelect, scatterAdd as scatterAddOf, sort as sortOf } from 'tiller';
import { Random } from '../random.js';
import type { OpCase } from './case.js';

const ROWS = 2048;
const COLUMNS = 1024;

export const cumsum: OpCase = {
  name: 'cumsum',
  what: `running sums along the rows of ${ROWS} x ${COLUMNS}`,
  kind: 'op',
  tolerance: 1e-4,
  inputs: () => [{ data: new Random(22).uniform(ROWS * COLUMNS, -1, 1), shape: [ROWS, COLUMNS] }],
  tiller: (x) => cumsumOf(x!, 1),
  jaxjs: ({ numpy }, x) => numpy.cumsum(x!, 1),
  tfjs: (tf, x) => tf.cumsum(x!, 1),
  ort: (graph, x) => graph.node('CumSum', [x!, graph.integers([1])]),
  torch: true,
};

const LINES = 64;
const LENGTH = 4096;

export const sort: OpCase = {
  name: 'sort',
  what: `sorting each row of ${LINES} x ${LENGTH} (tfjs: topk of all, turned around)`,
  kind: 'op',
  tolerance: 0,
  inputs: () => [{ data: new Random(23).uniform(LINES * LENGTH, -1, 1), shape: [LINES, LENGTH] }],
  tiller: (x) => sortOf(x!, 1).values,
  jaxjs: ({ numpy }, x) => numpy.sort(x!, 1),
  tfjs: (tf, x) => tf.reverse(tf.topk(x!, LENGTH, true).values, 1),
  ort: (graph, x) => graph.node('TopK', [x!, graph.integers([LENGTH])], { axis: 1, largest: 0, sorted: 1 }, 2),
  torch: true,
};

const TABLE = 32_768;
const WIDTH = 64;
const PICKED = 16_384;

export const gather: OpCase = {
  name: 'gather',
  what: `${PICKED} rows, by number, of a table of ${TABLE} x ${WIDTH}`,
  kind: 'op',
  tolerance: 0,
  inputs: () => {
    const random = new Random(24);
    return [
      { data: random.uniform(TABLE * WIDTH, -1, 1), shape: [TABLE, WIDTH] },
      { data: random.integers(PICKED, TABLE), shape: [PICKED] },
    ];
  },
  tiller: (x, index) => indexSelect(x!, 0, index!),
  jaxjs: ({ numpy }, x, index) => numpy.take(x!, index!, 0),
  tfjs: (tf, x, index) => tf.gather(x!, index!, 0),
  ort: (graph, x, index) => graph.node('Gather', [x!, index!], { axis: 0 }),
  torch: true,
};

const ADDED = 4096;
const TARGETS = 1024;

export const scatterAdd: OpCase = {
  name: 'scatterAdd',
  what: `${ADDED} rows of ${WIDTH} numbers, each added to one of ${TARGETS} rows by number (jax-js: the gradient of take)`,
  kind: 'op',
  tolerance: 1e-4,
  inputs: () => {
    const random = new Random(25);
    return [
      { data: random.uniform(TARGETS * WIDTH, -1, 1), shape: [TARGETS, WIDTH] },
      { data: random.integers(ADDED, TARGETS), shape: [ADDED] },
      { data: random.uniform(ADDED * WIDTH, -1, 1), shape: [ADDED, WIDTH] },
    ];
  },
  tiller: (x, index, source) => scatterAddOf(x!, 0, index!.reshape(ADDED, 1).expand(ADDED, WIDTH), source!),
  jaxjs: (jax, x, index, source) => {
    const [picked, pullback] = jax.vjp((table) => jax.numpy.take(table!, index!, 0), [x!.ref]);
    picked.dispose();
    const [sums] = pullback(source!);
    pullback.dispose();
    return x!.add(sums!);
  },
  tfjs: (tf, x, index, source) => tf.add(x!, tf.scatterND(tf.reshape(index!, [ADDED, 1]), source!, [TARGETS, WIDTH])),
  ort: (graph, x, index, source) => {
    const places = graph.node('Cast', [graph.node('Reshape', [index!, graph.integers([-1, 1])])], { to: 7 });
    return graph.node('ScatterND', [x!, places, source!], { reduction: 'add' });
  },
  torch: true,
};
