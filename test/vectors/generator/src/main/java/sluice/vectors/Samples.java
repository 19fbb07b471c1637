package sluice.vectors;

import static sluice.vectors.Data.DATE;
import static sluice.vectors.Data.DAY;
import static sluice.vectors.Data.INSTANT;
import static sluice.vectors.Data.TIME;
import static sluice.vectors.Data.TIMESTAMP;
import static sluice.vectors.Data.big;
import static sluice.vectors.Data.bytes;
import static sluice.vectors.Data.date;
import static sluice.vectors.Data.decimal;
import static sluice.vectors.Data.fields;
import static sluice.vectors.Data.list;
import static sluice.vectors.Data.map;
import static sluice.vectors.Data.sample;
import static sluice.vectors.Data.struct;

import java.util.List;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import sluice.vectors.Data.Sample;

/** Values of every type that several families of vectors share. */
final class Samples {
  static final Schema ADDRESS = fields("street", Schema.STRING_SCHEMA, "zip", Schema.OPTIONAL_INT32_SCHEMA).name("shop.Address").build();

  /** One of each type, with a schema. */
  static final List<Sample> EACH_TYPE = List.of(
      sample("int8", Schema.INT8_SCHEMA, (byte) -7),
      sample("int16", Schema.INT16_SCHEMA, (short) 300),
      sample("int32", Schema.INT32_SCHEMA, 70_000),
      sample("int64", Schema.INT64_SCHEMA, 9_007_199_254_740_993L),
      sample("float32", Schema.FLOAT32_SCHEMA, 1.9f),
      sample("float64", Schema.FLOAT64_SCHEMA, -2.75e10),
      sample("boolean", Schema.BOOLEAN_SCHEMA, true),
      sample("string", Schema.STRING_SCHEMA, "42"),
      sample("bytes", Schema.BYTES_SCHEMA, bytes(0, 255, 127)),
      sample("decimal", decimal(2), big("-12.50")),
      sample("date", DATE, date(DAY * 20_000)),
      sample("time", TIME, date(45_296_789L)),
      sample("timestamp", TIMESTAMP, date(INSTANT)),
      sample("array", SchemaBuilder.array(Schema.INT32_SCHEMA).build(), list(1, 2)),
      sample("map", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA).build(), map("a", 1)),
      sample("map-int-keys", SchemaBuilder.map(Schema.INT32_SCHEMA, Schema.STRING_SCHEMA).build(), map(1, "a")),
      sample("struct", ADDRESS, struct(ADDRESS, "street", "Elm 1", "zip", 12_345)));

  /** One of each Java class, without a schema. */
  static final List<Sample> EACH_CLASS = List.of(
      sample("byte", null, (byte) -7),
      sample("short", null, (short) 300),
      sample("integer", null, 70_000),
      sample("long", null, 9_007_199_254_740_993L),
      sample("float", null, 1.5f),
      sample("double", null, -2.75e10),
      sample("boolean", null, true),
      sample("string", null, "42"),
      sample("bytes", null, bytes(0, 255, 127)),
      sample("big-decimal", null, big("-12.50")),
      sample("date", null, date(INSTANT)),
      sample("list", null, list(1, "a", null)),
      sample("map", null, map("a", 1)));

  private Samples() {}
}
