import { randomUUID } from 'node:crypto';
import { type CommandBody, type CommandOutcome, isConnectorCommand, TargetState } from '@sluice/core';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { RequestDeadline } from '../http/request-deadline.js';
import { type CommandPort, ControlPlaneUnavailableError, type NodeLogger } from '../ports/gateway-ports.js';
import type { ClusterView } from '../view/cluster-view.js';

/** Time between two looks whether the gateway still hears of the leader that is to answer, in milliseconds. */
const LEADER_WATCH_MS = 250;

export type DoneOutcome = Extract<CommandOutcome, { status: 'done' }>;

/** Has commands carried out and turns refusals into errors. */
export class CommandDesk {
  constructor(
    private readonly view: ClusterView,
    private readonly commands: CommandPort,
    private readonly options: { readonly requestTimeoutMs: number },
    private readonly logger: Pick<NodeLogger, 'info' | 'warn'>,
  ) {}

  /** Begins to count the time that a request may take. */
  deadline(): RequestDeadline {
    return new RequestDeadline(this.options.requestTimeoutMs);
  }

  /**
   * Resolves once the command is carried out and the view of the cluster shows it. Logs what was done, or that nobody knows, without settings.
   *
   * @param missing - the words for a thing that the coordinator does not find, if not its own
   * @throws ConnectError with code `CONNECT_CONFLICT`, `CONNECT_NOT_FOUND`, `CONNECT_REQUEST_INVALID` or `CONNECT_TIMEOUT`.
   * @throws ControlPlaneUnavailableError while no coordinator leads, and when the command could not be written: nothing was changed. Also when
   *   the leader falls silent before it answers: then the message says that the command may still be carried out.
   */
  async carryOut(body: CommandBody, deadline: RequestDeadline, missing?: string): Promise<DoneOutcome> {
    const leaderless = this.view.leaderless();
    if (leaderless !== undefined) throw new ControlPlaneUnavailableError(`${leaderless.reason} Nothing was changed.`);
    const requestId = randomUUID();
    const options = { timeoutMs: deadline.remainingMs, requestId };
    let isUnsent = false;
    const submitted = this.commands.submit(body, options).catch((error: unknown) => {
      isUnsent = error instanceof ControlPlaneUnavailableError;
      const lost = this.view.lostContact();
      if (lost === undefined || !(error instanceof ControlPlaneUnavailableError)) throw error;
      throw new ControlPlaneUnavailableError(`${lost.message} Nothing was changed.`, { cause: error });
    });
    const outcome = await this.#whileLed(body, submitted, deadline).catch((error: unknown) => {
      if (!isUnsent) this.logger.warn(describeUnknown(body, requestId, error));
      throw error;
    });
    switch (outcome.status) {
      case 'done':
        this.logger.info(`${deedOf(body, outcome)} (request ${requestId})`);
        return outcome;
      case 'conflict':
        throw new ConnectError(ConnectErrorCode.conflict, outcome.message);
      case 'not-found':
        throw new ConnectError(ConnectErrorCode.notFound, missing ?? outcome.message);
      case 'invalid':
        throw new ConnectError(ConnectErrorCode.requestInvalid, outcome.message);
      case 'expired':
        throw new ConnectError(ConnectErrorCode.timeout, outcome.message, { retriable: true });
      default:
        return outcome satisfies never;
    }
  }

  /**
   * Waits for an answer while a coordinator leads. The leader may have died just before the gateway wrote the command: that shows only while
   * the command waits.
   */
  async #whileLed<T>(body: CommandBody, answer: Promise<T>, deadline: RequestDeadline): Promise<T> {
    const stage = `waiting for the coordinator to carry out ${nameOf(body)}, which may still happen`;
    let timer: NodeJS.Timeout | undefined;
    const abandoned = new Promise<never>((_resolve, reject) => {
      timer = setInterval(() => {
        const leaderless = this.view.leaderless();
        if (leaderless === undefined) return;
        const outlook = `${nameOf(body)} may still be carried out once a coordinator leads again.`;
        reject(new ControlPlaneUnavailableError(`${leaderless.reason} ${outlook}`));
      }, LEADER_WATCH_MS);
    });
    try {
      // The deadline is outermost, so that its timer ends whoever settles first.
      return await deadline.within(Promise.race([answer, abandoned]), stage);
    } finally {
      clearInterval(timer);
    }
  }
}

const deedOfTarget = {
  [TargetState.running]: 'resumed',
  [TargetState.paused]: 'paused',
  [TargetState.stopped]: 'stopped',
} as const;

/** States in past tense what a command did. */
function deedOf(body: CommandBody, { created }: DoneOutcome): string {
  switch (body.kind) {
    case 'connector.put':
      return `Connector ${body.name}: ${(created ?? body.mode === 'create') ? 'created' : 'configuration changed'}`;
    case 'connector.target':
      return `Connector ${body.name}: ${deedOfTarget[body.targetState]}`;
    case 'connector.delete':
      return `Connector ${body.name}: deleted`;
    case 'connector.restart':
      return `Connector ${body.name}: restarted${body.onlyFailed === true ? ' where it had failed' : ''}`;
    case 'tasks.restart':
      return `Connector ${body.name}: restarted task ${body.tasks.map(({ index }) => index).join(', ')}`;
    case 'pairs.extend':
      return `Connector ${body.name}: pairs agreed upon`;
    case 'node.drain':
      return `Node ${body.nodeId}: drain started`;
    case 'node.undrain':
      return `Node ${body.nodeId}: drain ended`;
    case 'settings.put':
      return 'Cluster settings changed';
    default:
      return body satisfies never;
  }
}

/** Says which command may still be carried out, and how to find out whether it was. */
function describeUnknown(body: CommandBody, requestId: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  const advice = `GET ${placeOf(body)} shows whether it was: send the request again only if it was not`;
  return `The outcome of ${nameOf(body)} (request ${requestId}) is unknown, it may still be carried out. ${advice}. ${reason}`;
}

/** The path that shows what a command changes. */
function placeOf(body: CommandBody): string {
  if (isConnectorCommand(body)) return `/connectors/${encodeURIComponent(body.name)}${body.kind === 'connector.put' ? '' : '/status'}`;
  return 'nodeId' in body ? `/cluster/nodes/${encodeURIComponent(body.nodeId)}` : '/cluster/settings';
}

function nameOf(body: CommandBody): string {
  if (isConnectorCommand(body)) return `${body.kind} of ${body.name}`;
  return 'nodeId' in body ? `${body.kind} of ${body.nodeId}` : body.kind;
}
