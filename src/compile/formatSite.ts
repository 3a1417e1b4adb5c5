import type { Site } from './sites.js';

const MOST_LINES = 3;
/** What the paths of the library's own files begin with; '' where it was bundled into something else. */
const library = (/^(.*\/)(?:dist\/chunks|src\/compile|dist)\/[^/]*$/.exec(import.meta.url ?? '')?.[1] ?? '').replace(
  'file://',
  '',
);

/** The innermost lines of a stack that are not the library's own, one after the other. */
export function formatSite(site: Site): string {
  const frames = site.stack.split('\n').filter((line) => /^\s*at |@/.test(line));
  const isOwn = (line: string): boolean => {
    const at = library === '' ? -1 : line.indexOf(library);
    return at >= 0 && /^(src|kernels)\/|^dist\/(chunks\/)?[^/]*$/.test(line.slice(at + library.length));
  };
  const users = frames.filter((line) => !isOwn(line));
  return (users.length > 0 ? users : frames)
    .slice(0, MOST_LINES)
    .map((line) => line.trim().replace(/^at /, ''))
    .join(', ');
}
