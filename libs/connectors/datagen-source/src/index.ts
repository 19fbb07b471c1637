import { datagenSource } from './datagen-source.connector.js';

/** Read by the runners, see package.json. */
export const connectors = [datagenSource];
export { datagenSourceSpec } from './spec.js';
