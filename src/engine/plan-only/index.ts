export { createPlanOnlyEngine, type KernelListing, type PlanListing, PlanOnlyEngine } from './engine.js';
