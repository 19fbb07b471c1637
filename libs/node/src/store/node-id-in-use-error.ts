/** Thrown when a node has the id of one that lives: it must not start. */
export class NodeIdInUseError extends Error {
  override readonly name = 'NodeIdInUseError';
  /** @param why who uses it, as a sentence. */
  constructor(
    readonly nodeId: string,
    why: string,
    options?: ErrorOptions,
  ) {
    super(
      `Node id ${nodeId} is in use: ${why.replace(/\.$/, '')}. Give this node an id of its own with SLUICE_NODE_ID, or stop the other one`,
      options,
    );
  }
}
