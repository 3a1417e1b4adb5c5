import * as tl from 'tiller';
import { expect, it } from 'vitest';

it('lets failed reads be ignored: no unhandled rejection', async () => {
  await tl.init({ engine: 'reference' });
  const gone = tl.tensor([1, 2]).add(1);
  gone.dispose();
  const seen: unknown[] = [];
  const listener = (reason: unknown): void => {
    seen.push(reason);
  };
  process.on('unhandledRejection', listener);
  gone.data();
  gone.tolist();
  gone.item();
  tl.tensor([1, 2]).item();
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off('unhandledRejection', listener);
  expect(seen).toEqual([]);
  await expect(gone.data()).rejects.toThrow(tl.StaleTensorError);
  await expect(tl.tensor([1, 2]).item()).rejects.toThrow(tl.ShapeError);
});
