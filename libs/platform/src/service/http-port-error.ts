const whyByCode: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another process',
  EACCES: 'may not be opened by this user',
  EADDRNOTAVAIL: 'is on an address that this machine does not have',
};

/** Thrown when a node cannot listen where its settings say; says why and which setting to change. */
export class HttpPortError extends Error {
  override readonly name = 'HttpPortError';

  constructor(host: string, port: number, cause: NodeJS.ErrnoException) {
    const why = whyByCode[cause.code ?? ''] ?? `cannot be opened: ${cause.message}`;
    const advice = 'Set SLUICE_HTTP_PORT (http.port) or SLUICE_HTTP_HOST (http.host) to choose another';
    super(`Port ${String(port)} of ${host} ${why}. ${advice}`, { cause });
  }
}
