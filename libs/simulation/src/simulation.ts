import { FIRST_LEVEL, MAX_LEVEL } from '@sluice/core';
import { SimBroker } from './sim-broker.js';
import { SimClock } from './sim-clock.js';
import { SimCommands } from './sim-commands.js';
import { SimCoordinator, type Ask } from './sim-coordinator.js';
import { disturb, type SimFleet } from './sim-faults.js';
import { SimJudge, type JudgedNode } from './sim-judge.js';
import { SimLedger } from './sim-ledger.js';
import type { SimDisk } from './sim-log-reader.js';
import { endOf } from './sim-completions.js';
import { unsettled } from './sim-outcome.js';
import { SimRunner } from './sim-runner.js';
import { SimTruth } from './sim-truth.js';

const COORDINATORS = ['c1', 'c2', 'c3'] as const;
/** With their capacities. */
const RUNNERS = [
  ['r1', 1],
  ['r2', 1],
  ['r3', 2],
] as const;
const LIMITED_RUNNER = 'r1';
/** Time between two faults, and between two commands. */
export const STEP_MS = 1_500;
/** In this share of the runs the nodes begin with an older build. */
const UPGRADE_SHARE = 0.2;
/** In this share one runner cannot run what the others can. */
const LIMITED_SHARE = 0.2;
/** In this share there is one coordinator. */
const SINGLE_SHARE = 0.15;

/**
 * Runs three coordinators, at times one, and three runners under faults, all from one seed. The faults are crashes, pauses, wrong clocks,
 * second nodes of one id, stalls, bad sends and a log that loses its head or tail. A run with a seed is exactly the same every time.
 */
export class Simulation implements SimFleet {
  readonly clock: SimClock;
  readonly broker: SimBroker;
  readonly truth: SimTruth;
  readonly coordinators: SimCoordinator[] = [];
  readonly runners: SimRunner[] = [];
  /** Second nodes with ids of others. */
  readonly doubles: SimRunner[] = [];
  readonly violations: string[] = [];
  /** Nodes begin with an older build and are replaced one by one; such a log does not lose its tail. */
  readonly isUpgrade: boolean;
  readonly #isLimited: boolean;
  readonly #disks = new Map<string, SimDisk>();
  /** By incarnation. */
  readonly #nodes = new Map<string, JudgedNode>();
  #incarnations = 0;
  readonly #ledger: SimLedger;
  readonly #leaders = new Map<string, string>();
  readonly #commands: SimCommands;
  /** The last generation that acted for a task, by `taskKey`. */
  readonly #acted = new Map<string, number>();
  /** Generations that came to their end of data: see {@link endOf}. */
  readonly #ended = new Set<string>();
  #isCalm = false;
  #checkedAt = 0;

