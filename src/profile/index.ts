export type { KernelSpan, Span } from './collector.js';
export type { Leak } from './leaks.js';
export { leaks, memoryReport } from './memory.js';
export type { MemoryReport, PlannedMemory } from './memoryReport.js';
export { type ProfileOptions, profile } from './profile.js';
export type { KernelRow, ProfileReport } from './report.js';
export { type Roofline, roofline } from './roofline.js';
