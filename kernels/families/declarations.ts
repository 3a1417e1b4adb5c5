import type { WgslModule } from '../render/wgsl-writer.js';

/**
 * The module's declarations with the lengths of buffers written out. An access is then checked against a constant, or not at all
 * where its range is known; software adapters otherwise compute the length of the binding for every access.
 */
export function declarationsOf(module: WgslModule): string {
  const helpers = module.helpers();
  return module
    .declarations()
    .replace(/\bb(\d+): array<(vec4<\w+>|\w+)>;/g, (text, number: string, element: string) => {
      // WGSL knows the length of a binding only for arrays without one.
      if (helpers.includes(`arrayLength(&b${number})`)) return text;
      const { length } = module.kernel.buffers[Number(number)]!;
      return `b${number}: array<${element}, ${element.startsWith('vec4') ? length / 4 : length}>;`;
    });
}
