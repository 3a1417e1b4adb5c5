// The rules of docs/architecture.md that a machine can keep: which layer may import which, what the browser bundle may
// import, and how long a file may grow.
import { posix } from 'node:path';

/** What each folder may import besides itself. Everything not listed is refused. */
const BELOW_ENGINE = ['src/graph', 'kernels', 'shaders'];
const BELOW_COMPILE = ['src/graph', 'src/autograd', 'kernels', 'shaders', 'src/engine'];
const BELOW_TENSOR = [...BELOW_COMPILE, 'src/compile'];
const BELOW_NN = [...BELOW_TENSOR, 'src/tensor'];
const LIBRARY = [
  ...BELOW_NN,
  'src/nn',
  'src/optim',
  'src/data',
  'src/formats',
  'src/linalg',
  'src/profile',
  'src/random',
  'src/fft',
];
const OUTSIDE = [...LIBRARY, 'src/index.ts', 'src/serve', 'src/cli', 'src/worker'];

/** @type {Record<string, readonly string[]>} */
export const LAYERS = {
  'src/graph': [],
  'src/autograd': ['src/graph'],
  kernels: ['src/graph', 'shaders'],
  shaders: [],
  'src/engine': BELOW_ENGINE,
  'src/compile': BELOW_COMPILE,
  'src/tensor': BELOW_TENSOR,
  'src/nn': BELOW_NN,
  'src/optim': BELOW_NN,
  'src/data': BELOW_NN,
  'src/formats': BELOW_NN,
  'src/linalg': BELOW_NN,
  'src/random': BELOW_NN,
  'src/fft': BELOW_NN,
  'src/profile': BELOW_NN,
  'src/index.ts': OUTSIDE,
  'src/serve': OUTSIDE,
  'src/cli': OUTSIDE,
  'src/worker': OUTSIDE,
};

/** Folders that run in Node only and may import packages and `node:` modules freely. */
const NODE_ONLY = ['src/serve', 'src/cli'];

export const MAX_LINES = 600;

/**
 * Every module specifier a source names: import, export from, import type, import('x') as a call and as a type.
 * @param {string} text
 * @returns {{ specifier: string, kind: 'static' | 'type' | 'dynamic', line: number }[]}
 */
export function importsOf(text) {
  // Comments become blanks of the same length, so that line numbers hold and an import in a docstring does not count.
  const code = text.replace(/\/\*[\s\S]*?\*\/|(?<=^|[\s;{}])\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, ' '));
  const statements =
    /^[ \t]*(?:import|export)\s+(type\s)?(?:[\w*$\s{},]*?\sfrom\s*|[{*][\w*$\s{},]*?\}?\s*from\s*)?(['"])([^'"\n]+)\2/gm;
  const calls = /\bimport\s*\(\s*(['"`])([^'"`\n]+)\1/g;
  const lineAt = (/** @type {number} */ index) => code.slice(0, index).split('\n').length;
  return [
    ...[...code.matchAll(statements)].map((match) => ({
      specifier: match[3],
      kind: match[1] ? /** @type {const} */ ('type') : /** @type {const} */ ('static'),
      line: lineAt(match.index),
    })),
    ...[...code.matchAll(calls)].map((match) => ({
      specifier: match[2],
      kind: /** @type {const} */ ('dynamic'),
      line: lineAt(match.index),
    })),
  ];
}

/**
 * The rules a source breaks, as lines to print.
 * @param {string} path relative to the repository, with forward slashes
 * @param {string} text
 * @returns {string[]}
 */
export function brokenRules(path, text) {
  const problems = [];
  const lines = text.split('\n').length;
  if (lines > MAX_LINES) problems.push(`${path}: ${lines} lines (at most ${MAX_LINES}); split it along a seam`);
  // Ambient declarations belong to no layer.
  if (path.endsWith('.d.ts')) return problems;

  const layer = layerOf(path);
  if (layer === null) return [...problems, `${path}: belongs to no layer of scripts/structure.mjs`];

  for (const { specifier, kind, line } of importsOf(text)) {
    const refuse = (/** @type {string} */ why) => problems.push(`${path}:${line}: imports '${specifier}': ${why}`);
    if (specifier.startsWith('.')) {
      const target = posix.normalize(posix.join(posix.dirname(path), specifier.replace(/\.js$/, '.ts')));
      const targetLayer = layerOf(target);
      if (targetLayer === null) refuse(`${target} belongs to no layer`);
      else if (targetLayer !== layer && !LAYERS[layer].includes(targetLayer)) {
        refuse(`${layer} may import only ${LAYERS[layer].join(', ') || 'itself'}`);
      }
    } else if (/^tiller(\/|$)/.test(specifier)) {
      refuse('the library imports itself by relative paths');
    } else if (kind === 'static' && !NODE_ONLY.includes(layer)) {
      refuse('the library also runs in browsers: import node: modules and packages dynamically');
    }
  }
  return problems;
}

/** @param {string} path @returns {string | null} */
function layerOf(path) {
  const layer = Object.keys(LAYERS).find((name) => path === name || path.startsWith(`${name}/`));
  return layer ?? null;
}
