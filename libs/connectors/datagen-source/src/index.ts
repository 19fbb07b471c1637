export { datagenSource } from './datagen-source.connector.js';
export { datagenSourceSpec } from './spec.js';
