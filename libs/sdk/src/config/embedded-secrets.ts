import { HIDDEN_VALUE } from './config-fields.js';
import { mayHoldReferences, replaceReferences } from './references.js';

/** A name that holds a secret, and what assigns to it: `password=`, `password: `, `"token":`, `Authorization:`, `<password>`. */
const ASSIGNMENT =
  /(?:(?:password|passwd|passphrase|\bpass|\bpwd|secret|token|credentials?|signature|\bsig|(?:api|access|account|private|secret)[._-]?key)(?:\s*=|:\s|>|\\?["']\s*[:=])|authorization\\?["']?\s*[:=])\s*(?=\S)/gi;
/** `user/password@` of a JDBC address that is no URL. Limits keep the search linear. */
const JDBC_LOGIN = /\bjdbc:\w{1,64}:\w{1,64}:([^@/\s]{1,256}\/[^@\s]{1,256})@/gi;
/** A parameter of a query that holds a secret. A limit on what stands before the name keeps the search linear. */
const QUERY_SECRET =
  /([?&](?:amp;)?(?:(?:[\w.-]{0,40}(?:password|passwd|passphrase|secret|token|credentials?|signature|(?:api|access|account|private|secret|subscription)[._-]?key))|key|sig|pass|pwd|auth)=)([^\s&#"'<>]+)/gi;
/** What follows a login without a scheme: a host with a port or a path, or `tcp(` of a Go data source name. */
const PLACE_OF_LOGIN = /^(?:(?:\[[\da-f:.]{2,45}\]|[\w.-]{1,253})(?::\d{1,5}(?!\w)|\/)|\w{1,16}\()/i;
/** What stands before the first colon of a login: its user, after what may stand before that. */
const USER_OF_LOGIN = /[\w.+%~-]{1,64}$/;
/** The mark that hides a secret, also as a URL writes it. */
const MARK = /\[hidden\]|%5Bhidden%5D/i;
/** What is assigned but is no secret: hiding such words would make texts unreadable. */
const NO_SECRET = /^(?:true|false|null|none)$/i;
/** Stands for a reference while secrets are looked for; no text has it. */
const REFERENCE = '\u{F0000}';
/** More secrets of one value, or longer ones, are removed from texts only with the whole value. */
const MAX_SECRETS = 100;
const MAX_SECRET_LENGTH = 4096;

interface UserInfo {
  readonly from: number;
  readonly to: number;
}

/**
 * Hides the secrets inside a value: of a URL its userinfo. A value in which a secret is assigned (`password=`) is hidden as a whole, since
 * where that secret ends is not certain. A reference to a config provider is no secret, and is shown.
 */
export function hideEmbedded(value: string): string {
  if (mayHoldReferences(value)) {
    const marked = replaceReferences(value, () => REFERENCE);
    if (marked !== value) return holdsOpenSecret(marked) ? HIDDEN_VALUE : value;
  }
  if (value.search(ASSIGNMENT) !== -1 || value.search(JDBC_LOGIN) !== -1) return HIDDEN_VALUE;
  return hideInText(value);
}

/** Whether a value holds a secret of which more than references is written. */
function holdsOpenSecret(marked: string): boolean {
  const assigned = [...marked.matchAll(ASSIGNMENT)].flatMap((match) => {
    const [first = '', ...narrower] = assignedSecrets(marked, match);
    return narrower.length === 0 ? [first] : narrower;
  });
  const logins = [...marked.matchAll(JDBC_LOGIN)].map(({ 1: login = '' }) => login.slice(login.indexOf('/') + 1));
  const queries = [...marked.matchAll(QUERY_SECRET)].map(({ 2: secret = '' }) => secret);
  const infos = userInfos(marked).flatMap(({ from, to }) => {
    const each = marked.slice(from, to).split('@');
    return each.map((part) => part.split('://').at(-1) ?? '').map((login) => login.slice(login.indexOf(':') + 1));
  });
  return [...assigned, ...logins, ...queries, ...infos].some((secret) => secret.replaceAll(REFERENCE, '').trim() !== '');
}

/**
 * Hides the forms of secrets that any text may hold. These are the userinfo of URLs, and what a query assigns to names such as `key` or `token`.
 * It also hides logins without a scheme: `user:password@host:port` or `user:password@host/path`. Leaves `a:b@c`: it may be an e-mail address
 * after a label.
 */
export function hideInText(text: string): string {
  return hideLogins(text).replace(QUERY_SECRET, (whole, name: string, value: string) =>
    NO_SECRET.test(value) ? whole : `${name}${HIDDEN_VALUE}`,
  );
}

function hideLogins(text: string): string {
  let shown = '';
  let done = 0;
  for (const { from, to } of userInfos(text)) {
    shown += text.slice(done, from) + HIDDEN_VALUE;
    done = to;
  }
  return shown + text.slice(done);
}

/** States whether a value holds the mark that stands for a hidden secret, in whatever a client has made around it. */
export function holdsMark(value: string): boolean {
  return MARK.test(value);
}

/** Lists the secrets inside a value as an error or a log line could repeat them, at most a hundred. References are none. */
export function embeddedSecrets(value: string): readonly string[] {
  const marked = replaceReferences(value, () => REFERENCE);
  const found = embeddedSecretsIn(marked);
  return marked === value ? found : found.filter((secret) => !secret.includes(REFERENCE));
}

function embeddedSecretsIn(value: string): readonly string[] {
  const assigned = [...value.matchAll(ASSIGNMENT)].slice(0, MAX_SECRETS).flatMap((match) => assignedSecrets(value, match));
  const logins = [...value.matchAll(JDBC_LOGIN)]
    .slice(0, MAX_SECRETS)
    .flatMap(({ 1: login = '' }) => [login, login.slice(login.indexOf('/') + 1)]);
  const queries = [...value.matchAll(QUERY_SECRET)].slice(0, MAX_SECRETS).flatMap(({ 2: secret = '' }) => [secret, decoded(secret)]);
  const whole = assigned.length + logins.length > 0 ? [value] : [];
  const infos = userInfos(value)
    .slice(0, MAX_SECRETS)
    .flatMap(({ from, to }) => loginsIn(value.slice(from, to)));
  return [...whole, ...[...assigned, ...logins, ...queries, ...infos].filter((secret) => !NO_SECRET.test(secret)).slice(0, MAX_SECRETS)];
}

function assignedSecrets(value: string, { 0: name, index }: RegExpExecArray): readonly string[] {
  const start = index + name.length;
  const rest = value.slice(start, start + MAX_SECRET_LENGTH);
  const quoted = /^\\?"((?:[^"\\]|\\.)*)|^\\?'((?:[^'\\]|\\.)*)/.exec(rest);
  const inQuotes = quoted?.[1] ?? quoted?.[2];
  if (/^authorization/i.test(name)) {
    // A scheme stands before the secret: `Bearer`, `Basic`, or none.
    const line = (inQuotes ?? /^[^\r\n"',;}]*/.exec(rest)?.[0] ?? '').trim();
    return [line, ...line.split(/\s+/).slice(1)];
  }
  if (inQuotes !== undefined) return [inQuotes];
  const words = /^\S+/.exec(rest)?.[0] ?? '';
  return [words, /^[^;&,}\]<]*/.exec(words)?.[0] ?? ''];
}

