import { connect } from 'node:net';

const GET_ALL_TOPIC_CONFIG = 21;
const GET_BROKER_CLUSTER_INFO = 106;
const GET_ALL_SUBSCRIPTIONGROUP_CONFIG = 201;
const CONTROLLER_GET_SYNC_STATE_DATA = 1006;
const SUCCESS = 0;
const MAX_ANSWER_BYTES = 1024 * 1024;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** How long an answer of a process that runs may take. */
export const ASK_TIMEOUT_MS = 2_000;

/** `127.0.0.1:9876` */
export function parseAddress(address: string): Address {
  const [host = '', port] = address.split(':');
  return { host, port: Number(port) };
}

/** Returns whether a TCP connection to `address` is accepted within `timeoutMs`. */
export function accepts(address: Address, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.setTimeout(timeoutMs);
    const settle = (isAccepted: boolean): void => {
      socket.destroy();
      resolve(isAccepted);
    };
    socket.once('connect', () => {
      settle(true);
    });
    socket.once('timeout', () => {
      settle(false);
    });
    socket.once('error', () => {
      settle(false);
    });
  });
}

/** Returns a request of the remoting protocol: length, header length with serialize type 0 (JSON) in the top byte, header. */
export function encodeProbeRequest(code: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.from(
    JSON.stringify({ code, language: 'OTHER', version: 401, opaque: 1, flag: 0, serializeTypeCurrentRPC: 'JSON' }),
  );
  const prefix = Buffer.alloc(8);
  prefix.writeInt32BE(4 + header.length + body.length, 0);
  prefix.writeInt32BE(header.length, 4);
  return Buffer.concat([prefix, header, body]);
}

/** Returns header code and body of the first whole frame in `bytes`; undefined while it is incomplete. */
export function decodeResponse(bytes: Buffer): { code: number; body: string } | undefined {
  if (bytes.length < 8) return undefined;
  const end = 4 + bytes.readInt32BE(0);
  if (bytes.length < end) return undefined;
  const bodyStart = 8 + (bytes.readInt32BE(4) & 0xff_ffff);
  const header = JSON.parse(bytes.toString('utf8', 8, bodyStart)) as { code: number };
  return { code: header.code, body: bytes.toString('utf8', bodyStart, end) };
}

/** Broker ids (0: the master) and addresses, by broker name. */
export type BrokerTable = ReadonlyMap<string, ReadonlyMap<number, string>>;

/** Returns what a name server knows of the brokers. Undefined when it does not answer within `timeoutMs`. */
export async function askBrokers(namesrv: Address, timeoutMs: number): Promise<BrokerTable | undefined> {
  const body = await ask(namesrv, encodeProbeRequest(GET_BROKER_CLUSTER_INFO), timeoutMs);
  return body === undefined ? undefined : parseBrokerTable(body);
}

/** Reads the body of GET_BROKER_CLUSTER_INFO; fastjson writes broker ids as bare keys, so it is not quite JSON. */
export function parseBrokerTable(body: string): BrokerTable {
  const info = JSON.parse(body.replace(/([{,])(\d+):/g, '$1"$2":')) as {
    readonly brokerAddrTable?: Readonly<Record<string, { readonly brokerAddrs?: Readonly<Record<string, string>> }>>;
  };
  return new Map(
    Object.entries(info.brokerAddrTable ?? {}).map(([name, { brokerAddrs = {} }]) => [
      name,
      new Map(Object.entries(brokerAddrs).map(([id, address]) => [Number(id), address])),
    ]),
  );
}

/** Of one broker name: who is the master, and who has all of its messages (the master too). */
export interface SyncState {
  /** Undefined while none is elected. */
  readonly masterAddress: string | undefined;
  readonly inSyncAddresses: readonly string[];
}

/** Returns what a controller knows of the replicas of a broker name. Undefined when it does not answer within `timeoutMs`. */
export async function askSyncState(controller: Address, brokerName: string, timeoutMs: number): Promise<SyncState | undefined> {
  const request = encodeProbeRequest(CONTROLLER_GET_SYNC_STATE_DATA, Buffer.from(JSON.stringify([brokerName])));
  const body = await ask(controller, request, timeoutMs);
  return body === undefined ? undefined : parseSyncState(body, brokerName);
}

/** Reads the body of CONTROLLER_GET_SYNC_STATE_DATA. */
export function parseSyncState(body: string, brokerName: string): SyncState {
  interface Replicas {
    readonly masterAddress?: string | null;
    readonly inSyncReplicas?: readonly { readonly brokerAddress: string }[];
  }
  const { replicasInfoTable } = JSON.parse(body) as { replicasInfoTable?: Readonly<Record<string, Replicas>> };
  const { masterAddress, inSyncReplicas = [] } = replicasInfoTable?.[brokerName] ?? {};
  return {
    masterAddress: masterAddress === null || masterAddress === '' ? undefined : masterAddress,
    inSyncAddresses: inSyncReplicas.map(({ brokerAddress }) => brokerAddress),
  };
}

/** What a broker, master or slave, holds beside messages. */
export interface BrokerMetadata {
  readonly topics: readonly string[];
  readonly groups: readonly string[];
}

/** Undefined when the broker does not answer within `timeoutMs`. */
export async function askMetadata(broker: Address, timeoutMs: number): Promise<BrokerMetadata | undefined> {
  const topics = await ask(broker, encodeProbeRequest(GET_ALL_TOPIC_CONFIG), timeoutMs);
  const groups = await ask(broker, encodeProbeRequest(GET_ALL_SUBSCRIPTIONGROUP_CONFIG), timeoutMs);
  if (topics === undefined || groups === undefined) return undefined;
  return {
    topics: keysOfTable(topics, 'topicConfigTable'),
    groups: keysOfTable(groups, 'subscriptionGroupTable'),
  };
}

/** Returns the names in a body `{"<table>":{"<name>":{…}},"dataVersion":…}`. */
export function keysOfTable(body: string, table: string): string[] {
  const tables = JSON.parse(body) as Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
  return Object.keys(tables[table] ?? {});
}

/** Returns the body of a successful answer; undefined for any other, and for none within `timeoutMs`. */
function ask(address: Address, request: Buffer, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(address);
    let received: Buffer = Buffer.alloc(0);
    const settle = (answer: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => {
      settle(undefined);
    }, timeoutMs);
    socket.on('connect', () => socket.write(request));
    socket.on('error', () => {
      settle(undefined);
    });
    socket.on('close', () => {
      settle(undefined);
    });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const response = decodeResponse(received);
      if (response !== undefined) settle(response.code === SUCCESS ? response.body : undefined);
      else if (received.length > MAX_ANSWER_BYTES) settle(undefined);
    });
  });
}
