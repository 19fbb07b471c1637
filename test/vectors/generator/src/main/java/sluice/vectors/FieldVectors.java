package sluice.vectors;

import static sluice.vectors.Data.*;

import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import sluice.vectors.Data.Sample;

/** ExtractField, HoistField, InsertField, ReplaceField and ValueToKey. */
final class FieldVectors {
  private static final Schema COUNT = SchemaBuilder.int32().optional().defaultValue(7).build();
  private static final Schema REQUIRED_COUNT = SchemaBuilder.int32().defaultValue(8).build();
  private static final Schema ORDER = SchemaBuilder.struct().name("shop.Order").version(3).doc("An order").parameter("owner", "sales")
      .field("id", Schema.INT64_SCHEMA).field("note", Schema.OPTIONAL_STRING_SCHEMA).field("count", COUNT)
      .field("address", Samples.ADDRESS).field("a.b", Schema.INT32_SCHEMA).build();
  private static final Object EMPTY = struct(ORDER, "id", 5L, "address", struct(Samples.ADDRESS, "street", "Elm 1"), "a.b", 1);

  private FieldVectors() {}

  static void extract(Vectors out) {
    String value = "ExtractField$Value";
    for (Sample each : Samples.EACH_TYPE) {
      out.transform("types/" + each.name(), value, config("field", "f"), of(struct(Data.fields("f", each.schema()).build(), "f", each.value())));
    }
    for (Sample each : Samples.EACH_CLASS) out.transform("classes/" + each.name(), value, config("field", "f"), of(null, map("f", each.value())));
    Map<String, String> v2 = config("field.syntax.version", "V2");
    Schema deep = Data.fields("b", Schema.OPTIONAL_INT32_SCHEMA, "d", COUNT).optional().build();
    Schema top = Data.fields("a", deep, "a.b", Schema.STRING_SCHEMA, "x`y", Schema.STRING_SCHEMA).build();
    Object both = struct(top, "a", struct(deep, "b", 1), "a.b", "dot", "x`y", "tick");
    Object none = struct(top, "a.b", "dot", "x`y", "tick");
    Object plain = map("a", map("b", 1, "b.c", 2, "e", null), "a.b", "dot", "x`y", "tick", "", "empty", "l", list(1));
    for (String path : List.of("a", "a.b", "`a.b`", "`a`.b", "a.`b`", "a.`b.c`", "a.b.c", "a.z", "z", "z.b", "x`y", "`x\\`y`", "`x`y`", "`a.b", "a.`b", "", ".", "a.", ".a",
        "a..b", "a.d", "``", "a.e", "a.e.f", "l.0", "`a`b`.c", "a b", " a")) {
      for (String version : List.of("V1", "V2")) {
        Map<String, String> config = config("field", path, "field.syntax.version", version);
        out.transform("paths/" + version + "/" + path, value, config, of(top, both));
        out.transform("paths/" + version + "/schemaless/" + path, value, config, of(null, plain));
      }
      out.transform("paths/V2/null-on-the-way/" + path, value, with(v2, "field", path), of(top, none));
    }
    for (String path : List.of("after.id", "after", "`after.id`")) {
      for (Map<String, String> config : List.of(config("field", path), with(v2, "field", path))) {
        String name = (config.size() == 1 ? "V1/" : "V2/") + path;
        out.transform("after/" + name + "/null", value, config, of(null, map("after", null)));
        out.transform("after/" + name + "/other", value, config, of(null, map("other", 1)));
        out.transform("after/" + name + "/there", value, config, of(null, map("after", map("id", 5))));
        out.transform("after/" + name + "/dot", value, config, of(null, map("after.id", 6)));
        out.transform("after/" + name + "/text", value, config, of(null, map("after", "text")));
      }
    }
    out.transform("default-taken", value, config("field", "count"), of(ORDER, EMPTY));
    out.transform("default-not-taken", value, config("field", "count", "replace.null.with.default", "false"), of(ORDER, EMPTY));
    out.transform("nested-default-taken", value, with(v2, "field", "a.d"), of(struct(top, "a", struct(deep), "a.b", "", "x`y", "")));
    out.transform("nested-default-not-taken", value, with(v2, "field", "a.d", "replace.null.with.default", "false"),
        of(struct(top, "a", struct(deep), "a.b", "", "x`y", "")));
    out.transform("key", "ExtractField$Key", config("field", "id"), ofKey(ORDER, EMPTY));
    out.transform("key-schemaless", "ExtractField$Key", config("field", "id"), ofKey(null, map("id", 5L)));
    out.transform("key-null", "ExtractField$Key", config("field", "id"), ofKey(null, null));
    out.transform("key-is-no-map", "ExtractField$Key", config("field", "id"), ofKey(null, "text"));
    wrongValues(out, value, config("field", "id"));
    out.transform("null-struct-unknown-field", value, config("field", "zzz"), of(ORDER, null));
    out.transform("null-struct-default-field", value, config("field", "count"), of(SchemaBuilder.struct().optional().field("count", COUNT).build(), null));
    out.transform("settings/none", value, config(), of(null, map("a", 1)));
    for (String version : List.of("v1", "v2", "V3", "", "2")) {
      out.transform("settings/version-" + version, value, config("field", "a.b", "field.syntax.version", version), of(null, plain));
    }
  }

