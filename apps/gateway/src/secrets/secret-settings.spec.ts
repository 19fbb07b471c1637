import { describe, expect, it } from '@jest/globals';
import type { Config, PluginInfo, Report } from '@sluice/core';
import type { DefinitionsQuestion } from '@sluice/protocol';
import { type ConfigSpec, describeSpec, HIDDEN_VALUE } from '@sluice/sdk';
import { RunnerQuestions } from '../adapters/runner-questions.js';
import { hideSecrets, SecretSettings } from './secret-settings.js';

const secret = (name: string): ConfigSpec => ({ [name]: { type: 'password', importance: 'low', optional: true, doc: 'Opens.' } });

const plugin = (kind: PluginInfo['kind'], name: string, version = '1.0.0'): PluginInfo => ({ kind, name, aliases: [], version });

/** Runners that answer as they list; of the versions that fit a question, or of all where it says none, each takes its newest. */
class Runners {
  readonly reports = new Map<string, Report>();
  readonly specs = new Map<string, ConfigSpec>();
  readonly questions: DefinitionsQuestion[] = [];
  readonly #secrets = new SecretSettings(
    new RunnerQuestions({ ofMembers: () => [...this.reports.values()] }, { request: (target, question) => this.#answer(target, question) }),
    { waitMs: 1000 },
  );

  report(nodeId: string, sentAt: number, ...plugins: readonly PluginInfo[]): void {
    const report: Report = {
      nodeId,
      incarnation: `${nodeId}#1`,
      role: 'source-runner',
      reportSeq: 1,
      sentAt,
      leaving: false,
      capacity: 1,
      plugins,
      appliedSeq: 0,
      tasks: [],
    };
    this.reports.set(nodeId, report);
  }

  async shown(config: Config): Promise<Config> {
    return hideSecrets(config, await this.#secrets.of(config));
  }

  #answer({ node }: { readonly node?: string }, question: unknown): Promise<unknown> {
    const { className, version, kind } = question as DefinitionsQuestion;
    this.questions.push(question as DefinitionsQuestion);
    const found = (this.reports.get(node ?? '')?.plugins ?? []).filter(
      (each) => each.name === className && (version ?? each.version) === each.version && (kind ?? each.kind) === each.kind,
    );
    const { kind: ofKind, version: ofVersion } = kind === undefined ? found[0]! : found.at(-1)!;
    return Promise.resolve({ fields: describeSpec(this.specs.get(`${ofKind} ${ofVersion}`) ?? {}) });
  }
}

describe('the secret settings of a plugin', () => {
  it('are those of every version that a runner lists, also where the runner that is asked first lacks the newest', async () => {
    const runners = new Runners();
    const [v1, v2] = [plugin('source', 'A', '1.0.0'), plugin('source', 'A', '2.0.0')];
    runners.specs.set('source 1.0.0', secret('old')).set('source 2.0.0', secret('pin'));
    runners.report('w1', 2, v1);
    runners.report('w2', 1, v1, v2);
    const config = { 'connector.class': 'A', pin: 'hunter2', old: 'swordfish', more: 'x' };
    const hidden = { 'connector.class': 'A', pin: HIDDEN_VALUE, old: HIDDEN_VALUE, more: 'x' };
    expect(await runners.shown(config)).toEqual(hidden);
    runners.report('w1', 3, v1, v2);
    expect(await runners.shown(config)).toEqual(hidden);
    expect(runners.questions).toHaveLength(2);
    // What is known of a plugin stays, also where nobody lists it now.
    runners.reports.clear();
    expect(await runners.shown(config)).toEqual(hidden);
  });

  it('are those of the versions that a configuration allows', async () => {
    const runners = new Runners();
    runners.specs.set('source 1.0.0', secret('old')).set('source 2.0.0', secret('pin'));
    runners.report('w1', 1, plugin('source', 'A', '1.0.0'), plugin('source', 'A', '2.0.0'));
    const config = { 'connector.class': 'A', 'connector.plugin.version': '[2.0,3.0)', pin: 'hunter2', old: 'x' };
    expect(await runners.shown(config)).toEqual({ ...config, pin: HIDDEN_VALUE });
  });

  it('are those of a predicate also where a transform has its name', async () => {
    const runners = new Runners();
    runners.specs.set('predicate 1.0.0', secret('pin'));
    runners.report('w1', 1, plugin('source', 'A'), plugin('transform', 'acme.Match'), plugin('predicate', 'acme.Match'));
    const config = { 'connector.class': 'A', predicates: 'p', 'predicates.p.type': 'acme.Match', 'predicates.p.pin': 'hunter2' };
    expect(await runners.shown(config)).toEqual({ ...config, 'predicates.p.pin': HIDDEN_VALUE });
  });
});
