import { type ClusterReadModel } from './cluster-read-model.port.js';
import { type CommandPort } from './command-sender.port.js';
import { type NodeLogger } from './node-logger.port.js';
import { type PluginQuestions } from './plugin-questions.port.js';

/** Everything that the gateway needs from outside. */
export interface GatewayPorts {
  readonly readModel: ClusterReadModel;
  readonly commands: CommandPort;
  readonly plugins: PluginQuestions;
  readonly logger: NodeLogger;
}
