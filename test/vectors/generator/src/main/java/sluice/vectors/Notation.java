package sluice.vectors;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Date;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;

/** Writes values, schemas and records of Kafka Connect as JSON, in the notation of test/vectors/README.md. */
final class Notation {
  static final ObjectMapper JSON = JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private Notation() {}

  static JsonNode value(Object value) {
    if (value == null) return NODES.nullNode();
    if (value instanceof Boolean flag) return NODES.booleanNode(flag);
    if (value instanceof String text) return NODES.textNode(text);
    if (value instanceof Integer number) return NODES.numberNode(number);
    if (value instanceof Byte number) return object().put("int8", number.intValue());
    if (value instanceof Short number) return object().put("int16", number.intValue());
    if (value instanceof Long number) return object().put("int64", number.toString());
    if (value instanceof Float number) return object().put("float32", number.toString());
    if (value instanceof Double number) return object().put("float64", number.toString());
    if (value instanceof byte[] bytes) return object().put("bytes", base64(bytes));
    if (value instanceof ByteBuffer buffer) return object().put("buffer", base64(bytesOf(buffer)));
    if (value instanceof BigInteger number) return object().put("bigInteger", number.toString());
    if (value instanceof Date date) return object().put("date", date.getTime());
    if (value instanceof BigDecimal number) {
      return object().put("decimal", number.unscaledValue().toString()).put("scale", number.scale());
    }
    if (value instanceof List<?> items) return array(items);
    if (value instanceof Map<?, ?> map) return map(map);
    if (value instanceof Struct struct) return struct(struct);
    return object().put("java", value.getClass().getName());
  }

  static JsonNode schema(Schema schema) {
    if (schema == null) return NODES.nullNode();
    String type = schema.type().name().toLowerCase(Locale.ROOT);
    ObjectNode node = object().put("type", type);
    if (schema.isOptional()) node.put("optional", true);
    if (schema.defaultValue() != null) node.set("default", value(schema.defaultValue()));
    if (schema.name() != null) node.put("name", schema.name());
    if (schema.version() != null) node.put("version", schema.version());
    if (schema.doc() != null) node.put("doc", schema.doc());
    if (schema.parameters() != null && !schema.parameters().isEmpty()) {
      ObjectNode parameters = node.putObject("parameters");
      schema.parameters().forEach(parameters::put);
    }
    switch (schema.type()) {
      case ARRAY -> node.set("values", schema(schema.valueSchema()));
      case MAP -> {
        node.set("keys", schema(schema.keySchema()));
        node.set("values", schema(schema.valueSchema()));
      }
      case STRUCT -> {
        ObjectNode fields = node.putObject("fields");
        for (Field field : schema.fields()) fields.set(field.name(), schema(field.schema()));
      }
      default -> {
        if (node.size() == 1) return NODES.textNode(type);
        if (node.size() == 2 && schema.isOptional()) return NODES.textNode(type + "?");
      }
    }
    return node;
  }

  /** Writes no pair as a null, as headers take it. */
  static ObjectNode schemaAndValue(SchemaAndValue pair) {
    if (pair == null) return schemaAndValue(SchemaAndValue.NULL);
    ObjectNode node = object();
    if (pair.schema() != null) node.set("schema", schema(pair.schema()));
    node.set("value", value(pair.value()));
    return node;
  }

  static ObjectNode record(ConnectRecord<?> record) {
    ObjectNode node = object().put("topic", record.topic());
    if (record.kafkaPartition() != null) node.put("partition", record.kafkaPartition());
    if (record instanceof SinkRecord sink) node.put("offset", sink.kafkaOffset());
    if (record.timestamp() != null) node.put("timestamp", record.timestamp());
    if (record.keySchema() != null) node.set("keySchema", schema(record.keySchema()));
    if (record.key() != null) node.set("key", value(record.key()));
    if (record.valueSchema() != null) node.set("valueSchema", schema(record.valueSchema()));
    if (record.value() != null) node.set("value", value(record.value()));
    if (!record.headers().isEmpty()) {
      ArrayNode headers = node.putArray("headers");
      for (Header header : record.headers()) {
        ObjectNode entry = headers.addObject().put("key", header.key());
        if (header.schema() != null) entry.set("schema", schema(header.schema()));
        entry.set("value", value(header.value()));
      }
    }
    return node;
  }

  /** Returns the parts of a record that differ from those before; a part that is gone is null. */
  static ObjectNode changes(ObjectNode before, ObjectNode after) {
    ObjectNode changes = object();
    for (Map.Entry<String, JsonNode> part : after.properties()) {
      if (!part.getValue().equals(before.get(part.getKey()))) changes.set(part.getKey(), part.getValue());
    }
    for (Iterator<String> names = before.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!after.has(name)) changes.putNull(name);
    }
    return changes;
  }

  /** Writes bytes as their text where they are UTF-8, else in base64. */
  static JsonNode bytes(byte[] bytes) {
    if (bytes == null) return NODES.nullNode();
    try {
      CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      if (text.chars().noneMatch(Character::isISOControl)) return object().put("text", text.toString());
    } catch (CharacterCodingException error) {
      // Then it is no text.
    }
    return object().put("base64", base64(bytes));
  }

  static ObjectNode object() {
    return NODES.objectNode();
  }

  private static ArrayNode array(List<?> items) {
    ArrayNode node = NODES.arrayNode();
    items.forEach(item -> node.add(value(item)));
    return node;
  }

  private static ObjectNode map(Map<?, ?> map) {
    ObjectNode node = object();
    ArrayNode entries = node.putArray("map");
    map.forEach((key, item) -> entries.addArray().add(value(key)).add(value(item)));
    return node;
  }

  /** Leaves out no field: one without a value is null, whether its schema has a default or not. */
  private static ObjectNode struct(Struct struct) {
    ObjectNode node = object();
    ObjectNode fields = node.putObject("struct");
    for (Field field : struct.schema().fields()) fields.set(field.name(), value(struct.getWithoutDefault(field.name())));
    return node;
  }

  private static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  private static byte[] bytesOf(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }
}
