package sluice.vectors;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.runtime.ConnectMetrics;
import org.apache.kafka.connect.runtime.ConnectorConfig;
import org.apache.kafka.connect.runtime.SinkConnectorConfig;
import org.apache.kafka.connect.runtime.TransformationStage;
import org.apache.kafka.connect.runtime.isolation.Plugins;
import org.apache.kafka.connect.runtime.standalone.StandaloneConfig;
import org.apache.kafka.connect.util.ConnectorTaskId;

/** Makes the transforms of a connector's configuration as a worker does. */
final class Chains {
  static final String CLASS = "runtime.ConnectorConfig";
  private static final Map<String, String> WORKER = Map.of("bootstrap.servers", "127.0.0.1:9092", "offset.storage.file.filename", "unused",
      "key.converter", "org.apache.kafka.connect.storage.StringConverter", "value.converter", "org.apache.kafka.connect.storage.StringConverter");
  private static final Map<String, String> CONNECTOR = Map.of("name", "c", "connector.class", "org.apache.kafka.connect.tools.MockSinkConnector",
      "topics", "orders");
  private static final Plugins PLUGINS = new Plugins(Map.of());

  private Chains() {}

  static Object create(Map<String, String> config) {
    Map<String, String> settings = new HashMap<>(CONNECTOR);
    settings.putAll(config);
    ConnectorConfig connector = new SinkConnectorConfig(PLUGINS, settings);
    ConnectMetrics metrics = new ConnectMetrics("worker", new StandaloneConfig(WORKER), Time.SYSTEM, "cluster");
    try {
      return connector.transformationStages(PLUGINS, new ConnectorTaskId("c", 0), metrics);
    } finally {
      metrics.stop();
    }
  }

  @SuppressWarnings({"rawtypes", "unchecked"})
  static ConnectRecord<?> apply(Object stages, ConnectRecord<?> record) {
    ConnectRecord current = record;
    for (TransformationStage stage : (List<TransformationStage>) stages) {
      if (current != null) current = stage.apply(current);
    }
    return current;
  }
}
