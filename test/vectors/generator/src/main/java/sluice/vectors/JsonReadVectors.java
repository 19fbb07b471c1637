package sluice.vectors;

import static sluice.vectors.Data.*;
import static sluice.vectors.JsonVectors.envelope;

import java.util.List;
import java.util.Map;

/** JsonConverter: what envelopes, schemas, logical types, maps and structs are read as. */
final class JsonReadVectors {
  private static final String CONVERTER = "json.JsonConverter";
  private static final String LOGICAL = "org.apache.kafka.connect.data.";

  private JsonReadVectors() {}

  static void add(Vectors out) {
    for (String text : List.of("{}", "{\"schema\":null,\"payload\":1}", "{\"schema\":null,\"payload\":null}", "{\"payload\":1}", "{\"schema\":{\"type\":\"int32\"}}", "1", "null", "[]",
        "\"a\"", "{\"schema\":{\"type\":\"int32\"},\"payload\":1,\"more\":2}", "{\"payload\":1,\"schema\":{\"type\":\"int32\"}}", "{\"schema\":1,\"payload\":1}",
        "{\"schema\":\"int32\",\"payload\":1}", "{\"schema\":[],\"payload\":1}", "{\"schema\":{},\"payload\":1}", "{\"schema\":null,\"payload\":{\"a\":[1.5,null]}}", "{broken")) {
      out.read("read/envelope/" + text, CONVERTER, config(), utf8(text));
    }
    for (String schema : List.of("{\"type\":\"int32\"}", "{\"type\":\"INT32\"}", "{\"type\":\"int\"}", "{\"type\":\"float32\"}", "{\"type\":5}", "{\"type\":null}",
        "{\"type\":\"int32\",\"optional\":true}", "{\"type\":\"int32\",\"optional\":\"true\"}", "{\"type\":\"int32\",\"optional\":1}", "{\"type\":\"int32\",\"name\":\"n\"}",
        "{\"type\":\"int32\",\"name\":\"\"}", "{\"type\":\"int32\",\"name\":5}", "{\"type\":\"int32\",\"name\":null}", "{\"type\":\"int32\",\"version\":3}",
        "{\"type\":\"int32\",\"version\":\"3\"}", "{\"type\":\"int32\",\"version\":1.5}", "{\"type\":\"int32\",\"version\":-1}", "{\"type\":\"int32\",\"version\":4294967297}",
        "{\"type\":\"int32\",\"doc\":\"d\"}", "{\"type\":\"int32\",\"doc\":5}", "{\"type\":\"int32\",\"parameters\":{\"a\":\"b\"}}", "{\"type\":\"int32\",\"parameters\":{\"a\":1}}",
        "{\"type\":\"int32\",\"parameters\":{}}", "{\"type\":\"int32\",\"parameters\":[]}", "{\"type\":\"int32\",\"parameters\":null}", "{\"type\":\"int32\",\"default\":5}",
        "{\"type\":\"int32\",\"default\":null}", "{\"type\":\"int32\",\"optional\":true,\"default\":null}", "{\"type\":\"int32\",\"default\":\"x\"}", "{\"type\":\"int32\",\"unknown\":1}",
        "{\"type\":\"int32\",\"field\":\"f\"}")) {
      out.read("read/schema/" + schema, CONVERTER, config(), envelope(schema, "1"));
    }
    for (String schema : List.of("{\"type\":\"array\"}", "{\"type\":\"array\",\"items\":null}", "{\"type\":\"array\",\"items\":{\"type\":\"int32\"}}", "{\"type\":\"array\",\"items\":\"int32\"}",
        "{\"type\":\"array\",\"items\":{\"type\":\"int32\",\"optional\":true}}", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}")) {
      for (String payload : List.of("[1]", "[1,null]", "1", "{}", "[]")) out.read("read/array/" + schema + payload, CONVERTER, config(), envelope(schema, payload));
    }
    String texts = "{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":\"int32\",\"optional\":true}}";
    String numbers = "{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":\"string\"}}";
    for (String payload : List.of("{\"a\":1}", "{\"a\":null}", "{\"a\":\"x\"}", "{}", "[]", "[[\"a\",1]]", "1")) {
      out.read("read/map/texts/" + payload, CONVERTER, config(), envelope(texts, payload));
    }
    for (String payload : List.of("[[1,\"a\"]]", "[[1,\"a\"],[1,\"b\"]]", "[]", "[1]", "[[1]]", "[[1,\"a\",2]]", "[[\"x\",\"a\"]]", "[[null,\"a\"]]", "[[1,null]]", "{\"1\":\"a\"}", "{}")) {
      out.read("read/map/numbers/" + payload, CONVERTER, config(), envelope(numbers, payload));
    }
    for (String schema : List.of("{\"type\":\"map\"}", "{\"type\":\"map\",\"keys\":{\"type\":\"string\"}}", "{\"type\":\"map\",\"values\":{\"type\":\"string\"}}",
        "{\"type\":\"map\",\"keys\":null,\"values\":null}", "{\"type\":\"map\",\"keys\":{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":\"int32\"}]},\"values\":{\"type\":\"string\"}}")) {
      out.read("read/map/" + schema, CONVERTER, config(), envelope(schema, "[[{\"a\":1},\"x\"]]"));
    }
    String row = "{\"type\":\"struct\",\"name\":\"shop.Row\",\"version\":2,\"fields\":[{\"field\":\"a\",\"type\":\"int32\"},{\"field\":\"b\",\"type\":\"string\",\"optional\":true},"
        + "{\"field\":\"c\",\"type\":\"int64\",\"default\":9}]}";
    for (String payload : List.of("{\"a\":1,\"b\":\"x\",\"c\":2}", "{\"a\":1}", "{\"b\":\"x\"}", "{\"a\":null}", "{\"a\":1,\"more\":2}", "{\"a\":\"x\"}", "[]", "\"a\"", "null", "{\"a\":1,\"b\":5}",
        "{\"a\":1,\"c\":null}", "{\"a\":1,\"a\":2}", "{\"a\":2147483648}", "{\"a\":true}")) {
      out.read("read/struct/" + payload, CONVERTER, config(), envelope(row, payload));
    }
    for (String fields : List.of("null", "{}", "[]", "[1]", "[{}]", "[{\"type\":\"int32\"}]", "[{\"field\":5,\"type\":\"int32\"}]", "[{\"field\":\"\",\"type\":\"int32\"}]",
        "[{\"field\":\"a\",\"type\":\"int32\"},{\"field\":\"a\",\"type\":\"string\"}]", "[{\"field\":\"a\"}]", "[{\"field\":\"a.b\",\"type\":\"int32\",\"optional\":true}]")) {
      out.read("read/fields/" + fields, CONVERTER, config(), envelope("{\"type\":\"struct\",\"fields\":" + fields + "}", "{}"));
    }
    out.read("read/fields/none", CONVERTER, config(), envelope("{\"type\":\"struct\"}", "{}"));
    logical(out);
  }

