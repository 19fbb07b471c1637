package sluice.vectors;

import static sluice.vectors.Data.*;

import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import sluice.vectors.Data.Sample;

/** Flatten, MaskField and SetSchemaMetadata. */
final class ShapeVectors {
  private static final Schema COUNT = SchemaBuilder.int32().optional().defaultValue(7).build();

  private ShapeVectors() {}

  static void flatten(Vectors out) {
    String value = "Flatten$Value";
    Object issue = map("a", map("d", "1", "b", null, "c", "2"), "l", list(1, map("x", 2)), "e", map(), "z", 9);
    for (Map<String, String> config : List.of(config(), config("delimiter", "_"), config("delimiter", ""), config("delimiter", "::"), config("delimiter", "$1"))) {
      out.transform("map/" + config, value, config, of(null, issue));
    }
    Schema inner = Data.fields("d", Schema.STRING_SCHEMA, "b", Schema.OPTIONAL_STRING_SCHEMA, "n", COUNT).build();
    Schema optionalInner = Data.fields("d", Schema.STRING_SCHEMA, "n", COUNT).optional().build();
    Schema defaultInner = withDefault(Data.fields("d", Schema.STRING_SCHEMA, "n", Schema.OPTIONAL_INT32_SCHEMA).optional(), "d", "x", "n", 1);
    Schema deep = Data.fields("i", inner, "o", optionalInner).name("shop.Deep").build();
    Schema schema = SchemaBuilder.struct().name("shop.Order").version(2).doc("An order").parameter("owner", "sales").field("a", inner)
        .field("deep", deep).field("l", SchemaBuilder.array(Schema.INT32_SCHEMA).build()).field("price", decimal(2)).field("z", Schema.INT8_SCHEMA).build();
    Object full = struct(schema, "a", struct(inner, "d", "1"), "deep", struct(deep, "i", struct(inner, "d", "2", "b", "3", "n", 4)), "l", list(1, 2),
        "price", big("1.00"), "z", (byte) 9);
    for (Map<String, String> config : List.of(config(), config("delimiter", "_"), config("delimiter", ""))) {
      out.transform("struct/" + config, value, config, of(schema, full));
    }
    for (Sample each : Samples.EACH_TYPE) {
      Schema nested = Data.fields("f", each.schema()).build();
      out.transform("types/" + each.name(), value, config(), of(struct(Data.fields("a", nested).build(), "a", struct(nested, "f", each.value()))));
    }
    for (Sample each : Samples.EACH_CLASS) out.transform("classes/" + each.name(), value, config(), of(null, map("a", map("f", each.value()))));
    Schema optionalTop = Data.fields("o", optionalInner, "r", Schema.INT32_SCHEMA).optional().build();
    out.transform("optional/null-parent", value, config(), of(struct(optionalTop, "r", 1)));
    out.transform("optional/parent", value, config(), of(struct(optionalTop, "o", struct(optionalInner, "d", "x"), "r", 1)));
    out.transform("optional/null-value", value, config(), of(optionalTop, null));
    Schema withDefault = Data.fields("o", defaultInner).build();
    out.transform("defaults/of-a-parent-taken", value, config(), of(struct(withDefault)));
    out.transform("defaults/of-a-parent-given", value, config(), of(struct(withDefault, "o", struct(defaultInner, "d", "y"))));
    out.transform("defaults/of-a-field", value, config(), of(struct(Data.fields("a", inner).build(), "a", struct(inner, "d", "1"))));
    Schema clash = Data.fields("a", Data.fields("b", Schema.INT32_SCHEMA).build(), "a.b", Schema.INT32_SCHEMA).build();
    out.transform("clash/struct", value, config(), of(struct(clash, "a", struct(Data.fields("b", Schema.INT32_SCHEMA).build(), "b", 1), "a.b", 2)));
    out.transform("clash/map-inner-first", value, config(), of(null, map("a", map("b", 1), "a.b", 2)));
    out.transform("clash/map-inner-last", value, config(), of(null, map("a.b", 2, "a", map("b", 1))));
    out.transform("map-in-a-struct", value, config(), of(struct(Data.fields("m", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA).build()).build(),
        "m", map("a", 1))));
    out.transform("array-of-structs", value, config(), of(struct(Data.fields("l", SchemaBuilder.array(inner).build()).build(),
        "l", list(struct(inner, "d", "1", "n", 2)))));
    out.transform("three-levels", value, config(), of(null, map("a", map("b", map("c", map("d", 1))))));
    out.transform("empty-names", value, config(), of(null, map("", map("", 1))));
    out.transform("names-with-dots", value, config(), of(null, map("a.b", map("c.d", 1))));
    out.transform("empty-structs", value, config(), of(struct(Data.fields("e", SchemaBuilder.struct().build()).build(), "e", struct(SchemaBuilder.struct().build()))));
    out.transform("map-with-number-keys", value, config(), of(null, map("a", map(1, "x"))));
    out.transform("key", "Flatten$Key", config(), ofKey(null, map("a", map("b", 1))));
    out.transform("key-null", "Flatten$Key", config(), ofKey(null, null));
    FieldVectors.wrongValues(out, value, config());
  }

  static void mask(Vectors out) {
    String value = "MaskField$Value";
    for (Sample each : Samples.EACH_TYPE) {
      Schema schema = Data.fields("f", each.schema(), "other", Schema.INT32_SCHEMA).build();
      for (String replacement : new String[] {null, "7", "***"}) {
        Map<String, String> config = replacement == null ? config("fields", "f") : config("fields", "f", "replacement", replacement);
        out.transform("types/" + each.name() + "-" + replacement, value, config, of(struct(schema, "f", each.value(), "other", 1)));
      }
    }
    for (Sample each : Samples.EACH_CLASS) {
      for (String replacement : new String[] {null, "7", "***"}) {
        Map<String, String> config = replacement == null ? config("fields", "f") : config("fields", "f", "replacement", replacement);
        out.transform("classes/" + each.name() + "-" + replacement, value, config, of(null, map("f", each.value(), "other", 1)));
      }
    }
    for (String replacement : List.of("300", "-1", "1.9", "1e3", "", " ", "9223372036854775808", "0x10", "true")) {
      Schema schema = Data.fields("b", Schema.INT8_SCHEMA, "l", Schema.INT64_SCHEMA, "d", Schema.FLOAT64_SCHEMA, "s", Schema.STRING_SCHEMA).build();
      Object row = struct(schema, "b", (byte) 1, "l", 1L, "d", 1.0, "s", "x");
      for (String field : List.of("b", "l", "d", "s")) {
        out.transform("replacements/" + field + "/" + replacement, value, config("fields", field, "replacement", replacement), of(schema, row));
      }
    }
    Schema schema = Data.fields("a", Schema.OPTIONAL_STRING_SCHEMA, "count", COUNT, "n", Schema.OPTIONAL_INT32_SCHEMA).build();
    out.transform("null/optional", value, config("fields", "a"), of(struct(schema)));
    out.transform("null/with-default", value, config("fields", "count"), of(struct(schema)));
    out.transform("null/with-default-kept", value, config("fields", "count", "replace.null.with.default", "false"), of(struct(schema)));
    out.transform("null/other-with-default", value, config("fields", "a"), of(struct(schema, "a", "x")));
    out.transform("null/replacement", value, config("fields", "a", "replacement", "x"), of(struct(schema)));
    out.transform("null/schemaless", value, config("fields", "a"), of(null, map("a", null)));
    out.transform("missing/struct", value, config("fields", "zzz"), of(struct(schema, "a", "x")));
    out.transform("missing/schemaless", value, config("fields", "zzz"), of(null, map("a", "x")));
    out.transform("missing/schemaless-replacement", value, config("fields", "zzz", "replacement", "x"), of(null, map("a", "x")));
    out.transform("names/several", value, config("fields", "a, n"), of(struct(schema, "a", "x", "n", 5)));
    out.transform("names/dotted", value, config("fields", "a.b"), of(null, map("a", map("b", 1), "a.b", 2)));
    out.transform("names/nested", value, config("fields", "a"), of(null, map("a", map("b", 1))));
    out.transform("big-integer", value, config("fields", "a"), of(null, map("a", new BigInteger("12345678901234567890"))));
    out.transform("big-integer-replaced", value, config("fields", "a", "replacement", "5"), of(null, map("a", new BigInteger("12345678901234567890"))));
    out.transform("key", "MaskField$Key", config("fields", "a"), ofKey(null, map("a", "x")));
    out.transform("key-null", "MaskField$Key", config("fields", "a"), ofKey(null, null));
    FieldVectors.wrongValues(out, value, config("fields", "id"));
    out.transform("settings/none", value, config(), of(null, map("a", 1)));
    for (String fields : List.of("", ",", "a,a", "a,,n")) out.transform("settings/" + fields, value, config("fields", fields), of(null, map("a", 1)));
  }

  static void metadata(Vectors out) {
    String value = "SetSchemaMetadata$Value";
    Map<String, String> both = config("schema.name", "shop.New", "schema.version", "5");
    for (Sample each : Samples.EACH_TYPE) out.transform("types/" + each.name(), value, both, of(each.schema(), each.value()));
    for (Sample each : Samples.EACH_CLASS) out.transform("classes/" + each.name(), value, both, of(null, each.value()));
    Schema schema = SchemaBuilder.struct().name("shop.Order").version(3).doc("An order").parameter("owner", "sales").field("count", COUNT).build();
    for (Map<String, String> config : List.of(config("schema.name", "shop.New"), config("schema.version", "5"), both, config("schema.name", "", "schema.version", "0"),
        config("schema.version", "-1"), config("schema.version", "1.5"), config("schema.version", "x"), config("schema.version", ""), config("schema.version", " 7 "),
        config("schema.version", "2147483648"), config(), config("schema.name", " spaced "))) {
      out.transform("settings/" + config, value, config, of(struct(schema, "count", 1)));
    }
    out.transform("null/with-default", value, both, of(struct(schema)));
    out.transform("null/with-default-kept", value, with(both, "replace.null.with.default", "false"), of(struct(schema)));
    out.transform("null/struct", value, both, of(SchemaBuilder.struct().optional().field("count", COUNT).build(), null));
    out.transform("null/text", value, both, of(Schema.OPTIONAL_STRING_SCHEMA, null));
    out.transform("null/tombstone", value, both, of(null, null));
    out.transform("default-of-the-schema", value, both, of(SchemaBuilder.string().defaultValue("d").build(), "x"));
    out.transform("nested-keeps-its-name", value, both, of(struct(Data.fields("a", Samples.ADDRESS).build(), "a", struct(Samples.ADDRESS, "street", "x"))));
    out.transform("named-as-timestamp", value, config("schema.name", "org.apache.kafka.connect.data.Timestamp"), of(Schema.INT64_SCHEMA, 5L));
    out.transform("timestamp-renamed", value, config("schema.name", "plain"), of(TIMESTAMP, date(5)));
    out.transform("key", "SetSchemaMetadata$Key", both, ofKey(Schema.STRING_SCHEMA, "k"));
    out.transform("key-null", "SetSchemaMetadata$Key", both, ofKey(null, null));
    out.transform("key-schemaless", "SetSchemaMetadata$Key", both, ofKey(null, "k"));
  }
}
