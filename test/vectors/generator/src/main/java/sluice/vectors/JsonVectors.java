package sluice.vectors;

import static sluice.vectors.Data.*;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import sluice.vectors.Data.Sample;

/** JsonConverter: values of every type to JSON and back, with and without the envelope, and JSON that is wrong. */
final class JsonVectors {
  private static final String CONVERTER = "json.JsonConverter";
  private static final Map<String, String> PLAIN = config("schemas.enable", "false");

  private static final Map<String, List<String>> PAYLOADS = Map.ofEntries(
      Map.entry("int8", List.of("0", "-128", "127", "128", "300", "1.0", "1.5", "1e2", "\"5\"", "true", "null", "[]", "{}")),
      Map.entry("int16", List.of("0", "-32768", "32767", "32768", "1.0", "\"5\"", "null")),
      Map.entry("int32", List.of("0", "-2147483648", "2147483647", "2147483648", "1.0", "1.9", "1e3", "\"5\"", "false", "null", "{}")),
      Map.entry("int64", List.of("0", "9007199254740993", "-9223372036854775808", "9223372036854775807", "9223372036854775808", "1.0", "1e3", "\"5\"", "null")),
      Map.entry("float", List.of("0", "0.1", "-0.0", "1", "16777217", "3.5e38", "1e400", "\"1.5\"", "null", "true")),
      Map.entry("double", List.of("0", "0.1", "-0.0", "-0", "1", "1e308", "1e400", "0.1234567890123456789", "\"1.5\"", "\"NaN\"", "null", "9007199254740993")),
      Map.entry("boolean", List.of("true", "false", "0", "1", "\"true\"", "null")),
      Map.entry("string", List.of("\"\"", "\"a\"", "\"\\u00fc\\n\\\"\"", "\"\\ud83d\\ude00\"", "5", "true", "null", "[]", "{}")),
      Map.entry("bytes", List.of("\"AP9/\"", "\"\"", "\"AP9\"", "\"AP8=\"", "\"AP8\"", "\"!!!\"", "\"AP_-\"", "5", "true", "null", "[]")));

  private JsonVectors() {}

  static void add(Vectors out) {
    write(out);
    writeNulls(out);
    JsonReadVectors.add(out);
    PAYLOADS.entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(each -> {
      for (String payload : each.getValue()) {
        String schema = "{\"type\":\"" + each.getKey() + "\",\"optional\":false}";
        out.read("read/" + each.getKey() + "/" + payload, CONVERTER, config(), envelope(schema, payload));
      }
    });
    for (String text : List.of("0", "-0", "1", "1.0", "1.50", "1e3", "1e400", "-0.0", "9007199254740993", "9223372036854775807", "9223372036854775808",
        "12345678901234567890.5", "\"a\"", "\"\"", "true", "null", "[]", "[1,\"a\",null,[2]]", "{}", "{\"a\":1}", "{\"a\":{\"b\":[1.5]}}", "{\"a\":1,\"a\":2}",
        "{\"schema\":null,\"payload\":1}", "{\"schema\":{\"type\":\"int32\"},\"payload\":1}", "", " ", " 1 ", "1 2", "[1,", "{\"a\"", "{a:1}", "'a'", "NaN", "01", "+1",
        ".5", "1.", "\"\\x\"", "\"a\nb\"", "// c\n1", "tru", "\"\\ud83d\"", "{\"__proto__\":1}", "{\"2\":1,\"1\":2}", "[1,]", "\ufeff1", "\"2024-11-13\"",
        "0.1234567890123456789", "1e-400", "123456789012345678901234567890")) {
      out.read("read/plain/" + text, CONVERTER, PLAIN, utf8(text));
    }
    out.read("read/plain/not-utf8", CONVERTER, PLAIN, bytes('"', 0xff, '"'));
    out.read("read/plain/tombstone", CONVERTER, PLAIN, null);
    out.read("read/tombstone", CONVERTER, config(), null);
    out.read("read/plain/empty", CONVERTER, PLAIN, bytes());
    out.read("read/empty", CONVERTER, config(), bytes());
    for (Map<String, String> config : List.of(config("schemas.enable", "yes"), config("schemas.enable", "TRUE"), config("schemas.enable", ""),
        config("decimal.format", "numeric"), config("decimal.format", "Base64"), config("decimal.format", "TEXT"), config("decimal.format", ""),
        config("schemas.cache.size", "0"), config("schemas.cache.size", "-1"), config("schemas.cache.size", "x"), config("schemas.cache.size", "5"),
        config("replace.null.with.default", "no"), config("replace.null.with.default", "false"), config("unknown", "x"))) {
      out.write("settings/" + config, CONVERTER, config, decimal(2), big("1.50"));
    }
    contents(out);
    out.readHeader("header/read", CONVERTER, PLAIN, utf8("{\"a\":1}"));
    out.writeHeader("header/write", CONVERTER, config(), Schema.INT32_SCHEMA, 5);
  }

