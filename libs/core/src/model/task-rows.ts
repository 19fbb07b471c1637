import type { ConnectorType, Overrides, TaskAssignment, TaskState } from './connector.js';
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
  completed?: readonly [generation: number, at: number],
];

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
    ...(completed === undefined ? {} : { completed: { generation: completed[0], at: completed[1] } }),
  }));
}

function rowOf({ id, overrides, committed, lastNodeId, assignment, completed }: TaskState, members: Members): TaskRow {
  const mark = committed ? 1 : 0;
  const owner = assignment?.nodeId ?? lastNodeId ?? null;
  const held = assignment === undefined ? null : heldIn(assignment, members);
  if (completed !== undefined) return [id.index, overrides, mark, owner, held, [completed.generation, completed.at]];
  return held === null ? [id.index, overrides, mark, owner] : [id.index, overrides, mark, owner, held];
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
