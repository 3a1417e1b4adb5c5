export type { KernelSpan, Span } from './collector.js';
export { profile } from './profile.js';
export type { KernelRow, ProfileReport } from './report.js';