  /** What every transform of fields does with values that have none. */
  static void wrongValues(Vectors out, String plugin, Map<String, String> config) {
    out.transform("wrong/tombstone", plugin, config, of(null, null));
    out.transform("wrong/null-with-schema", plugin, config, of(SchemaBuilder.struct().optional().field("id", Schema.INT64_SCHEMA).build(), null));
    out.transform("wrong/text-with-schema", plugin, config, of(Schema.STRING_SCHEMA, "text"));
    out.transform("wrong/null-text-with-schema", plugin, config, of(Schema.OPTIONAL_STRING_SCHEMA, null));
    out.transform("wrong/text", plugin, config, of(null, "text"));
    out.transform("wrong/number", plugin, config, of(null, 5));
    out.transform("wrong/list", plugin, config, of(null, list(1, 2)));
    out.transform("wrong/bytes", plugin, config, of(null, bytes(1, 2)));
    out.transform("wrong/map-with-schema", plugin, config,
        of(SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT64_SCHEMA).build(), map("id", 5L)));
    out.transform("wrong/empty-map", plugin, config, of(null, map()));
    out.transform("wrong/empty-struct", plugin, config, of(struct(SchemaBuilder.struct().build())));
  }

  static void hoist(Vectors out) {
    String value = "HoistField$Value";
    for (Sample each : Samples.EACH_TYPE) out.transform("types/" + each.name(), value, config("field", "f"), of(each.schema(), each.value()));
    for (Sample each : Samples.EACH_CLASS) out.transform("classes/" + each.name(), value, config("field", "f"), of(null, each.value()));
    wrongValues(out, value, config("field", "f"));
    out.transform("null-required", value, config("field", "f"), of(Schema.STRING_SCHEMA, null));
    out.transform("null-with-default", value, config("field", "f"), of(COUNT, null));
    out.transform("optional", value, config("field", "f"), of(Schema.OPTIONAL_INT32_SCHEMA, 5));
    out.transform("key", "HoistField$Key", config("field", "f"), ofKey(Schema.STRING_SCHEMA, "k"));
    out.transform("key-null", "HoistField$Key", config("field", "f"), ofKey(null, null));
    for (String field : List.of("", "a.b", "with space", "`x`", "x,y")) {
      out.transform("names/" + field, value, config("field", field), of(null, 1));
      out.transform("names/struct/" + field, value, config("field", field), of(Schema.INT32_SCHEMA, 1));
    }
    out.transform("settings/none", value, config(), of(null, 1));
  }

  static void insert(Vectors out) {
    String value = "InsertField$Value";
    Map<String, String> all = config("topic.field", "t", "partition.field", "p", "offset.field", "o", "timestamp.field", "ts", "static.field", "s",
        "static.value", "x");
    Schema schema = SchemaBuilder.struct().name("shop.Order").version(3).doc("An order").parameter("owner", "sales").field("id", Schema.INT64_SCHEMA)
        .field("count", COUNT).build();
    Input with = record().value(struct(schema, "id", 5L)).timestamp(INSTANT);
    Input schemaless = record().value(null, map("id", 5L)).timestamp(INSTANT);
    out.transform("sink/all", value, all, with.sink(3, 7));
    out.transform("sink/schemaless/all", value, all, schemaless.sink(3, 7));
    out.transform("source/all", value, all, with.source());
    out.transform("source/schemaless/all", value, all, schemaless.source());
    for (String key : List.of("topic.field", "partition.field", "offset.field", "timestamp.field")) {
      for (String mark : List.of("", "!", "?")) {
        Map<String, String> config = config(key, "f" + mark);
        out.transform("sink/" + key + mark, value, config, with.sink(3, 7));
        out.transform("sink/schemaless/" + key + mark, value, config, schemaless.sink(3, 7));
        out.transform("source/" + key + mark, value, config, with.source());
        out.transform("no-timestamp/" + key + mark, value, config, record().value(struct(schema, "id", 5L)).sink(3, 7));
      }
      out.transform("no-timestamp/schemaless/" + key, value, config(key, "f"), of(null, map("id", 5L)));
    }
    for (String name : List.of("s", "s!", "s?", "s!!", "!", "", "a.b", "id", "count", " s ")) {
      Map<String, String> config = config("static.field", name, "static.value", "x");
      out.transform("static/" + name, value, config, with.source());
      out.transform("static/schemaless/" + name, value, config, schemaless.source());
    }
    for (String text : List.of("", "42", "true", "${topic}", "\u00fc\u4e2d")) {
      out.transform("static-value/" + text, value, config("static.field", "s", "static.value", text), schemaless.source());
    }
    out.transform("default-taken", value, config("static.field", "s", "static.value", "x"), of(struct(schema, "id", 5L)));
    out.transform("default-not-taken", value, config("static.field", "s", "static.value", "x", "replace.null.with.default", "false"),
        of(struct(schema, "id", 5L)));
    out.transform("optional-struct", value, config("static.field", "s", "static.value", "x"),
        of(struct(SchemaBuilder.struct().optional().field("a", Schema.INT32_SCHEMA).build(), "a", 1)));
    out.transform("key", "InsertField$Key", config("static.field", "s", "static.value", "x"), ofKey(null, map("id", 5L)));
    out.transform("key-struct", "InsertField$Key", config("topic.field", "s"), ofKey(schema, struct(schema, "id", 5L)));
    out.transform("key-null", "InsertField$Key", config("static.field", "s", "static.value", "x"), ofKey(null, null));
    wrongValues(out, value, config("static.field", "s", "static.value", "x"));
    out.transform("settings/none", value, config(), schemaless.source());
    out.transform("settings/static-without-value", value, config("static.field", "s"), schemaless.source());
    out.transform("settings/value-without-static", value, config("static.value", "x"), schemaless.source());
    out.transform("settings/value-without-static-beside-topic", value, config("topic.field", "t", "static.value", "x"), schemaless.source());
    out.transform("settings/same-name-twice", value, config("topic.field", "t", "static.field", "t", "static.value", "x"), schemaless.source());
    out.transform("settings/same-name-twice-struct", value, config("topic.field", "t", "static.field", "t", "static.value", "x"), with.source());
  }

  static void replace(Vectors out) {
    String value = "ReplaceField$Value";
    Object plain = map("id", 5L, "note", null, "count", 1, "address", map("street", "Elm 1"), "a.b", 1);
    List<Map<String, String>> configs = List.of(config("exclude", "note"), config("include", "id,note"), config("renames", "id:key"),
        config("exclude", "id", "include", "id,count"), config("include", "id", "renames", "id:key"), config("include", "key", "renames", "id:key"),
        config("exclude", "key", "renames", "id:key"), config("exclude", "id", "renames", "id:key"), config("renames", "id:count"),
        config("renames", "id:count,count:id"), config("renames", "id:x,note:x"), config("exclude", "nothing"), config("include", "nothing"),
        config("renames", "nothing:x"), config("exclude", "id,note,count,address,a.b"), config("exclude", "a.b"), config("exclude", "address.street"),
        config("renames", "address:home"), config("renames", "a.b:c.d"), config("exclude", " id , note "), config("renames", " id : key "), config(),
        config("include", ""), config("exclude", ""), config("renames", ""), config("exclude", "id,id"), config("include", "id,id"),
        config("renames", "id"), config("renames", "id:"), config("renames", ":id"), config("renames", "id:a:b"), config("renames", "id:a,id:b"),
        config("renames", "id:a,"), config("exclude", "id,,note"), config("include", ",id"), config("exclude", "`a.b`"),
        config("blacklist", "id"), config("whitelist", "id"));
    for (Map<String, String> config : configs) {
      out.transform("struct/" + config, value, config, of(ORDER, EMPTY));
      out.transform("schemaless/" + config, value, config, of(null, plain));
    }
    out.transform("default-not-taken", value, config("exclude", "id", "replace.null.with.default", "false"), of(ORDER, EMPTY));
    out.transform("default-required-not-taken", value, config("exclude", "id", "replace.null.with.default", "false"),
        of(struct(Data.fields("id", Schema.INT32_SCHEMA, "n", REQUIRED_COUNT).build(), "id", 1)));
    out.transform("default-required-taken", value, config("exclude", "id"),
        of(struct(Data.fields("id", Schema.INT32_SCHEMA, "n", REQUIRED_COUNT).build(), "id", 1)));
    out.transform("optional-struct", value, config("exclude", "z"),
        of(struct(SchemaBuilder.struct().optional().field("a", Schema.INT32_SCHEMA).build(), "a", 1)));
    out.transform("struct-with-default", value, config("exclude", "z"), of(struct(withDefault(Data.fields("a", Schema.INT32_SCHEMA), "a", 2), "a", 1)));
    out.transform("key", "ReplaceField$Key", config("include", "id"), ofKey(ORDER, EMPTY));
    out.transform("key-schemaless", "ReplaceField$Key", config("renames", "a:b"), ofKey(null, map("a", 1)));
    out.transform("key-null", "ReplaceField$Key", config("include", "id"), ofKey(null, null));
    wrongValues(out, value, config("exclude", "id"));
  }

  static void valueToKey(Vectors out) {
    String plugin = "ValueToKey";
    Object plain = map("id", 5L, "note", null, "address", map("street", "Elm 1"), "a.b", 1);
    for (String fields : List.of("id", "id,note", "note", "count", "address", "a.b", "address.street", "nothing", "id,nothing", "id,id", "", ",", " id , note ",
        "id,,note")) {
      out.transform("struct/" + fields, plugin, config("fields", fields), of(ORDER, EMPTY));
      out.transform("schemaless/" + fields, plugin, config("fields", fields), of(null, plain));
    }
    for (Sample each : Samples.EACH_TYPE) {
      out.transform("types/" + each.name(), plugin, config("fields", "f"), of(struct(Data.fields("f", each.schema()).build(), "f", each.value())));
    }
    out.transform("default-not-taken", plugin, config("fields", "count", "replace.null.with.default", "false"), of(ORDER, EMPTY));
    out.transform("default-required-not-taken", plugin, config("fields", "n", "replace.null.with.default", "false"),
        of(struct(Data.fields("n", REQUIRED_COUNT).build())));
    out.transform("replaces-the-key", plugin, config("fields", "id"), record().key(Schema.STRING_SCHEMA, "old").value(ORDER, EMPTY).source());
    out.transform("keeps-headers-and-time", plugin, config("fields", "id"),
        record().key(null, null).value(null, plain).timestamp(1L).header("h", Schema.STRING_SCHEMA, "x").source());
    wrongValues(out, plugin, config("fields", "id"));
    out.transform("settings/none", plugin, config(), of(null, plain));
  }
}
