package sluice.vectors;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/** Asks the classes of Kafka Connect, and keeps each question with its answer: one file, one vector a line. */
final class Vectors {
  private static final String PREFIX = "org.apache.kafka.connect.";
  private static final String TOPIC = "orders";

  private final List<String> lines = new ArrayList<>();
  private final Set<String> ids = new HashSet<>();

  /** Applies a transform to a record. */
  void transform(String id, String plugin, Map<String, String> config, ConnectRecord<?> record) {
    ObjectNode before = Notation.record(record);
    ask(id, "transforms." + plugin, config, Notation.object().set("record", before), created -> {
      ConnectRecord<?> after = applied(created, record);
      if (after == null) return Notation.object().put("dropped", true);
      return Notation.object().set("record", Notation.changes(before, Notation.record(after)));
    });
  }

  /** Sends a record through the transforms that the configuration of a connector names. */
  void chain(String id, Map<String, String> config, ConnectRecord<?> record) {
    ObjectNode before = Notation.record(record);
    ask(id, Chains.CLASS, config, Notation.object().set("record", before), () -> Chains.create(config), created -> {
      ConnectRecord<?> after = Chains.apply(created, record);
      if (after == null) return Notation.object().put("dropped", true);
      return Notation.object().set("record", Notation.changes(before, Notation.record(after)));
    });
  }

  /** Asks a predicate about a record. */
  void predicate(String id, String plugin, Map<String, String> config, ConnectRecord<?> record) {
    ObjectNode input = Notation.object().set("record", Notation.record(record));
    ask(id, "transforms.predicates." + plugin, config, input, created -> Notation.object().put("test", tested(created, record)));
  }

  /** Converts bytes of a record's value into a value and its schema. */
  void read(String id, String plugin, Map<String, String> config, byte[] bytes) {
    ObjectNode input = Notation.object().set("bytes", Notation.bytes(bytes));
    ask(id, plugin, config, input, created -> Notation.schemaAndValue(((Converter) created).toConnectData(TOPIC, bytes)));
  }

  /** Converts a value of a record into bytes. */
  void write(String id, String plugin, Map<String, String> config, Schema schema, Object value) {
    ObjectNode input = Notation.schemaAndValue(new SchemaAndValue(schema, value));
    ask(id, plugin, config, input, created ->
        Notation.object().set("bytes", Notation.bytes(((Converter) created).fromConnectData(TOPIC, schema, value))));
  }

  /** Converts bytes of a header into a value and its schema. */
  void readHeader(String id, String plugin, Map<String, String> config, byte[] bytes) {
    ObjectNode input = Notation.object().set("headerBytes", Notation.bytes(bytes));
    ask(id, plugin, config, input, created ->
        Notation.schemaAndValue(((HeaderConverter) created).toConnectHeader(TOPIC, "h", bytes)));
  }

  /** Converts a value of a header into bytes. */
  void writeHeader(String id, String plugin, Map<String, String> config, Schema schema, Object value) {
    ObjectNode input = Notation.object().set("header", Notation.schemaAndValue(new SchemaAndValue(schema, value)));
    ask(id, plugin, config, input, created ->
        Notation.object().set("bytes", Notation.bytes(((HeaderConverter) created).fromConnectHeader(TOPIC, "h", schema, value))));
  }

  void save(Path file) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, String.join("\n", lines) + "\n", StandardCharsets.UTF_8);
  }

  int size() {
    return lines.size();
  }

  private interface Question {
    ObjectNode ask(Object created) throws Exception;
  }

  private interface Creation {
    Object create() throws Exception;
  }

  private void ask(String id, String plugin, Map<String, String> config, ObjectNode input, Question question) {
    boolean isHeader = input.has("headerBytes") || input.has("header");
    ask(id, plugin, config, input, () -> create(plugin, config, isHeader), question);
  }

  private void ask(String id, String plugin, Map<String, String> config, ObjectNode input, Creation creation, Question question) {
    String name = plugin.substring(plugin.lastIndexOf('.') + 1) + "/" + id;
    if (!ids.add(name)) throw new IllegalStateException("The id " + name + " is there twice");
    ObjectNode vector = Notation.object().put("id", name).put("class", PREFIX + plugin);
    ObjectNode settings = vector.putObject("config");
    config.forEach(settings::put);
    vector.setAll(input);
    vector.set("expect", answer(creation, question));
    try {
      lines.add(Notation.JSON.writeValueAsString(vector));
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static ObjectNode answer(Creation creation, Question question) {
    Object created;
    try {
      created = creation.create();
    } catch (Exception error) {
      return error("configure", error);
    }
    try {
      return question.ask(created);
    } catch (Exception error) {
      return error("apply", error);
    }
  }

  private static Object create(String plugin, Map<String, String> config, boolean isHeader) {
    Object created;
    try {
      created = Class.forName(PREFIX + plugin).getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException error) {
      throw new AssertionError("There is no " + plugin, error);
    }
    configure(created, config, isHeader);
    return created;
  }

  /** Checks and configures as a worker does: a value that does not fit its definition ends there. */
  private static void configure(Object created, Map<String, String> config, boolean isHeader) {
    if (created instanceof Transformation<?> transform) {
      parse(transform.config(), config);
      transform.configure(config);
    } else if (created instanceof Predicate<?> predicate) {
      parse(predicate.config(), config);
      predicate.configure(config);
    } else if (isHeader) {
      Map<String, String> settings = new HashMap<>(config);
      settings.put("converter.type", "header");
      ((HeaderConverter) created).configure(settings);
    } else {
      ((Converter) created).configure(config, false);
    }
  }

  private static void parse(ConfigDef definition, Map<String, String> config) {
    definition.parse(config);
  }

  @SuppressWarnings({"rawtypes", "unchecked"})
  private static ConnectRecord<?> applied(Object transform, ConnectRecord record) {
    return ((Transformation) transform).apply(record);
  }

  @SuppressWarnings({"rawtypes", "unchecked"})
  private static boolean tested(Object predicate, ConnectRecord record) {
    return ((Predicate) predicate).test(record);
  }

  private static ObjectNode error(String moment, Exception error) {
    String message = String.valueOf(error.getMessage()).replaceAll("@[0-9a-f]{5,8}\\b", "@hash");
    ObjectNode node = Notation.object().put("at", moment).put("class", error.getClass().getName()).put("message", message);
    return Notation.object().set("error", node);
  }
}
