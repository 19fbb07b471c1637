import type { DynamicModule, Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { ClusterNode } from '../cluster-node/cluster-node.js';
import type { RpcEndpoint } from '@sluice/rpc';

/** A role: its Nest module and the loops beside it. */
export interface Service {
  readonly module: Type | DynamicModule;
  /** Sets up the application before it listens. */
  configure?(app: NestExpressApplication): void;
  /** Starts the loops; called when the application listens. */
  start(): Promise<void> | void;
  /** Ends them in order: what is under way is finished or given back first. Called once, also after a failed start. */
  stop(): Promise<void>;
}

/** Creates a role; what it has opened when it fails, it closes itself. */
export type ServiceFactory<Node = ClusterNode> = (node: Node, rpc: RpcEndpoint) => Service | Promise<Service>;
