import { nearestName } from '@sluice/sdk';
import { parseArgs, type ParseArgsConfig } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values'];

/** Thrown for words of a command that it cannot use. */
export class UsageError extends Error {}

/**
 * Reads the options of a command.
 *
 * @param command its name, for errors
 * @throws UsageError for an option that the command does not have, a value too many or one too few; it names what is allowed
 */
export function parseOptions<const O extends Options>(command: string, args: readonly string[], options: O): Values<O> {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw unknownOption(command, message, Object.keys(options));
    throw new UsageError(message, { cause: error });
  }
}

function unknownOption(command: string, message: string, known: readonly string[]): UsageError {
  const given = /'(-{1,2}[^']*)'/.exec(message)?.[1] ?? message;
  const nearest = nearestName(given.replace(/^-+/, ''), known);
  const hint = nearest === undefined ? '' : ` Did you mean --${nearest}?`;
  return new UsageError(`${given} is not an option of \`${command}\`.${hint} Allowed are ${known.map((name) => `--${name}`).join(', ')}`);
}
