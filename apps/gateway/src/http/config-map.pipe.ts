import { type PipeTransform } from '@nestjs/common';
import { type ConfigMap, readConfigMap } from './config-map.js';
import { invalidRequest } from './request-body.pipe.js';

/** Reads a body that is a flat map of settings. @throws ConnectError with code `CONNECT_REQUEST_INVALID`, naming every wrong key */
export class ConfigMapPipe implements PipeTransform<unknown, ConfigMap> {
  transform(value: unknown): ConfigMap {
    const read = readConfigMap(value);
    if (!read.ok) throw invalidRequest(read.problems);
    return read.config;
  }
}
