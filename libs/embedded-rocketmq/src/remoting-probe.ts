import { connect } from 'node:net';

const GET_BROKER_CLUSTER_INFO = 106;
const SUCCESS = 0;
const MAX_ANSWER_BYTES = 1024 * 1024;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Whether a TCP connection to `address` is accepted within `timeoutMs`. */
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

/** A request of the remoting protocol: length, header length with serialize type 0 (JSON) in the top byte, header. */
export function encodeRequest(code: number): Buffer {
  const header = Buffer.from(
    JSON.stringify({ code, language: 'OTHER', version: 401, opaque: 1, flag: 0, serializeTypeCurrentRPC: 'JSON' }),
  );
  const prefix = Buffer.alloc(8);
  prefix.writeInt32BE(4 + header.length, 0);
  prefix.writeInt32BE(header.length, 4);
  return Buffer.concat([prefix, header]);
}

/** Header code and body of the first whole frame in `bytes`; undefined while it is incomplete. */
export function decodeResponse(bytes: Buffer): { code: number; body: string } | undefined {
  if (bytes.length < 8) return undefined;
  const end = 4 + bytes.readInt32BE(0);
  if (bytes.length < end) return undefined;
  const bodyStart = 8 + (bytes.readInt32BE(4) & 0xff_ffff);
  const header = JSON.parse(bytes.toString('utf8', 8, bodyStart)) as { code: number };
  return { code: header.code, body: bytes.toString('utf8', bodyStart, end) };
}

/**
 * What the namesrv knows of its brokers (GET_BROKER_CLUSTER_INFO), as the text it sends: fastjson writes broker ids as
 * bare keys, so it is not JSON. Undefined when the namesrv does not answer within `timeoutMs`.
 */
export function askClusterInfo(namesrv: Address, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(namesrv);
    let received: Buffer = Buffer.alloc(0);
    const settle = (answer: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => {
      settle(undefined);
    }, timeoutMs);
    socket.on('connect', () => socket.write(encodeRequest(GET_BROKER_CLUSTER_INFO)));
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

/** Whether cluster info names that broker with that master address. */
export function isRegistered(clusterInfo: string, brokerName: string, brokerAddr: string): boolean {
  return clusterInfo.includes(`"brokerName":"${brokerName}"`) && clusterInfo.includes(`"${brokerAddr}"`);
}
