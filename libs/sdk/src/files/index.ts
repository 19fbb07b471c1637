export { acquireExclusiveLock, type ExclusiveLock, LockHeldError } from './exclusive-lock.js';
export { readTextIfPresent, writeFileDurably } from './durable-file.js';
export { realFolder, requireWritableFolder, sinkFileError } from './sink-files.js';
