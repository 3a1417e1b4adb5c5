/** Plans of kernels that fail, or that need two threads to end. */
import type { Plan } from '../../../src/engine/plan.js';
import { plan } from '../handmadePlans.js';
import {
  atomicAdd,
  atomicLoad,
  atomicStore,
  get,
  handmadeKernel,
  i32,
  i32Add,
  i32Equal,
  ifElse,
  ifThen,
  producing,
  repeatWhile,
  set,
  tableWord,
  unreachable,
} from './handmade.js';

/** Traps at point `at` of `points`. */
export function failing(points: number, at: number): Plan {
  const body = [get('i'), i32(at), i32Equal, ifThen(unreachable)];
  return producing({ name: 'failing', phases: [{ body, points, perTask: 10 }], dtypes: ['f32'] }, points);
}

/**
 * Two tasks, which meet: each counts itself in at word 0 of the donated input; the first waits until the second has set word 1. The
 * second traps, if asked to. Without a second thread the first gives up after some seconds, and traps.
 */
export function meeting(trap: boolean): Plan {
  const other = [...tableWord(0), ...i32(4), ...i32Add];
  const setOther = [...other, ...i32(1), ...atomicStore];
  const countDown = [...get('n'), ...i32(-1), ...i32Add, ...set('n')];
  const isZero = [0x45];
  const isPositive = [...get('n'), ...i32(0), 0x4a];
  const both = [0x71];
  const kernel = handmadeKernel({
    name: 'meeting',
    phases: [
      {
        points: 2,
        taskCost: 1e7,
        body: [
          [...i32(1 << 30), ...set('n')],
          [...tableWord(0), ...i32(1), ...atomicAdd],
          ifElse(
            [setOther, trap ? unreachable : []],
            [
              repeatWhile(countDown, other, atomicLoad, isZero, isPositive, both),
              [...isPositive, ...isZero],
              ifThen(unreachable),
            ],
          ),
        ],
      },
    ],
    dtypes: ['u32'],
  });
  return plan({
    inputs: [{ length: 2, donated: true }],
    buffers: [{ length: 2, place: { kind: 'input', index: 0 } }],
    kernels: [{ kernel, bindings: [0], params: [] }],
    outputs: [0],
  });
}
