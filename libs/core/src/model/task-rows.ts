import { completion, type ConnectorType, type Overrides, type TaskAssignment, type TaskCompletion, type TaskState } from './connector.js';
import type { Member } from './member.js';
import type { TaskGroup } from './task-table.js';

/** Tasks of one connector in files and snapshots, in as few bytes as names that stand elsewhere allow. Plain JSON. */
export interface TaskRows {
  readonly connector: string;
  readonly type: ConnectorType;
  readonly rows: readonly TaskRow[];
}

/** `owner` is the node that holds the task, or held it last. */
type TaskRow = readonly [
  index: number,
  overrides: Overrides,
  committed: 0 | 1,
  owner: string | null,
  /** Absent or null where nobody holds it. An incarnation that the owner has as a member is left out. */
  assignment?: readonly [generation: number, revokedAt: number | null, incarnation?: string] | null,
  completed?: readonly [generation: number, at: number, skipped?: number, deadLetters?: number],
];

type CompletionRow = NonNullable<TaskRow[5]>;
type AssignmentRow = NonNullable<TaskRow[4]>;

type Members = ReadonlyMap<string, Pick<Member, 'incarnation'>>;

/** A row is some hundred bytes: what writes them one by one need not look at the size of each. */
const ROWS_AT_ONCE = 100;

/** The tasks of a connector, cut into parts of which each is small. */
export function* rowsOf(group: TaskGroup, members: Members): Generator<TaskRows> {
  let type: ConnectorType | undefined;
  let connector = '';
  let rows: TaskRow[] = [];
  for (const task of group) {
    if (task === undefined) continue;
    if (type !== undefined && (task.type !== type || rows.length >= ROWS_AT_ONCE)) {
      yield { connector, type, rows };
      rows = [];
    }
    ({ type } = task);
    ({ connector } = task.id);
    rows.push(rowOf(task, members));
  }
  if (type !== undefined) yield { connector, type, rows };
}

export function tasksIn({ connector, type, rows }: TaskRows, members: Members): TaskState[] {
  return rows.map(([index, overrides, committed, owner, assignment, completed]) => ({
    id: { connector, index },
    type,
    overrides,
    committed: committed === 1,
    ...(owner === null ? {} : { lastNodeId: owner }),
    ...(owner === null || assignment === undefined || assignment === null ? {} : { assignment: assignmentIn(owner, assignment, members) }),
    ...(completed === undefined ? {} : { completed: completionIn(completed) }),
  }));
}

function rowOf({ id, overrides, committed, lastNodeId, assignment, completed }: TaskState, members: Members): TaskRow {
  const mark = committed ? 1 : 0;
  const owner = assignment?.nodeId ?? lastNodeId ?? null;
  const held = assignment === undefined ? null : heldIn(assignment, members);
  if (completed !== undefined) return [id.index, overrides, mark, owner, held, completionRow(completed)];
  return held === null ? [id.index, overrides, mark, owner] : [id.index, overrides, mark, owner, held];
}

function completionRow({ generation, at, skipped = 0, deadLetters = 0 }: TaskCompletion): CompletionRow {
  return skipped + deadLetters === 0 ? [generation, at] : [generation, at, skipped, deadLetters];
}

function completionIn([generation, at, skipped, deadLetters]: CompletionRow): TaskCompletion {
  return completion({ generation, at, skipped, deadLetters });
}

function heldIn({ nodeId, incarnation, generation, revokedAt }: TaskAssignment, members: Members): AssignmentRow {
  const isMembers = members.get(nodeId)?.incarnation === incarnation;
  return isMembers ? [generation, revokedAt ?? null] : [generation, revokedAt ?? null, incarnation];
}

function assignmentIn(nodeId: string, [generation, revokedAt, incarnation]: AssignmentRow, members: Members): TaskAssignment {
  return {
    nodeId,
    incarnation: incarnation ?? members.get(nodeId)?.incarnation ?? '',
    generation,
    ...(revokedAt === null ? {} : { revokedAt }),
  };
}
