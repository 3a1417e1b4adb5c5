import { attention, attentionBackward } from './attention.js';
import { cacheHit } from './cacheHit.js';
import type { Benchmark } from './case.js';
import { cnnStep } from './cnnStep.js';
import { coldStart, coldStartTransformer } from './coldStart.js';
import { conv3x3, depthwise3x3 } from './convolution.js';
import { elementwise2M } from './elementwise.js';
import { cumsum, gather, scatterAdd, sort } from './indexing.js';
import { matmul512, matmul1024, matvec4096 } from './matmul.js';
import { mlpStep, mlpStepCompiled } from './mlpStep.js';
import { overheadChain } from './overheadChain.js';
import { layerNorm2048x1024, softmax2048x1024, sumColumns, sumRows } from './rows.js';
import { stepOverhead } from './stepOverhead.js';

/** All benchmarks, in the order in which they run. */
export const CASES: readonly Benchmark[] = [
  matmul512,
  matmul1024,
  matvec4096,
  elementwise2M,
  softmax2048x1024,
  layerNorm2048x1024,
  sumRows,
  sumColumns,
  conv3x3,
  depthwise3x3,
  attention,
  attentionBackward,
  cumsum,
  sort,
  gather,
  scatterAdd,
  mlpStep,
  mlpStepCompiled,
  cnnStep,
  overheadChain,
  cacheHit,
  stepOverhead,
  coldStart,
  coldStartTransformer,
];
