import { describePosition, type PartitionPosition } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** Two tasks of a connector read the same source partition: their records would void each other. */
export class PartitionHeldError extends ConnectError {
  constructor(
    readonly connector: string,
    { partition, owner }: PartitionPosition,
  ) {
    super(
      ConnectErrorCode.positionInvalid,
      `Partition ${describePosition(partition)} of connector ${connector} belongs to task ${owner.index}, generation ${owner.generation}; ` +
        'a partition has one task, and moves only with new task configs',
    );
  }
}
