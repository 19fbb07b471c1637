import { deepEqual, ok } from 'node:assert/strict';
import type { Connector, TaskConfig } from '@sluice/sdk';
import type { ContractCase } from './contract-case.js';
import { instanceTestContext, splitTestContext } from './task-contexts.js';
import { within } from './within.js';

const PROMPT_MS = 2_000;

export interface ConnectorSubject {
  readonly connector: Connector;
  /** Makes a system for one case, and calls back with a valid configuration for it. */
  readonly withConfig: (body: (config: TaskConfig) => Promise<void>) => Promise<void>;
}

/** Lists the facts about a connector itself, whatever it moves. */
export function connectorCases(subject: ConnectorSubject): readonly ContractCase[] {
  return [splitsAlike(subject), checksInTime(subject), runsInstance(subject)];
}

function splitsAlike({ connector, withConfig }: ConnectorSubject): ContractCase {
  return {
    title: 'splits its work into between one and the most tasks allowed, always alike',
    run: () =>
      withConfig(async (config) => {
        const context = splitTestContext();
        for (const maxTasks of [1, 3]) {
          const configs = await connector.taskConfigs(config, maxTasks, context);
          ok(configs.length >= 1 && configs.length <= maxTasks);
          deepEqual(await connector.taskConfigs(config, maxTasks, context), configs);
        }
      }),
  };
}

function checksInTime({ connector, withConfig }: ConnectorSubject): ContractCase {
  return {
    title: 'finds a valid configuration right, and ends a check promptly when its signal is aborted',
    run: () =>
      withConfig(async (config) => {
        const check = async (signal: AbortSignal): Promise<unknown> => connector.validate?.(config, signal);
        deepEqual((await check(new AbortController().signal)) ?? [], []);
        const controller = new AbortController();
        const checked = check(controller.signal).catch(() => undefined);
        controller.abort(new Error('the check takes too long'));
        await within(PROMPT_MS, 'an aborted check', checked);
      }),
  };
}

function runsInstance({ connector, withConfig }: ConnectorSubject): ContractCase {
  return {
    title: 'has an instance, if it has one, that raises no error on its own and stops promptly, also during its start',
    run: () =>
      withConfig(async (config) => {
        if (connector.createInstance === undefined) return;
        for (const isStarted of [true, false]) {
          const raised: unknown[] = [];
          const controller = new AbortController();
          const instance = connector.createInstance();
          const started = instance.start(instanceTestContext({ config, signal: controller.signal, raised }));
          if (isStarted) await started;
          deepEqual(raised, []);
          controller.abort(new Error('the connector is stopped'));
          await within(PROMPT_MS, 'a start whose signal is aborted', isStarted ? started : started.catch(() => undefined));
          await within(PROMPT_MS, 'the stop of an instance', instance.stop());
        }
      }),
  };
}
