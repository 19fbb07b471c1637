import type { Mutant } from './mutant.js';

/** Every command once, and none lost. */
export const COMMAND_MUTANTS: readonly Mutant[] = [
  {
    rule: 'request ids: a command that was sent again is done again',
    file: 'coordinator/handle-command.ts',
    from: 'if (known !== undefined) return { events: [], outcome: known.outcome };',
    to: '',
  },
  {
    rule: 'command offsets: a leader begins with a command that was done already',
    file: 'log/header-events.ts',
    from: 'nextCommandOffset: commandOffset + 1',
    to: 'nextCommandOffset: commandOffset',
  },
  {
    rule: 'command offsets: a new leader begins at the end of the queue of its own reading',
    file: 'coordinator/election.ts',
    from: 'readCommandsFrom(turn, cluster.nextCommandOffset);',
    to: 'readCommandsFrom(turn, cluster.nextCommandOffset + 1);',
  },
  {
    rule: 'commands queue: one that was created again is not read from its beginning',
    file: 'coordinator/decide-commands.ts',
    from: "if (rewindTo !== undefined) batch.add({ kind: 'commands.rewound', nextOffset: rewindTo });",
    to: "if (rewindTo === -1) batch.add({ kind: 'commands.rewound', nextOffset: rewindTo });",
  },
  {
    rule: 'one entry: what a command does and its result can be torn apart',
    file: 'coordinator/decide-commands.ts',
    from: 'return batch.isKnownToAll({ ...applied, events: [] }) ? [applied] :',
    to: 'return batch.isKnownToAll({ ...applied, events: [] }) && events.length === 0 ? [applied] :',
  },
];
