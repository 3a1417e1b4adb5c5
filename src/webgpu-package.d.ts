// TypeScript's own DOM library declares the WebGPU interfaces. The types inside the `webgpu` package bring in a second
// declaration of them, which conflicts; tsconfig maps the package to this file instead.
export function create(flags: string[]): GPU;
export const globals: Record<string, unknown>;
