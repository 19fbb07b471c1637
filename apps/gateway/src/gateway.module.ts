import { type DynamicModule, Module } from '@nestjs/common';
import { ClusterReader } from './cluster/cluster-reader.js';
import { ClusterWriter } from './cluster/cluster-writer.js';
import { ClusterController } from './cluster/cluster.controller.js';
import { CommandDesk } from './commands/command-desk.js';
import { ConnectorReader } from './connectors/connector-reader.js';
import { ConnectorWriter } from './connectors/connector-writer.js';
import { ConnectorsController } from './connectors/connectors.controller.js';
import { SecretRotation } from './connectors/secret-rotation.js';
import { SecretsController } from './connectors/secrets.controller.js';
import { type GatewaySettings, gatewaySettingsToken } from './settings/gateway-settings.js';
import { LoggersController } from './loggers/loggers.controller.js';
import { LoggersService } from './loggers/loggers.service.js';
import { PluginCatalog } from './plugins/plugin-catalog.js';
import { PluginsController } from './plugins/plugins.controller.js';
import { PluginsService } from './plugins/plugins.service.js';
import type { GatewayPorts } from './ports/gateway-ports.js';
import { SealedConfigs } from './secrets/sealed-configs.js';
import { SecretSettings } from './secrets/secret-settings.js';
import { ClusterView } from './view/cluster-view.js';
import { ServerController } from './server/server.controller.js';

/** How long an answer waits to learn from a runner which settings of an unknown class are secret. */
const SECRETS_WAIT_MS = 1000;

@Module({
  controllers: [ServerController, ClusterController, ConnectorsController, PluginsController, LoggersController, SecretsController],
})
export class GatewayModule {
  /**
   * Puts the gateway together around the process's one view of the cluster.
   *
   * @param imports - modules that add routes of their own, for instance `/health/live`, `/health/ready` and `/metrics`
   */
  static forPorts(
    view: ClusterView,
    ports: GatewayPorts,
    settings: GatewaySettings,
    ...imports: NonNullable<DynamicModule['imports']>
  ): DynamicModule {
    const { commands, plugins, logger, loggers, cipher } = ports;
    const sealed = new SealedConfigs(cipher);
    return {
      module: GatewayModule,
      imports,
      providers: [
        { provide: gatewaySettingsToken, useValue: settings },
        { provide: ClusterView, useValue: view },
        { provide: LoggersService, useFactory: () => new LoggersService(loggers) },
        { provide: SecretSettings, useFactory: () => new SecretSettings(plugins, { waitMs: SECRETS_WAIT_MS }) },
        { provide: PluginCatalog, useFactory: () => new PluginCatalog(plugins, view, sealed) },
        {
          provide: PluginsService,
          inject: [PluginCatalog, SecretSettings],
          useFactory: (catalog: PluginCatalog, secrets: SecretSettings) => new PluginsService(catalog, view, secrets, sealed, settings),
        },
        {
          provide: ConnectorReader,
          inject: [SecretSettings],
          useFactory: (secrets: SecretSettings) => new ConnectorReader(view, secrets, sealed, settings),
        },
        {
          provide: ConnectorWriter,
          inject: [ConnectorReader, PluginCatalog, CommandDesk, SecretSettings],
          useFactory: (reader: ConnectorReader, catalog: PluginCatalog, desk: CommandDesk, secrets: SecretSettings) =>
            new ConnectorWriter(view, reader, catalog, desk, secrets, sealed, logger),
        },
        {
          provide: SecretRotation,
          inject: [ConnectorWriter, SecretSettings],
          useFactory: (writer: ConnectorWriter, secrets: SecretSettings) => new SecretRotation(view, writer, secrets, sealed, cipher),
        },
        { provide: CommandDesk, useFactory: () => new CommandDesk(view, commands, settings, logger) },
        { provide: ClusterReader, useFactory: () => new ClusterReader(view) },
        {
          provide: ClusterWriter,
          inject: [ClusterReader, CommandDesk],
          useFactory: (reader: ClusterReader, desk: CommandDesk) => new ClusterWriter(view, reader, desk),
        },
      ],
    };
  }
}
