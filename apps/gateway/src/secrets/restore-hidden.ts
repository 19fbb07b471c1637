import { type Config, connectorClass } from '@sluice/core';
import { ConnectError, ConnectErrorCode, hiddenValue } from '@sluice/sdk';

/**
 * Puts stored values in the place of the marks that were shown instead of them, so that a configuration that was read can be sent back.
 * A mark counts under any name: what was hidden depends on what was known of the class when it was read.
 *
 * @throws ConnectError with code `CONNECT_REQUEST_INVALID` naming the settings that have no stored value, or all marked ones when the
 *   class changes: a value must not become visible because another class does not call it secret.
 */
export function restoreHidden(sent: Config, stored: Config | undefined): Config {
  const marked = Object.keys(sent).filter((name) => sent[name] === hiddenValue);
  if (marked.length === 0) return sent;
  const isSameClass = stored === undefined || connectorClass(stored) === connectorClass(sent);
  const lost = marked.filter((name) => !isSameClass || stored?.[name] === undefined);
  if (lost.length > 0) {
    const why = isSameClass ? 'no value is stored' : 'connector.class changes';
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `${hiddenValue} given for ${lost.join(', ')} stands for a stored value, but ${why}: give the value itself.`,
    );
  }
  return { ...sent, ...Object.fromEntries(marked.map((name) => [name, stored?.[name] ?? ''])) };
}
