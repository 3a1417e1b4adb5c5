import * as tl from 'tiller';
import { expect, it } from 'vitest';

export const z = (...shape: number[]): tl.Tensor => tl.zeros(shape);
export const ints = (...shape: number[]): tl.Tensor => tl.zeros(shape, { dtype: 'i32' });
export const bools = (...shape: number[]): tl.Tensor => tl.zeros(shape, { dtype: 'bool' });
// biome-ignore lint/suspicious/noExplicitAny: what a JavaScript user may pass
export const js = (value: unknown): any => value;

/** Functions by name, called as from JavaScript. */
export const functions = tl as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>;

/** One mistake: what it is, the call that makes it, the class of the error and the beginning of its message. */
export type Mistake = [what: string, call: () => unknown, type: new (message: string) => Error, message: string];

/** A test for each mistake: the call throws a typed error that says so. */
export function throwsEach(mistakes: readonly Mistake[]): void {
  it.each(mistakes)('%s', (_, call, type, message) => {
    let error: unknown = null;
    try {
      call();
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(type);
    expect(error).toBeInstanceOf(tl.TillerError);
    expect((error as Error).name).toBe(type.name);
    expect((error as Error).message).toContain(message);
  });
}
