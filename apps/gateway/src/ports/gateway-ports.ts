import { type ClusterReadModel } from './cluster-read-model.port.js';
import { type CommandSender } from './command-sender.port.js';
import { type NodeLogger } from './node-logger.port.js';
import { type PluginQuestions } from './plugin-questions.port.js';

/** Everything that the gateway needs from outside. */
export interface GatewayPorts {
  readonly readModel: ClusterReadModel;
  readonly commands: CommandSender;
  readonly plugins: PluginQuestions;
  readonly logger: NodeLogger;
}