  constructor(seed: number) {
    this.clock = new SimClock(seed);
    this.broker = new SimBroker(this.clock);
    this.isUpgrade = this.clock.random() < UPGRADE_SHARE;
    this.#isLimited = this.clock.random() < LIMITED_SHARE;
    const judge = new SimJudge(
      (incarnation) => this.#nodes.get(incarnation),
      (incarnation, time) => this.broker.reportsWithin(incarnation, time),
      (what) => {
        this.#violate(what);
      },
    );
    this.#ledger = new SimLedger(
      (incarnation) => this.#nodes.get(incarnation)?.isDead === false,
      (what) => {
        this.#violate(what);
      },
    );
    this.truth = new SimTruth(this.broker, judge, this.#ledger);
    this.broker.violate = (what) => {
      this.#violate(what);
    };
    this.broker.onLoss = (lose) => {
      this.truth.followLoss(lose);
    };
    this.broker.onAppend = (events) => {
      for (const event of events) judge.judgeExpiry(event);
    };
    this.broker.onDecide = (events, reportOf) => {
      judge.judgeGrants(events, reportOf);
    };
    this.#commands = new SimCommands(this.broker);
    const level = this.isUpgrade ? FIRST_LEVEL : MAX_LEVEL;
    const coordinators = this.clock.random() < SINGLE_SHARE ? COORDINATORS.slice(0, 1) : COORDINATORS;
    for (const nodeId of coordinators) this.coordinators.push(this.#coordinator(nodeId, undefined, level));
    for (const [nodeId] of RUNNERS) this.runners.push(this.#runner(nodeId, undefined, level));
  }

  /** Faults and commands for a while, then peace until everything must be in order. */
  run(faultyMs: number, calmMs: number): void {
    for (let at = 2_000; at < faultyMs; at += STEP_MS) {
      this.clock.after(at + this.clock.random() * 1_000, () => {
        disturb(this);
      });
      this.clock.after(at + this.clock.random() * 1_000, () => {
        this.#commands.send();
      });
    }
    this.#keepAlive();
    this.goOn(faultyMs - this.clock.now);
    this.#calm();
    this.goOn(calmMs);
  }

  /** Lets time pass. */
  goOn(durationMs: number): void {
    this.clock.runUntil(this.clock.now + durationMs, () => {
      if (this.clock.now < this.#checkedAt + 5) return;
      this.#checkedAt = this.clock.now;
      this.#check();
    });
  }

  /** What went wrong on the way, and what is not in order at the end. */
  wrong(): readonly string[] {
    this.truth.follow();
    const { state } = this.truth;
    const { commands } = this.broker;
    const { sent } = this.#commands;
    const { coordinators, runners } = this;
    const { truth } = this;
    const stateAt = truth.stateAt.bind(truth);
    const accepted = truth.accepted();
    return [...this.violations, ...unsettled({ state, stateAt, accepted, commands, sent, coordinators, runners, ended: this.#ended })];
  }

  /** A second process with the id of a runner, on a disk of its own. */
  double(nodeId: string): void {
    this.doubles.push(this.#start(nodeId, undefined, {}, MAX_LEVEL));
  }

  #calm(): void {
    this.#isCalm = true;
    this.broker.endFaults();
    for (const each of this.coordinators) each.standsStillBefore = undefined;
    for (const double of this.doubles) double.isDead = true;
    for (const each of [...this.coordinators, ...this.runners]) if (each.maxLevel < MAX_LEVEL) each.isDead = true;
  }

  #coordinator(nodeId: string, supersedes?: string, level = MAX_LEVEL): SimCoordinator {
    const incarnation = this.#incarnation();
    const disk = this.#disk(nodeId);
    const node = new SimCoordinator(this.broker, nodeId, incarnation, supersedes, disk, level, this.#ask);
    this.#nodes.set(incarnation, node);
    return node;
  }

  #runner(nodeId: string, supersedes?: string, level = MAX_LEVEL): SimRunner {
    return this.#start(nodeId, supersedes, this.#disk(nodeId), level);
  }

  #start(nodeId: string, supersedes: string | undefined, disk: SimDisk, level: number): SimRunner {
    const incarnation = this.#incarnation();
    const aliases = this.#isLimited && nodeId === LIMITED_RUNNER ? [] : ['alias.FileSource'];
    const abilities = { capacity: capacityOf(nodeId), aliases };
    const node = new SimRunner(this.broker, nodeId, incarnation, supersedes, disk, level, abilities);
    node.requestGeneration = (id, generation) => {
      this.#commands.restart(id, generation);
    };
    node.requestSplit = (name) => {
      this.#commands.split(name);
    };
    node.requestPairs = (name, pairs) => this.#commands.extend(name, pairs);
    node.noteCompletion = (key, generation) => {
      this.#ended.add(endOf(key, generation));
    };
    this.#nodes.set(incarnation, node);
    return node;
  }

  #incarnation(): string {
    this.#incarnations += 1;
    return `i${this.#incarnations}`;
  }

  #disk(nodeId: string): SimDisk {
    const disk = this.#disks.get(nodeId) ?? {};
    if (this.clock.random() < 0.2) delete disk.files;
    this.#disks.set(nodeId, disk);
    return disk;
  }

  readonly #ask: Ask = (effect, reply) => {
    const { nodeId, connector, config, maxTasks } = effect;
    const fate = this.broker.isFaulty ? this.clock.random() : 1;
    const runner = this.runners.find((each) => each.nodeId === nodeId && !each.isDead);
    if (fate < 0.15 || runner === undefined) {
      this.clock.after(fate < 0.07 ? 20_000 : 3_000, () => {
        reply({ kind: 'timeout' });
      });
      return;
    }
    runner.after(this.clock.random() * 200, () => {
      if (fate < 0.2) reply({ kind: 'no-such-plugin' });
      else if (config['bad'] === 'yes') reply({ kind: 'error', error: 'cannot be split' });
      else {
        runner.extendPairs(connector, (isAnswered) => {
          if (!isAnswered) reply({ kind: 'timeout' });
          else reply({ kind: 'tasks', tasks: Array.from({ length: maxTasks }, (_, i) => ({ part: String(i) })) });
        });
      }
    });
  };

  /** Starts again what died or was expired, as a supervisor does, with the newest build. */
  #keepAlive(): void {
    this.clock.after(500, () => {
      this.coordinators.forEach((each, i) => {
        if (each.isDead && this.#startsNow()) this.coordinators[i] = this.#coordinator(each.nodeId, this.#lockOf(each));
      });
      this.runners.forEach((each, i) => {
        if (each.hasToEnd) each.isDead = true;
        if (each.isDead && this.#startsNow()) this.runners[i] = this.#runner(each.nodeId, this.#lockOf(each));
      });
      for (const double of this.doubles) if (double.hasToEnd) double.isDead = true;
      this.#keepAlive();
    });
  }

  #startsNow(): boolean {
    return this.broker.isLogThere && (this.#isCalm || this.clock.random() < 0.3);
  }

  /** Most nodes come back on the same state directory. */
  #lockOf(before: { readonly incarnation: string }): string | undefined {
    return this.clock.random() < 0.7 ? before.incarnation : undefined;
  }

  #check(): void {
    this.truth.follow();
    this.#checkLeaders();
    this.#checkOwners();
  }