/** Splits what stands before the host into what an error could name alone; one password decodes to another text. */
function loginsIn(info: string): readonly string[] {
  // A userinfo that reaches up to the last `@` may span several URLs of a list.
  const each = info
    .split('@')
    .slice(0, MAX_SECRETS)
    .map((part) => part.split('://').at(-1) ?? '');
  return [info, ...each, ...each.map((login) => login.slice(login.indexOf(':') + 1))].flatMap((text) => [text, decoded(text)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Finds the userinfo in each word that has one, with or without a scheme. It reaches up to the last `@`: a password may hold what a URL does not allow. */
function userInfos(text: string): readonly UserInfo[] {
  return [...text.matchAll(/\S+/g)].flatMap(({ index, 0: word }) => {
    const to = word.lastIndexOf('@');
    if (to === -1) return [];
    if (!word.includes('://')) {
      const from = startOfLogin(word, to);
      return from === undefined ? [] : [{ from: index + from, to: index + to }];
    }
    for (let at = word.indexOf('://'); at !== -1 && at + 3 < to; at = word.indexOf('://', at + 3)) {
      const inner = word.slice(at + 3, to);
      const authority = /^[^/?#]*/.exec(inner)?.[0] ?? '';
      if (authority.length === inner.length || (/[:@]/.test(authority) && !isHostWithPort(authority)))
        return [{ from: index + at + 3, to: index + to }];
    }
    return [];
  });
}

/** Returns where the login before the `@` begins that has no scheme; undefined where there is none. */
function startOfLogin(word: string, to: number): number | undefined {
  const colon = word.indexOf(':');
  if (colon === -1 || colon + 1 >= to || !PLACE_OF_LOGIN.test(word.slice(to + 1, to + 300))) return undefined;
  const user = USER_OF_LOGIN.exec(word.slice(Math.max(0, colon - 64), colon))?.[0];
  if (user === undefined) return undefined;
  const from = colon - user.length;
  // In a list such as `topic@broker:0,topic@broker:1` no word before a colon is a user.
  return word[from - 1] === '@' ? undefined : from;
}

function isHostWithPort(authority: string): boolean {
  return /^(?:\[[^\]]*\]|[^:@]*):\d{1,5}$/.test(authority);
}
