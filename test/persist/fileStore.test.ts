import * as fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileStore, openFileStore } from '../../src/compile/persist/fileStore.js';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'tiller-store-'));
});
afterEach(() => {
  process.env.XDG_CACHE_HOME = '';
  fs.rmSync(folder, { recursive: true, force: true });
});

const DAY = 86_400_000;
/** Sets when a file was used. */
function age(file: string, ms: number): void {
  const at = new Date(Date.now() - ms);
  fs.utimesSync(join(folder, file), at, at);
}

it('gives back what it was given, and forgets what it is told to', async () => {
  const store = new FileStore(fs, folder);
  expect(await store.read('a')).toBeNull();
  await store.write('a', Uint8Array.of(1, 2));
  await store.write('a', Uint8Array.of(3));
  expect([...(await store.read('a'))!]).toEqual([3]);
  expect(fs.readdirSync(folder)).toEqual(['a.plan']);
  await store.remove('a');
  await store.remove('a');
  expect(await store.read('a')).toBeNull();
});

it('forgets what was not used for longest', async () => {
  const store = new FileStore(fs, folder, 250);
  for (const name of ['a', 'b', 'c']) await new FileStore(fs, folder).write(name, new Uint8Array(100));
  age('a.plan', DAY);
  age('b.plan', 2 * DAY);
  age('c.plan', 3 * DAY);
  // Read: used just now.
  expect(await store.read('c')).not.toBeNull();
  await store.write('d', new Uint8Array(50));
  expect(fs.readdirSync(folder)).toEqual(['a.plan', 'c.plan', 'd.plan']);
});

it('sweeps up what a process left that died while it wrote, and nothing that is not its own', async () => {
  for (const file of ['a.1.0.tmp', 'b.2.0.tmp', 'notes.txt']) fs.writeFileSync(join(folder, file), '');
  age('a.1.0.tmp', DAY);
  age('notes.txt', 9 * DAY);
  await new FileStore(fs, folder, 0).write('c', Uint8Array.of(1));
  expect(fs.readdirSync(folder)).toEqual(['b.2.0.tmp', 'notes.txt']);
});

it('goes on where the folder is gone', async () => {
  const store = new FileStore(fs, folder);
  fs.rmSync(folder, { recursive: true });
  await store.write('a', Uint8Array.of(1));
  expect(await store.read('a')).toBeNull();
  await store.remove('a');
});

it('takes the folder for caches of the user, if it is nobody else’s', async () => {
  process.env.XDG_CACHE_HOME = folder;
  expect(await openFileStore(null)).toBeInstanceOf(FileStore);
  const own = join(folder, 'tiller');
  expect(fs.statSync(own).mode & 0o777).toBe(0o700);
  fs.chmodSync(own, 0o777);
  expect(await openFileStore(null)).toBeNull();
  fs.rmSync(own, { recursive: true });
  fs.writeFileSync(own, '');
  expect(await openFileStore(null)).toBeNull();
});

it('keeps nothing where the user has no home, as in containers that run as any user', async () => {
  const { homedir } = os;
  os.homedir = () => {
    throw new Error('uv_os_homedir returned ENOENT');
  };
  syncBuiltinESMExports();
  try {
    expect(await openFileStore(null)).toBeNull();
  } finally {
    os.homedir = homedir;
    syncBuiltinESMExports();
  }
});

it('makes the folders above, and says so where none can be made', async () => {
  const path = join(folder, 'one', 'two', 'three');
  expect(await openFileStore(path)).toBeInstanceOf(FileStore);
  expect(await openFileStore(path)).toBeInstanceOf(FileStore);
  fs.writeFileSync(join(folder, 'file'), '');
  for (const wrong of [join(folder, 'file'), join(folder, 'file', 'below'), '/proc/tiller-has-no-folder-here']) {
    await expect(openFileStore(wrong)).rejects.toThrow(`[init] no folder for cached plans at ${wrong}`);
  }
});