  /** A claim belongs to one node, and nobody leads by one that never counted: where the tail was lost, others do not know yet. */
  #checkLeaders(): void {
    for (const each of this.coordinators) {
      if (each.isDead || !each.isLeader) continue;
      const { epoch, claimId } = each.state.cluster;
      const known = this.#leaders.get(claimId);
      if (known === undefined) this.#leaders.set(claimId, each.incarnation);
      else if (known !== each.incarnation) this.#violate(`two leaders by claim ${claimId}`);
      const isInLog = this.truth.claims.get(epoch) === claimId;
      const wasInLog = this.broker.rewrites > 0 && this.truth.epochs.get(claimId) === epoch;
      if (!isInLog && !wasInLog) this.#violate(`${each.nodeId} leads epoch ${epoch} without a claim`);
    }
  }

  #checkOwners(): void {
    const owners = new Map<string, string>();
    for (const runner of [...this.runners, ...this.doubles]) {
      for (const key of runner.active(this.#acted)) {
        const other = owners.get(key);
        if (other !== undefined) this.#violate(`${key} on ${other} and ${runner.incarnation}`);
        owners.set(key, runner.incarnation);
        this.#checkGeneration(key, runner.running.get(key)?.generation ?? 0);
        this.#ledger.judgeActive(key, runner, this.clock.now);
      }
    }
  }

  /** Sinks drop records of a generation that is older than one that they have seen, and positions that it writes do not count. */
  #checkGeneration(key: string, generation: number): void {
    const before = this.#acted.get(key) ?? 0;
    if (generation < before) this.#violate(`${key} runs at generation ${generation} after ${before}`);
    this.#acted.set(key, generation);
  }

  #violate(what: string): void {
    this.violations.push(`${this.clock.now.toFixed(0)}: ${what}`);
  }
}

function capacityOf(nodeId: string): number {
  return RUNNERS.find(([id]) => id === nodeId)?.[1] ?? 1;
}
