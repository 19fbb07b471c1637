export { simulate, type SimulatedRun, type SimulateOptions } from './simulate.js';
export { Simulation } from './simulation.js';
