import type { Mutant } from './mutant.js';

/** What connectors have agreed upon is never changed, and all nodes hold the same. */
export const PAIR_MUTANTS: readonly Mutant[] = [
  {
    rule: 'pairs: one replaces another with its key',
    file: 'model/pair-table.ts',
    from: 'return this.byKey.has(key) || this.#values.has(value);',
    to: 'return this.#values.has(value);',
  },
  {
    rule: 'pairs: one gets the value of another',
    file: 'model/pair-table.ts',
    from: 'return this.byKey.has(key) || this.#values.has(value);',
    to: 'return this.byKey.has(key);',
  },
  {
    rule: 'pairs: two of one request get the same value',
    file: 'model/pair-table.ts',
    from: 'if (added.has(key) || values.has(value) || this.rulesOut(pair)) continue;',
    to: 'if (added.has(key) || this.rulesOut(pair)) continue;',
  },
  {
    rule: 'pairs: a request changes the table that others hold',
    file: 'model/pair-table.ts',
    from: 'const byKey = new Map(this.byKey);',
    to: 'const byKey = this.byKey as Map<string, string>;',
  },
  {
    rule: 'pairs: a deleted connector loses them',
    file: 'log/cluster-draft.ts',
    from: 'this.#connectorDraft.delete(event.name, seq);',
    to: 'this.#connectorDraft.delete(event.name, seq); this.#pairs = SharedMap.without(this.#pairs, [event.name]);',
  },
  {
    rule: 'pairs: snapshots do not hold them',
    file: 'log/snapshot-records.ts',
    from: "for (const rows of pairRowsOf(state.pairs)) records.push(['pairs', rows]);",
    to: '',
  },
  {
    rule: 'pairs: files do not hold them',
    file: 'log/state-files.ts',
    from: 'pairs: pairTablesIn(connectorFile.pairs ?? []),',
    to: 'pairs: new Map(),',
  },
  {
    rule: 'pairs: only the first part of many is read back',
    file: 'model/pair-table.ts',
    from: 'else known.push(...pairs);',
    to: '',
    specs: ['model/pair-table.spec.ts'],
  },
  {
    rule: 'pairs: files of a state that differs in nothing else are not written again',
    file: 'log/state-files.ts',
    from: 'left.pairs === right.pairs &&',
    to: '',
    specs: ['log/agreed-pairs.spec.ts'],
  },
  {
    rule: 'pairs: the leader takes more than the limits allow',
    file: 'coordinator/handle-command.ts',
    from: "if (error !== undefined) return refusal('invalid', error);\n      const added",
    to: 'const added',
    specs: ['coordinator/extend-pairs.spec.ts'],
  },
];
