import { settingsError } from '@sluice/core';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import type { CommandDesk } from '../commands/command-desk.js';
import type { ConfigMap } from '../http/config-map.js';
import type { ClusterView } from '../view/cluster-view.js';
import type { NodeJson, SettingsJson } from './cluster-answers.js';
import type { ClusterReader } from './cluster-reader.js';

/** Changes the cluster itself: its runners and its settings. Methods throw as `CommandDesk.carryOut` does. */
export class ClusterWriter {
  constructor(
    private readonly view: ClusterView,
    private readonly reader: ClusterReader,
    private readonly desk: CommandDesk,
  ) {}

  /** Begins to take the tasks from a runner; answers the state that it is in then. */
  async drain(nodeId: string): Promise<NodeJson> {
    this.reader.checkRunner(nodeId);
    await this.desk.carryOut({ kind: 'node.drain', nodeId }, this.desk.deadline());
    return this.reader.nodeSummary(nodeId);
  }

  /** Lets a runner have tasks again. */
  async undrain(nodeId: string): Promise<NodeJson> {
    this.reader.checkRunner(nodeId);
    await this.desk.carryOut({ kind: 'node.undrain', nodeId }, this.desk.deadline());
    return this.reader.nodeSummary(nodeId);
  }

  /** Replaces all settings of the cluster: one that is not among `sent` has its default from now on. */
  async replaceSettings(sent: ConfigMap): Promise<SettingsJson> {
    const stored = this.view.now().state.settings;
    const defaults = Object.fromEntries(Object.keys(stored).map((name) => [name, null]));
    return this.changeSettings({ ...defaults, ...sent });
  }

  /** Changes some settings of the cluster; null brings a default back. */
  async changeSettings(settings: ConfigMap): Promise<SettingsJson> {
    const error = settingsError(settings);
    if (error !== undefined) throw new ConnectError(ConnectErrorCode.requestInvalid, error);
    await this.desk.carryOut({ kind: 'settings.put', settings }, this.desk.deadline());
    return this.reader.settings();
  }
}
