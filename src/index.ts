export {
  type Leak,
  leaks,
  type MemoryReport,
  memoryReport,
  type ProfileOptions,
  type ProfileReport,
  profile,
  type Roofline,
  roofline,
} from './profile/index.js';
export * from './tensor/index.js';

/** Version of this package. */
export const version = '0.1.0';
