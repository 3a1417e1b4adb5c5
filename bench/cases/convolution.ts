import { conv2d } from 'tiller';
import { Random } from '../random.js';
import type { HostArray, OpCase } from './case.js';
import { fromNHWC, toHWC1, toHWIO, toNHWC } from './layouts.js';

const CHANNELS = 64;
const SIZE = 56;
const PADDING: [number, number][] = [
  [1, 1],
  [1, 1],
];

function imageAndFilters(seed: number, perGroup: number): HostArray[] {
  const random = new Random(seed);
  return [
    { data: random.uniform(CHANNELS * SIZE * SIZE, -1, 1), shape: [1, CHANNELS, SIZE, SIZE] },
    { data: random.uniform(CHANNELS * perGroup * 9, -1, 1), shape: [CHANNELS, perGroup, 3, 3] },
  ];
}

const resultFromNHWC = (data: Float32Array) => fromNHWC({ data, shape: [1, SIZE, SIZE, CHANNELS] }).data;

export const conv3x3: OpCase = {
  name: 'conv3x3',
  what: 'convolution of 1 x 64 x 56 x 56 with 64 filters of 3 x 3, padding 1 (tfjs in its own layout, NHWC)',
  kind: 'op',
  flops: 2 * CHANNELS * CHANNELS * SIZE * SIZE * 9,
  tolerance: 1e-4,
  inputs: () => imageAndFilters(7, CHANNELS),
  tiller: (x, w) => conv2d(x!, w!, null, { padding: 1 }),
  jaxjs: ({ lax }, x, w) => lax.convGeneralDilated(x!, w!, [1, 1], PADDING),
  tfjs: (tf, x, w) => tf.conv2d(x!, w!, 1, 'same'),
  tfjsLayout: { inputs: ([x, w]) => [toNHWC(x!), toHWIO(w!)], result: resultFromNHWC },
  ort: (graph, x, w) => graph.node('Conv', [x!, w!], { pads: [1, 1, 1, 1] }),
  torch: true,
};

export const depthwise3x3: OpCase = {
  name: 'depthwise3x3',
  what: 'depthwise convolution of 1 x 64 x 56 x 56, 3 x 3, padding 1 (tfjs in its own layout, NHWC)',
  kind: 'op',
  flops: 2 * CHANNELS * SIZE * SIZE * 9,
  tolerance: 1e-4,
  inputs: () => imageAndFilters(8, 1),
  tiller: (x, w) => conv2d(x!, w!, null, { padding: 1, groups: CHANNELS }),
  jaxjs: ({ lax }, x, w) => lax.convGeneralDilated(x!, w!, [1, 1], PADDING, { featureGroupCount: CHANNELS }),
  tfjs: (tf, x, w) => tf.depthwiseConv2d(x!, w!, 1, 'same'),
  tfjsLayout: { inputs: ([x, w]) => [toNHWC(x!), toHWC1(w!)], result: resultFromNHWC },
  ort: (graph, x, w) => graph.node('Conv', [x!, w!], { pads: [1, 1, 1, 1], group: CHANNELS }),
  torch: true,
};
