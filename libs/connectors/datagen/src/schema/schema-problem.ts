/** What is wrong with a part of a schema. The settings that hold the schema put their own name before it. */
export class SchemaProblem extends Error {
  /** @param path where the part is, such as `order.price.range` */
  constructor(path: string, given: string, allowed: string) {
    super(`${path}: ${given} given; ${allowed}`);
  }
}
