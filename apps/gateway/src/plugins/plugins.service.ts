import { connectorClass, isConnectorInfo } from '@sluice/core';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { type ConfigMap, withoutNulls } from '../http/config-map.js';
import { RequestDeadline } from '../http/request-deadline.js';
import type { SealedConfigs } from '../secrets/sealed-configs.js';
import { anySecret, restoreHidden, secretsMarkedIn, type SecretSettings } from '../secrets/secret-settings.js';
import type { ClusterView } from '../view/cluster-view.js';
import {
  definitionJson,
  type FieldDefinitionJson,
  pluginJson,
  type PluginJson,
  secretsOf,
  type ValidationJson,
  validationJson,
} from './plugin-answers.js';
import type { PluginCatalog } from './plugin-catalog.js';

export class PluginsService {
  constructor(
    private readonly catalog: PluginCatalog,
    private readonly view: ClusterView,
    private readonly secrets: SecretSettings,
    private readonly sealed: SealedConfigs,
    private readonly options: { readonly requestTimeoutMs: number },
  ) {}

  list(connectorsOnly: boolean): readonly PluginJson[] {
    return this.catalog
      .list()
      .filter((plugin) => !connectorsOnly || isConnectorInfo(plugin))
      .map(pluginJson);
  }

  async definitions(className: string, version?: string): Promise<readonly FieldDefinitionJson[]> {
    const definitions = await this.catalog.definitions(className, version, this.#deadline());
    return definitions.map(definitionJson);
  }

  /**
   * Checks settings without storing them. `connector.class` may be left out; hidden values stand for those of the connector that the
   * settings name.
   */
  async validate(className: string, sent: ConfigMap): Promise<ValidationJson> {
    const given = withoutNulls(sent);
    const plugin = this.catalog.connector(className);
    const included = connectorClass(given);
    if (included !== '' && ![plugin.name, ...plugin.aliases].includes(included)) {
      throw new ConnectError(
        ConnectErrorCode.requestInvalid,
        `Included connector type ${included} does not match request type ${className}`,
      );
    }
    const config = included === '' ? { ...given, 'connector.class': className } : given;
    const name = config['name'] ?? '';
    const stored = this.view.now().state.connectors.get(name)?.config;
    this.sealed.checkSent(config, stored);
    const opened = this.sealed.open(name, stored ?? {});
    const isSecret = await this.secrets.of(config);
    const wasSecret = stored === undefined ? opened.isSecret : anySecret(await this.secrets.of(stored), opened.isSecret);
    const restored = restoreHidden(config, stored && opened.config, isSecret);
    const answer = await this.catalog.validate(plugin, restored, this.#deadline());
    return validationJson(answer, restored, anySecret(isSecret, wasSecret, secretsMarkedIn(config), secretsOf(answer)));
  }

  #deadline(): RequestDeadline {
    return new RequestDeadline(this.options.requestTimeoutMs);
  }
}