  private static void logical(Vectors out) {
    Map<String, List<String>> payloads = Map.of(
        "Decimal", List.of("\"AJY=\"", "\"\"", "\"/2o=\"", "1.5", "1.50", "150", "1e2", "\"1.50\"", "\"!\"", "true", "null", "[]", "123456789012345678901234567890.12", "1.005"),
        "Date", List.of("0", "20000", "-1", "1.5", "\"5\"", "2147483648", "null", "true", "2147483647"),
        "Time", List.of("0", "86399999", "86400000", "-1", "1.5", "\"5\"", "null"),
        "Timestamp", List.of("0", "1731508712229", "-1", "1.5", "1.0", "\"5\"", "9223372036854775807", "9223372036854775808", "null", "8640000000000000", "8640000000000001"));
    payloads.entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(each -> {
      String type = switch (each.getKey()) {
        case "Decimal" -> "bytes";
        case "Timestamp" -> "int64";
        default -> "int32";
      };
      String parameters = type.equals("bytes") ? ",\"parameters\":{\"scale\":\"2\"}" : "";
      String schema = "{\"type\":\"" + type + "\",\"name\":\"" + LOGICAL + each.getKey() + "\",\"version\":1" + parameters + "}";
      for (String payload : each.getValue()) out.read("read/" + each.getKey() + "/" + payload, CONVERTER, config(), envelope(schema, payload));
    });
    for (String parameters : List.of("", ",\"parameters\":{\"scale\":\"x\"}", ",\"parameters\":{\"scale\":\"-2\"}", ",\"parameters\":{\"scale\":\"2\",\"connect.decimal.precision\":\"10\"}",
        ",\"parameters\":{\"scale\":2}")) {
      out.read("read/decimal-parameters/" + parameters, CONVERTER, config(), envelope("{\"type\":\"bytes\",\"name\":\"" + LOGICAL + "Decimal\",\"version\":1" + parameters + "}", "\"AJY=\""));
    }
    out.read("read/decimal-numeric-setting-of-base64", CONVERTER, config("decimal.format", "NUMERIC"),
        envelope("{\"type\":\"bytes\",\"name\":\"" + LOGICAL + "Decimal\",\"version\":1,\"parameters\":{\"scale\":\"2\"}}", "\"AJY=\""));
    for (String type : List.of("int64", "string", "int32")) {
      for (String name : List.of("Timestamp", "Date")) {
        out.read("read/logical-kept-in/" + type + "-" + name, CONVERTER, config(), envelope("{\"type\":\"" + type + "\",\"name\":\"" + LOGICAL + name + "\"}", "5"));
      }
    }
    out.read("read/timestamp-default", CONVERTER, config(), envelope("{\"type\":\"int64\",\"name\":\"" + LOGICAL + "Timestamp\",\"version\":1,\"optional\":true,\"default\":5}", "null"));
    out.read("read/decimal-default", CONVERTER, config(),
        envelope("{\"type\":\"bytes\",\"name\":\"" + LOGICAL + "Decimal\",\"version\":1,\"optional\":true,\"parameters\":{\"scale\":\"2\"},\"default\":\"AJY=\"}", "null"));
    out.read("read/io.debezium.time", CONVERTER, config(), envelope("{\"type\":\"int64\",\"name\":\"io.debezium.time.MicroTimestamp\",\"version\":1}", "1731508712229224"));
    out.read("read/struct-default", CONVERTER, config(),
        envelope("{\"type\":\"struct\",\"optional\":true,\"fields\":[{\"field\":\"a\",\"type\":\"int32\"}],\"default\":{\"a\":5}}", "null"));
    out.read("read/array-default", CONVERTER, config(), envelope("{\"type\":\"array\",\"optional\":true,\"items\":{\"type\":\"int32\"},\"default\":[1,2]}", "null"));
  }
}
