import { InternalError } from '../../src/graph/index.js';

/**
 * Fills `{{name}}` placeholders of a shader source. One that stands alone on its line takes any number of lines, indented like
 * itself; without lines its own line vanishes.
 */
export function fillTemplate(
  source: string,
  values: Readonly<Record<string, string | number | readonly string[]>>,
): string {
  const filling = (name: string): string | number | readonly string[] => {
    const value = values[name];
    if (value === undefined) throw new InternalError(`[template] no value for {{${name}}}`);
    return value;
  };
  const out: string[] = [];
  for (const line of source.trimEnd().split('\n')) {
    const alone = /^(\s*)\{\{(\w+)\}\}$/.exec(line);
    if (alone) {
      const value = filling(alone[2]!);
      const lines = typeof value === 'object' ? value : String(value) === '' ? [] : String(value).split('\n');
      let depth = 0;
      for (const l of lines) {
        const text = l.trim();
        if (/^[})]/.test(text)) depth--;
        out.push(`${alone[1]}${'  '.repeat(Math.max(depth, 0))}${text}`);
        // Blocks open at the end of a line and close at the start of one.
        if (/[{(]$/.test(text)) depth++;
      }
    } else {
      out.push(line.replace(/\{\{(\w+)\}\}/g, (_, name: string) => String(filling(name))));
    }
  }
  return `${out.join('\n')}\n`;
}
