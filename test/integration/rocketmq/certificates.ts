import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * An authority in `<name>-ca.pem`, and a certificate of it in `<name>.pem` and `<name>.key`, by default for 127.0.0.1;
 * `names` as in the subjectAltName of OpenSSL.
 */
export async function makeCertificates(dir: string, name: string, names = 'IP:127.0.0.1'): Promise<void> {
  const openssl = async (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: dir, timeout: 30_000 });
  const ca = ['-subj', `/CN=${name}-ca`, '-keyout', `${name}-ca.key`, '-out', `${name}-ca.pem`];
  await openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...ca);
  const request = ['-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`];
  await openssl('req', '-newkey', 'rsa:2048', '-nodes', ...request);
  await writeFile(join(dir, `${name}-names.txt`), `subjectAltName=${names}\n`);
  const issuer = ['-CA', `${name}-ca.pem`, '-CAkey', `${name}-ca.key`, '-CAcreateserial'];
  const issued = ['-in', `${name}.csr`, '-days', '2', '-extfile', `${name}-names.txt`, '-out', `${name}.pem`];
  await openssl('x509', '-req', ...issuer, ...issued);
}
