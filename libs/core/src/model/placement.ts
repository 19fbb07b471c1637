import type { Config } from './connector.js';
import type { Labels } from './member.js';
import { compareText } from './text-order.js';

const PLACEMENT_PREFIX = 'placement.';
/** Names and values of labels, as Kubernetes has them. */
const LABEL_TEXT = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const LABEL_RULE = '1 to 63 letters, digits, dots, underscores and dashes that begin and end with a letter or digit';

/** What is wrong with one setting; the shape is that of the sdk's `FieldError`. */
interface LabelError {
  readonly field: string;
  readonly message: string;
}

export type ParsedLabels = { readonly ok: true; readonly value: Labels } | { readonly ok: false; readonly errors: readonly LabelError[] };

/** Whether a setting of a connector belongs to its placement. */
export function isPlacementKey(name: string): boolean {
  return name.startsWith(PLACEMENT_PREFIX);
}

/**
 * The labels that a connector's workers must carry: `placement.zone=a` asks for `{ zone: 'a' }`. Without such settings it
 * is empty and every worker fits. All wrong settings are reported.
 */
export function parsePlacement(config: Config): ParsedLabels {
  const given = Object.entries(config).filter(([key]) => isPlacementKey(key));
  return toLabels(given.map(([field, value]) => ({ field, name: field.slice(PLACEMENT_PREFIX.length), value: value.trim() })));
}

/**
 * The placement of a stored connector. A setting that `parsePlacement` refuses asks for a label that no worker carries:
 * its tasks then stay unassigned, they do not run just anywhere.
 */
export function placementOf(config: Config): Labels {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => (isPlacementKey(key) ? [[key.slice(PLACEMENT_PREFIX.length), value.trim()]] : [])),
  );
}

/**
 * A node's labels as its settings give them, `zone=a,rack=r1`; blank text means none. `field` is the name of the setting,
 * for the errors.
 */
export function parseLabels(field: string, text: string): ParsedLabels {
  if (text.trim() === '') return { ok: true, value: {} };
  const pairs = text.split(',').map((pair) => {
    const at = pair.indexOf('=');
    return at < 0
      ? { field, name: pair.trim(), value: undefined }
      : { field, name: pair.slice(0, at).trim(), value: pair.slice(at + 1).trim() };
  });
  return toLabels(pairs);
}

/** One text per set of labels, whatever the order of its keys. */
export function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).sort(([left], [right]) => compareText(left, right));
  return `{${pairs.map(([name, value]) => `${name}: ${value}`).join(', ')}}`;
}

interface GivenLabel {
  readonly field: string;
  readonly name: string;
  readonly value: string | undefined;
}

function toLabels(given: readonly GivenLabel[]): ParsedLabels {
  const errors: LabelError[] = [];
  const labels = new Map<string, string>();
  for (const { field, name, value } of given) {
    const refuse = (message: string): void => {
      errors.push({ field, message });
    };
    if (!LABEL_TEXT.test(name)) {
      refuse(`Invalid label name ${JSON.stringify(name)} for configuration ${field}: must be ${LABEL_RULE}.`);
    } else if (value === undefined) {
      refuse(`Label ${name} of configuration ${field} has no value: write it as ${name}=value.`);
    } else if (!LABEL_TEXT.test(value)) {
      const shown = JSON.stringify(value);
      refuse(`Invalid value ${shown} of label ${name} for configuration ${field}: must be ${LABEL_RULE}.`);
    } else if (labels.has(name)) {
      refuse(`Label ${name} is given twice in configuration ${field}: write it once.`);
    } else {
      labels.set(name, value);
    }
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, value: Object.fromEntries(labels) };
}
