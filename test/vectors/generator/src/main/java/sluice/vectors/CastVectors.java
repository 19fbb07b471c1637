package sluice.vectors;

import static sluice.vectors.Data.*;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Timestamp;
import sluice.vectors.Data.Sample;

/** Cast: every type into every other, of whole values and of fields. */
final class CastVectors {
  private static final String VALUE = "Cast$Value";
  private static final List<String> TARGETS = List.of("int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string");

  private static final List<Sample> EDGES = List.of(
      sample("float64-nan", Schema.FLOAT64_SCHEMA, Double.NaN),
      sample("float64-infinity", Schema.FLOAT64_SCHEMA, Double.POSITIVE_INFINITY),
      sample("float64-minus-zero", Schema.FLOAT64_SCHEMA, -0.0),
      sample("float64-small", Schema.FLOAT64_SCHEMA, 1.0e-5),
      sample("float64-large", Schema.FLOAT64_SCHEMA, 1.0e300),
      sample("float64-half", Schema.FLOAT64_SCHEMA, 0.5),
      sample("float64-whole", Schema.FLOAT64_SCHEMA, 3.0),
      sample("int64-min", Schema.INT64_SCHEMA, Long.MIN_VALUE),
      sample("int32-200", Schema.INT32_SCHEMA, 200),
      sample("decimal-large", decimal(3), big("123456789012345678901234567.891")),
      sample("decimal-tiny", decimal(10), big("0.0000000001")),
      sample("boolean-false", Schema.BOOLEAN_SCHEMA, false));

  private static final List<String> TEXTS = List.of("", " 42", "+42", "-42", "4.2", "1e3", "0x1F", "1_000", "300", "9223372036854775808",
      "true", "TRUE", "yes", "NaN", "Infinity", "1.5f", "-0", "\u0664\u0662", "1.7976931348623159e308");

  private CastVectors() {}

  static void add(Vectors out) {
    for (String target : TARGETS) {
      Map<String, String> spec = config("spec", target);
      for (Sample each : Samples.EACH_TYPE) out.transform(each.name() + "-to-" + target, VALUE, spec, of(each.schema(), each.value()));
      for (Sample each : Samples.EACH_CLASS) out.transform("schemaless/" + each.name() + "-to-" + target, VALUE, spec, of(null, each.value()));
      for (Sample each : EDGES) out.transform("edges/" + each.name() + "-to-" + target, VALUE, spec, of(each.schema(), each.value()));
    }
    for (String text : TEXTS) {
      for (String target : List.of("int8", "int64", "float32", "float64", "boolean")) {
        out.transform("texts/" + text + "-to-" + target, VALUE, config("spec", target), of(Schema.STRING_SCHEMA, text));
      }
    }
    fields(out);
    specs(out);
  }

