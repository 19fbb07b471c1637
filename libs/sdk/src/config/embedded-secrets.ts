import { hiddenValue } from './config-fields.js';

/** A name that holds a secret, and what assigns to it: `password=`, `"token":`, `Authorization:`. */
const assignment =
  /(?:(?:password|passwd|passphrase|\bpwd|secret|token|credentials?|signature|\bsig|(?:api|access|account|private|secret)[._-]?key)(?:\s*=|\\?["']\s*[:=])|authorization\\?["']?\s*[:=])\s*(?=\S)/gi;
/** `user/password@` of a JDBC address that is no URL. */
const jdbcLogin = /\bjdbc:\w+:\w+:([^@/\s]+\/[^@\s]+)@/i;

interface UserInfo {
  readonly from: number;
  readonly to: number;
}

/**
 * Hides the secrets inside a value: of a URL its userinfo. A value in which a secret is assigned (`password=`) is hidden as a whole, since
 * where that secret ends is not certain.
 */
export function hideEmbedded(value: string): string {
  if (assignedSecrets(value).length > 0 || jdbcLogin.test(value)) return hiddenValue;
  return hideUserInfo(value);
}

/** Replaces the userinfo of every URL in a text by {@link hiddenValue}. */
export function hideUserInfo(text: string): string {
  let shown = '';
  let done = 0;
  for (const { from, to } of userInfos(text)) {
    shown += text.slice(done, from) + hiddenValue;
    done = to;
  }
  return shown + text.slice(done);
}

/** States whether a value is what {@link hideEmbedded} or the name's own rule shows in place of a secret. */
export function isHidden(value: string): boolean {
  return value === hiddenValue || value.includes(`://${hiddenValue}@`);
}

/** Lists the secrets inside a value as an error or a log line could repeat them. */
export function embeddedSecrets(value: string): readonly string[] {
  const assigned = assignedSecrets(value);
  const login = jdbcLogin.exec(value)?.[1];
  const whole = assigned.length > 0 || login !== undefined ? [value] : [];
  const logins = login === undefined ? [] : [login, login.slice(login.indexOf('/') + 1)];
  const infos = userInfos(value).flatMap(({ from, to }) => loginsIn(value.slice(from, to)));
  return [...whole, ...assigned, ...logins, ...infos];
}

function assignedSecrets(value: string): readonly string[] {
  return [...value.matchAll(assignment)].flatMap(({ index, 0: { length } }) => {
    const rest = value.slice(index + length);
    const quoted = /^\\?"((?:[^"\\]|\\.)*)|^\\?'((?:[^'\\]|\\.)*)/.exec(rest);
    const inQuotes = quoted?.[1] ?? quoted?.[2];
    if (inQuotes !== undefined) return [inQuotes];
    const words = /^\S+/.exec(rest)?.[0] ?? '';
    return [words, /^[^;&,}\]]*/.exec(words)?.[0] ?? ''];
  });
}

/** Splits what stands before the host into what an error could name alone; one password decodes to another text. */
function loginsIn(info: string): readonly string[] {
  // A userinfo that reaches up to the last `@` may span several URLs of a list.
  const each = info.split('@').map((part) => part.split('://').at(-1) ?? '');
  return [info, ...each, ...each.map((login) => login.slice(login.indexOf(':') + 1))].flatMap((text) => [
    text,
    decoded(text),
  ]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Finds the userinfo in each word that has one. It reaches up to the last `@`: a password may hold what a URL does not allow. */
function userInfos(text: string): readonly UserInfo[] {
  return [...text.matchAll(/\S+/g)].flatMap(({ index, 0: word }) => {
    const to = word.lastIndexOf('@');
    for (let at = word.indexOf('://'); at !== -1 && at + 3 < to; at = word.indexOf('://', at + 3)) {
      const inner = word.slice(at + 3, to);
      const authority = /^[^/?#]*/.exec(inner)?.[0] ?? '';
      if (authority.length === inner.length || /[:@]/.test(authority))
        return [{ from: index + at + 3, to: index + to }];
    }
    return [];
  });
}
