package sluice.vectors;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;

/** Makes settings, values and records in few words. */
final class Data {
  static final long INSTANT = 1_731_508_712_229L;
  static final long DAY = 86_400_000L;
  static final Schema DATE = org.apache.kafka.connect.data.Date.SCHEMA;
  static final Schema TIME = Time.SCHEMA;
  static final Schema TIMESTAMP = Timestamp.SCHEMA;

  private Data() {}

  /** A value with what it is called in ids, and its schema or null. */
  record Sample(String name, Schema schema, Object value) {}

  static Sample sample(String name, Schema schema, Object value) {
    return new Sample(name, schema, value);
  }

  static Map<String, String> config(String... pairs) {
    Map<String, String> config = new LinkedHashMap<>();
    for (int n = 0; n < pairs.length; n += 2) config.put(pairs[n], pairs[n + 1]);
    return config;
  }

  /** Adds settings to others. */
  static Map<String, String> with(Map<String, String> config, String... pairs) {
    Map<String, String> all = new LinkedHashMap<>(config);
    all.putAll(config(pairs));
    return all;
  }

  static Map<Object, Object> map(Object... pairs) {
    Map<Object, Object> map = new LinkedHashMap<>();
    for (int n = 0; n < pairs.length; n += 2) map.put(pairs[n], pairs[n + 1]);
    return map;
  }

  static List<Object> list(Object... items) {
    return new ArrayList<>(Arrays.asList(items));
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] bytes(int... bytes) {
    byte[] all = new byte[bytes.length];
    for (int n = 0; n < bytes.length; n++) all[n] = (byte) bytes[n];
    return all;
  }

  static SchemaBuilder fields(Object... pairs) {
    SchemaBuilder builder = SchemaBuilder.struct();
    for (int n = 0; n < pairs.length; n += 2) builder.field((String) pairs[n], (Schema) pairs[n + 1]);
    return builder;
  }

  static Struct struct(Schema schema, Object... pairs) {
    Struct struct = new Struct(schema);
    for (int n = 0; n < pairs.length; n += 2) struct.put((String) pairs[n], pairs[n + 1]);
    return struct;
  }

  /** Ends the schema of a struct that has a default: a struct of the schema itself. */
  static Schema withDefault(SchemaBuilder builder, Object... pairs) {
    return builder.defaultValue(struct(builder, pairs)).build();
  }

  static Schema optional(Schema.Type type) {
    return SchemaBuilder.type(type).optional().build();
  }

  static Schema decimal(int scale) {
    return Decimal.schema(scale);
  }

  static BigDecimal big(String digits) {
    return new BigDecimal(digits);
  }

  static Date date(long ms) {
    return new Date(ms);
  }

  /** The parts of a record; those that nobody sets are null. */
  static final class Input {
    private String topic = "orders";
    private Schema keySchema;
    private Object key;
    private Schema valueSchema;
    private Object value;
    private Long timestamp;
    private final ConnectHeaders headers = new ConnectHeaders();

    Input topic(String topic) {
      this.topic = topic;
      return this;
    }

    Input key(Schema schema, Object key) {
      this.keySchema = schema;
      this.key = key;
      return this;
    }

    Input value(Schema schema, Object value) {
      this.valueSchema = schema;
      this.value = value;
      return this;
    }

    Input value(Struct value) {
      return value(value.schema(), value);
    }

    Input timestamp(Long timestamp) {
      this.timestamp = timestamp;
      return this;
    }

    Input header(String key, Schema schema, Object value) {
      headers.add(key, value, schema);
      return this;
    }

    SourceRecord source() {
      return new SourceRecord(Map.of(), Map.of(), topic, null, keySchema, key, valueSchema, value, timestamp, headers);
    }

    SinkRecord sink(int partition, long offset) {
      return new SinkRecord(topic, partition, keySchema, key, valueSchema, value, offset, timestamp, null, headers);
    }
  }

  static Input record() {
    return new Input();
  }

  static SourceRecord of(Schema schema, Object value) {
    return record().value(schema, value).source();
  }

  static SourceRecord of(Struct value) {
    return of(value.schema(), value);
  }

  static SourceRecord ofKey(Schema schema, Object key) {
    return record().key(schema, key).value(Schema.STRING_SCHEMA, "v").source();
  }
}
