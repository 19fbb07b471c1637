/** How long one request may take, in milliseconds: longer than a gateway itself takes. */
const REQUEST_TIMEOUT_MS = 120_000;

/** Thrown for what a gateway refuses. */
export class GatewayError extends Error {
  constructor(
    readonly status: number,
    reason: string,
  ) {
    super(`the gateway answered ${status}: ${reason}`);
  }
}

/**
 * Sends a request to a gateway and returns what it answers.
 *
 * @throws GatewayError, and Error where no gateway answers
 */
export async function askGateway<T>(gateway: string, method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<T> {
  const content = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  let response: Response;
  try {
    response = await fetch(gateway + path, { method, ...content, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS), redirect: 'error' });
  } catch (error) {
    const { cause } = error as Error;
    throw new Error(`the gateway at ${gateway} does not answer: ${cause instanceof Error ? cause.message : (error as Error).message}`, {
      cause: error,
    });
  }
  const text = await response.text();
  if (response.ok) return answerIn<T>(text, gateway);
  throw new GatewayError(response.status, messageIn(text));
}

function answerIn<T>(text: string, gateway: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Error(`what answers at ${gateway} is no gateway: its answer is not JSON`);
  }
}

/** Reads where a gateway is. @throws Error, which does not repeat what is given: it may hold a password */
export function gatewayAddress(given: string): string {
  const url = URL.parse(given);
  const isRight = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (!isRight) throw new Error('--gateway is no address of a gateway, such as http://127.0.0.1:8083, without login');
  return url.origin + url.pathname.replace(/\/+$/, '');
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    return typeof message === 'string' ? message : 'no reason';
  } catch {
    return 'no reason';
  }
}
