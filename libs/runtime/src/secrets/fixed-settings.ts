import { supervisionSpec } from '../config/task-supervision.js';
import { rateLimitsSpec } from '../config/connector-settings.js';

const FIXED = new Set(['name', 'connector.class', 'connector-class', ...Object.keys(supervisionSpec), ...Object.keys(rateLimitsSpec)]);
const CHOICES =
  /^(?:(?:.+\.)?plugin\.version|(?:key|value|header)\.converter|transforms|predicates|(?:transforms|predicates)\.[^.]+\.(?:type|class|predicate)|placement\..+)$/;

/** Whether a setting is read where no reference is resolved: by gateways, by the leader, and by what starts and stops tasks. */
export function isFixedSetting(name: string): boolean {
  return FIXED.has(name) || CHOICES.test(name);
}
