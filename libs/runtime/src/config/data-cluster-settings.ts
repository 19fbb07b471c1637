import { clusterSettingsSpec } from '@sluice/sdk';

/** Stands before the settings of the cluster in which a connector's topics live. */
export const DATA_CLUSTER_PREFIX = 'data.cluster.';

export const dataClusterSettingsSpec = clusterSettingsSpec(DATA_CLUSTER_PREFIX, {
  doc:
    'in which the topics of the connector live, dead letters too; by default that of the runner. Positions and all that Sluice keeps for itself stay ' +
    'in the runtime cluster, offsets of a sink are those of its group in this cluster.',
  group: 'Data Cluster',
});
