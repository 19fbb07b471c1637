import type { FieldError, SourceConnector, TaskConfig } from '@sluice/sdk';

const SETTING = 'exactly.once.support';

/** Says why a source cannot have `exactly.once.support=required`; nothing where it can, or where that is not required. */
export function exactlyOnceErrors(connector: SourceConnector, config: TaskConfig): readonly FieldError[] {
  const given = config[SETTING]?.trim() ?? '';
  if (given.toLowerCase() !== 'required') return [];
  const why = whyNotExactlyOnce(connector, config);
  if (why === undefined) return [];
  return [{ field: SETTING, message: `Invalid value ${given} for configuration ${SETTING}: ${why}. Leave it out, or give requested.` }];
}

/** Returns why a connector does not promise exactly once with these settings; `undefined` where it does. */
function whyNotExactlyOnce(connector: SourceConnector, config: TaskConfig): string | undefined {
  if (connector.exactlyOnceSupport === undefined) return `${connector.name} does not say whether it can`;
  try {
    const answer: unknown = connector.exactlyOnceSupport(config);
    if (answer === 'supported') return undefined;
    // A promise is no answer, and its rejection is nobody's: Node would end the process.
    Promise.resolve(answer).catch(() => undefined);
    return answer === 'unsupported' ? `${connector.name} cannot with these settings` : `${connector.name} does not say whether it can`;
  } catch (error) {
    return `${connector.name} could not say whether it can: ${String(error)}`;
  }
}