  private static void fields(Vectors out) {
    Schema schema = SchemaBuilder.struct().name("shop.Order").version(3).doc("An order")
        .field("id", Schema.INT64_SCHEMA).field("price", decimal(2)).field("note", Schema.OPTIONAL_STRING_SCHEMA)
        .field("count", SchemaBuilder.int32().optional().defaultValue(7).build())
        .field("when", Timestamp.SCHEMA).field("address", Samples.ADDRESS).build();
    var order = struct(schema, "id", 5L, "price", big("9.99"), "note", null, "count", null, "when", date(INSTANT),
        "address", struct(Samples.ADDRESS, "street", "Elm 1"));
    out.transform("fields/several", VALUE, config("spec", "id:string,price:float64,count:int64"), of(order));
    out.transform("fields/null-optional", VALUE, config("spec", "note:int32"), of(order));
    out.transform("fields/default-kept", VALUE, config("spec", "count:string", "replace.null.with.default", "false"), of(order));
    out.transform("fields/default-taken", VALUE, config("spec", "count:string", "replace.null.with.default", "true"), of(order));
    out.transform("fields/untouched-default-taken", VALUE, config("spec", "id:string"), of(order));
    out.transform("fields/timestamp-to-int64", VALUE, config("spec", "when:int64"), of(order));
    out.transform("fields/timestamp-to-string", VALUE, config("spec", "when:string"), of(order));
    out.transform("fields/timestamp-to-int32", VALUE, config("spec", "when:int32"), of(order));
    out.transform("fields/struct-to-string", VALUE, config("spec", "address:string"), of(order));
    out.transform("fields/missing", VALUE, config("spec", "nothing:int32"), of(order));
    out.transform("fields/dotted-name-is-no-path", VALUE, config("spec", "address.zip:string"), of(order));
    out.transform("fields/spaces-in-the-spec", VALUE, config("spec", " id : string , price : float32 "), of(order));
    out.transform("fields/capitals-in-the-spec", VALUE, config("spec", "id:STRING"), of(order));
    out.transform("fields/named-whole-value-too", VALUE, config("spec", "id:string"), of(Schema.INT32_SCHEMA, 1));
    out.transform("fields/whole-value-of-a-struct", VALUE, config("spec", "string"), of(order));
    out.transform("fields/of-the-key", "Cast$Key", config("spec", "id:int32"), ofKey(schema, order));
    out.transform("fields/schemaless", VALUE, config("spec", "a:int32,b:string,c:boolean"), of(null, map("a", "5", "b", 1.5, "c", "x", "d", list())));
    out.transform("fields/schemaless-missing", VALUE, config("spec", "z:int32"), of(null, map("a", "5")));
    out.transform("fields/schemaless-null", VALUE, config("spec", "a:int32"), of(null, map("a", null)));
    out.transform("fields/schemaless-nested", VALUE, config("spec", "a:string"), of(null, map("a", map("b", 1))));
    out.transform("fields/schemaless-list", VALUE, config("spec", "a:int32"), of(null, list(1)));
    out.transform("fields/schemaless-text", VALUE, config("spec", "a:int32"), of(null, "text"));
    out.transform("fields/schemaless-key", "Cast$Key", config("spec", "a:int32"), ofKey(null, map("a", "5")));
    out.transform("fields/optional-struct", VALUE, config("spec", "a:string"),
        of(struct(Data.fields("a", Schema.INT32_SCHEMA).optional().build(), "a", 1)));
    Schema named = SchemaBuilder.int32().name("shop.Count").version(2).doc("How many").parameter("unit", "piece").optional().defaultValue(5).build();
    out.transform("whole/keeps-name-doc-and-default", VALUE, config("spec", "string"), of(named, 3));
    out.transform("whole/null-with-default", VALUE, config("spec", "string"), of(named, null));
    out.transform("fields/named-field-schema", VALUE, config("spec", "n:int64"), of(struct(Data.fields("n", named).build(), "n", 3)));
    out.transform("whole/byte-buffer", VALUE, config("spec", "string"), of(Schema.BYTES_SCHEMA, ByteBuffer.wrap(bytes(1, 2, 3))));
    out.transform("whole/default-out-of-range", VALUE, config("spec", "int8"),
        of(SchemaBuilder.string().defaultValue("300").build(), "1"));
    out.transform("whole/key", "Cast$Key", config("spec", "string"), ofKey(Schema.INT32_SCHEMA, 5));
    out.transform("whole/key-null", "Cast$Key", config("spec", "string"), ofKey(null, null));
    out.transform("whole/key-null-with-schema", "Cast$Key", config("spec", "string"), ofKey(Schema.OPTIONAL_INT32_SCHEMA, null));
    out.transform("tombstone", VALUE, config("spec", "string"), of(null, null));
    out.transform("tombstone-with-schema", VALUE, config("spec", "a:string"), of(schema, null));
    for (long ms : List.of(0L, 1L, 999L, -1L, DAY - 1, DAY, DAY + 1, -DAY, -62_135_596_800_000L, 253_402_300_799_999L)) {
      out.transform("dates/" + ms + "-to-string", VALUE, config("spec", "string"), of(TIMESTAMP, date(ms)));
    }
    out.transform("dates/schemaless-to-int64", VALUE, config("spec", "int64"), of(null, date(INSTANT)));
    out.transform("dates/schemaless-midnight-to-string", VALUE, config("spec", "string"), of(null, date(DAY * 3)));
  }

  private static void specs(Vectors out) {
    var record = of(null, map("a", "5"));
    for (String spec : List.of("", "unknown", "a:unknown", "a:bytes", "bytes", "array", "a:struct", "a:b:c", "int8,int16", "a:int8,int16",
        "a:int8,a:int16", ":int8", "a:", ",", "a:int8,,b:int8", "a:string,z:string")) {
      out.transform("specs/" + spec, VALUE, config("spec", spec), record);
    }
    out.transform("specs/none", VALUE, config(), record);
    out.transform("specs/replace-null-unknown-word", VALUE, config("spec", "a:int8", "replace.null.with.default", "maybe"), record);
    out.transform("specs/unknown-setting", VALUE, config("spec", "a:int8", "specs", "b:int8"), record);
  }
}