  static byte[] envelope(String schema, String payload) {
    return utf8("{\"schema\":" + schema + ",\"payload\":" + payload + "}");
  }

  private static void write(Vectors out) {
    for (Sample each : Samples.EACH_TYPE) {
      out.write("write/" + each.name(), CONVERTER, config(), each.schema(), each.value());
      out.write("write/plain/" + each.name(), CONVERTER, PLAIN, each.schema(), each.value());
    }
    for (Sample each : Samples.EACH_CLASS) {
      out.write("write/classes/" + each.name(), CONVERTER, config(), null, each.value());
      out.write("write/plain/classes/" + each.name(), CONVERTER, PLAIN, null, each.value());
    }
    for (double number : List.of(0.0, -0.0, 1.0, 0.1, 1e7, 1e21, 1e-7, 1e300, Double.MIN_VALUE, Double.NaN, Double.POSITIVE_INFINITY)) {
      out.write("write/float64/" + number, CONVERTER, PLAIN, Schema.FLOAT64_SCHEMA, number);
    }
    for (float number : List.of(0.1f, 1.0f, 1e10f, -0.0f, Float.NaN, Float.MAX_VALUE)) {
      out.write("write/float32/" + number, CONVERTER, PLAIN, Schema.FLOAT32_SCHEMA, number);
    }
    for (long number : List.of(0L, Long.MIN_VALUE, Long.MAX_VALUE)) out.write("write/int64/" + number, CONVERTER, PLAIN, Schema.INT64_SCHEMA, number);
    for (String text : List.of("", "a\"b\\c/d", "\n\t\r\b\f\u0001\u007f", "\u00fc\u4e2d\ud83d\ude00", "\u2028", "<script>", "a\ud83d")) {
      out.write("write/texts/" + text, CONVERTER, PLAIN, Schema.STRING_SCHEMA, text);
    }
    for (String number : List.of("0.00", "1.50", "-12345678901234567890.12", "0.01")) {
      for (String format : List.of("BASE64", "NUMERIC")) {
        out.write("write/decimal/" + format + "/" + number, CONVERTER, with(PLAIN, "decimal.format", format), decimal(2), big(number));
      }
    }
    for (String number : List.of("0.0000001", "0.0000000", "1.0000000", "123456789.1234567")) {
      out.write("write/decimal/small/" + number, CONVERTER, with(PLAIN, "decimal.format", "NUMERIC"), decimal(7), big(number));
    }
    out.write("write/decimal/negative-scale", CONVERTER, with(PLAIN, "decimal.format", "NUMERIC"), decimal(-2), big("12E+2"));
    out.write("write/decimal/other-scale", CONVERTER, with(PLAIN, "decimal.format", "NUMERIC"), decimal(2), big("1.5"));
    out.write("write/decimal/other-scale-base64", CONVERTER, PLAIN, decimal(2), big("1.5"));
    for (String format : List.of("BASE64", "NUMERIC")) {
      out.write("write/decimal/schemaless-" + format, CONVERTER, with(PLAIN, "decimal.format", format), null, big("1.50"));
    }
    for (long ms : List.of(0L, -1L, 1L, -62_135_596_800_000L)) out.write("write/timestamp/" + ms, CONVERTER, PLAIN, TIMESTAMP, date(ms));
    for (long ms : List.of(0L, DAY, -DAY, DAY + 1)) out.write("write/date/" + ms, CONVERTER, PLAIN, DATE, date(ms));
    for (long ms : List.of(0L, DAY - 1, DAY, -1L)) out.write("write/time/" + ms, CONVERTER, PLAIN, TIME, date(ms));
    out.write("write/bytes/empty", CONVERTER, PLAIN, Schema.BYTES_SCHEMA, bytes());
    out.write("write/bytes/buffer", CONVERTER, PLAIN, Schema.BYTES_SCHEMA, ByteBuffer.wrap(bytes(1, 2)));
    out.write("write/maps/int-keys", CONVERTER, PLAIN, SchemaBuilder.map(Schema.INT32_SCHEMA, Schema.STRING_SCHEMA).build(), map(2, "b", 1, "a"));
    out.write("write/maps/optional-values", CONVERTER, PLAIN, SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.OPTIONAL_INT32_SCHEMA).build(), map("a", null, "b", 1));
    out.write("write/maps/null-key", CONVERTER, PLAIN, SchemaBuilder.map(Schema.OPTIONAL_STRING_SCHEMA, Schema.STRING_SCHEMA).build(), map(null, "b"));
    out.write("write/maps/schemaless-mixed-keys", CONVERTER, PLAIN, null, map("a", 1, 2, "b"));
    out.write("write/maps/schemaless-int-keys", CONVERTER, PLAIN, null, map(1, "a"));
    out.write("write/maps/boolean-keys", CONVERTER, PLAIN, SchemaBuilder.map(Schema.BOOLEAN_SCHEMA, Schema.INT8_SCHEMA).build(), map(true, (byte) 1));
    out.write("write/maps/empty", CONVERTER, config(), SchemaBuilder.map(Schema.INT64_SCHEMA, Schema.STRING_SCHEMA).build(), map());
    out.write("write/lists/nested", CONVERTER, config(), SchemaBuilder.array(SchemaBuilder.array(Schema.STRING_SCHEMA).build()).build(), list(list("a"), list()));
    out.write("write/lists/null-item", CONVERTER, PLAIN, SchemaBuilder.array(Schema.OPTIONAL_STRING_SCHEMA).build(), list("a", null));
    out.write("write/lists/null-required-item", CONVERTER, PLAIN, SchemaBuilder.array(Schema.STRING_SCHEMA).build(), list("a", null));
    for (Sample each : List.of(sample("text-as-int32", Schema.INT32_SCHEMA, "5"), sample("int64-as-int32", Schema.INT32_SCHEMA, 5L),
        sample("int32-as-text", Schema.STRING_SCHEMA, 5), sample("text-as-bytes", Schema.BYTES_SCHEMA, "a"), sample("bytes-as-text", Schema.STRING_SCHEMA, bytes(0xff)),
        sample("text-as-boolean", Schema.BOOLEAN_SCHEMA, "true"), sample("text-as-struct", Samples.ADDRESS, "a"), sample("double-as-decimal", decimal(2), 1.5),
        sample("text-as-decimal", decimal(2), "1.5"), sample("int64-as-timestamp", TIMESTAMP, 5L), sample("text-as-timestamp", TIMESTAMP, "2024"),
        sample("int32-as-date", DATE, 5), sample("list-as-map", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.STRING_SCHEMA).build(), list("a")),
        sample("map-as-list", SchemaBuilder.array(Schema.STRING_SCHEMA).build(), map("a", 1)), sample("int32-as-float64", Schema.FLOAT64_SCHEMA, 5),
        sample("boolean-as-int8", Schema.INT8_SCHEMA, true), sample("double-as-int32", Schema.INT32_SCHEMA, 1.5))) {
      out.write("write/wrong/" + each.name(), CONVERTER, PLAIN, each.schema(), each.value());
    }
    for (Schema.Type type : List.of(Schema.Type.INT8, Schema.Type.STRING, Schema.Type.BYTES, Schema.Type.BOOLEAN)) {
      Schema schema = SchemaBuilder.type(type).name("shop.Name").version(2).doc("A \"doc\"").optional().parameter("b", "1").parameter("a", "2").build();
      out.write("write/schema/" + type, CONVERTER, config(), schema, null);
    }
    Schema deep = SchemaBuilder.struct().name("shop.Deep").version(1).field("a", SchemaBuilder.array(Samples.ADDRESS).optional().build())
        .field("m", SchemaBuilder.map(Schema.INT32_SCHEMA, decimal(1)).build()).field("t", TIMESTAMP).field("o", Schema.OPTIONAL_BYTES_SCHEMA).build();
    out.write("write/schema/deep", CONVERTER, config(), deep, struct(deep, "a", list(struct(Samples.ADDRESS, "street", "x", "zip", null)),
        "m", map(1, big("1.5")), "t", date(5)));
  }

  private static void writeNulls(Vectors out) {
    Schema count = SchemaBuilder.int32().optional().defaultValue(7).build();
    Schema required = SchemaBuilder.int32().defaultValue(8).build();
    Schema when = org.apache.kafka.connect.data.Timestamp.builder().optional().defaultValue(date(5)).build();
    Schema row = SchemaBuilder.struct().field("id", Schema.INT32_SCHEMA).field("name", SchemaBuilder.string().optional().defaultValue("unknown").build())
        .field("count", count).field("when", when).field("plain", Schema.OPTIONAL_STRING_SCHEMA).build();
    for (String replace : List.of("true", "false")) {
      Map<String, String> config = config("replace.null.with.default", replace);
      out.write("write/null/nullable-columns-with-defaults-" + replace, CONVERTER, config, row, struct(row, "id", 1));
      out.write("write/null/optional-with-default-" + replace, CONVERTER, config, count, null);
      out.write("write/null/required-with-default-" + replace, CONVERTER, config, required, null);
      out.write("write/null/required-" + replace, CONVERTER, config, Schema.INT32_SCHEMA, null);
      out.write("write/null/optional-" + replace, CONVERTER, config, Schema.OPTIONAL_INT32_SCHEMA, null);
      out.write("write/null/schemaless-" + replace, CONVERTER, config, null, null);
      out.write("write/null/plain-schemaless-" + replace, CONVERTER, with(PLAIN, "replace.null.with.default", replace), null, null);
      out.write("write/null/plain-optional-" + replace, CONVERTER, with(PLAIN, "replace.null.with.default", replace), Schema.OPTIONAL_INT32_SCHEMA, null);
      Schema nested = Data.fields("a", required).build();
      out.write("write/null/required-field-with-default-" + replace, CONVERTER, config, nested, struct(nested));
      for (String field : List.of("name", "count", "when")) {
        String type = field.equals("name") ? "string" : field.equals("count") ? "int32" : "int64";
        String logical = field.equals("when") ? ",\"name\":\"org.apache.kafka.connect.data.Timestamp\",\"version\":1" : "";
        String value = field.equals("name") ? "\"unknown\"" : "7";
        String schema = "{\"type\":\"struct\",\"fields\":[{\"field\":\"f\",\"type\":\"" + type + "\",\"optional\":true" + logical + ",\"default\":" + value + "}]}";
        for (String payload : List.of("{\"f\":null}", "{}")) {
          out.read("read/null/" + field + "-" + payload + "-" + replace, CONVERTER, config, envelope(schema, payload));
        }
      }
      out.read("read/null/required-with-default-" + replace, CONVERTER, config, envelope("{\"type\":\"int32\",\"default\":8}", "null"));
      out.read("read/null/optional-with-default-" + replace, CONVERTER, config, envelope("{\"type\":\"int32\",\"optional\":true,\"default\":8}", "null"));
    }
    for (Sample each : List.of(sample("int8", Schema.INT8_SCHEMA, (byte) 5), sample("float32", Schema.FLOAT32_SCHEMA, 0.1f), sample("boolean", Schema.BOOLEAN_SCHEMA, true),
        sample("bytes", Schema.BYTES_SCHEMA, bytes(1, 2)), sample("string", Schema.STRING_SCHEMA, "d"), sample("int64", Schema.INT64_SCHEMA, Long.MAX_VALUE))) {
      Schema schema = SchemaBuilder.type(each.schema().type()).optional().defaultValue(each.value()).build();
      out.write("write/defaults/" + each.name(), CONVERTER, config(), schema, null);
    }
    Schema money = org.apache.kafka.connect.data.Decimal.builder(2).optional().defaultValue(big("1.50")).build();
    out.write("write/defaults/decimal", CONVERTER, config(), money, null);
    out.write("write/defaults/decimal-numeric", CONVERTER, config("decimal.format", "NUMERIC"), money, null);
  }

  private static void contents(Vectors out) {
    Map<String, String> config = config("schema.content", "{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":\"int32\"}]}");
    out.read("content/read", CONVERTER, config, utf8("{\"a\":5}"));
    out.read("content/read-envelope", CONVERTER, config, envelope("{\"type\":\"int32\"}", "5"));
    out.read("content/read-wrong", CONVERTER, config, utf8("{\"b\":5}"));
    out.read("content/read-plain", CONVERTER, with(config, "schemas.enable", "false"), utf8("{\"a\":5}"));
    out.read("content/read-null", CONVERTER, config, utf8("null"));
    out.write("content/write", CONVERTER, config, Schema.INT32_SCHEMA, 5);
    for (String content : List.of("", "{", "{}", "null", "{\"type\":\"none\"}")) {
      out.read("content/settings/" + content, CONVERTER, config("schema.content", content), envelope("{\"type\":\"int32\"}", "5"));
    }
  }
}
