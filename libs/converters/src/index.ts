export * from './conversion-error.js';
export * from './converter-plugins.js';
export * from './json/json.converter.js';
export * from './plain/byte-array.converter.js';
export * from './plain/string.converter.js';
export * from './plain/boolean.converter.js';
export * from './plain/number.converter.js';
export * from './plain/simple-header.converter.js';
