package sluice.vectors;

import static sluice.vectors.Data.*;

import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Timestamp;
import sluice.vectors.Data.Sample;

/** TimestampConverter: each form into each other, precisions, formats, nulls and defaults; and TimestampRouter. */
final class TimestampVectors {
  private static final String VALUE = "TimestampConverter$Value";
  private static final String ROUTER = "TimestampRouter";
  private static final String ISO = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX";
  private static final List<String> TARGETS = List.of("string", "unix", "Date", "Time", "Timestamp");
  private static final List<String> PRECISIONS = List.of("seconds", "milliseconds", "microseconds", "nanoseconds");
  /** Letters and forms of Java's SimpleDateFormat that users write. */
  private static final List<String> FORMATS = List.of("yyyy-MM-dd", "yyyyMMdd", "yyyy/MM/dd HH:mm:ss", ISO, "yyyy-MM-dd'T'HH:mm:ss'Z'",
      "yyyy-MM-dd HH:mm:ss.SSS", "dd.MM.yy", "yy-M-d", "EEE, dd MMM yyyy HH:mm:ss Z", "EEEE d MMMM yyyy", "hh:mm a", "KK:mm a", "kk:mm:ss", "h:m:s a",
      "D", "DDD", "w", "W", "F", "E", "u", "G", "YYYY-'W'ww-u", "z", "zzzz", "Z", "X", "XX", "XXX", "S", "SS", "SSS", "SSSSSS", "MMM", "MMMM", "MMMMM",
      "LLL", "''yyyy''", "'o''clock' H", "yyyy", "y", "yyyyy", "H", "HHH", "");
  private static final List<List<String>> PARSED = List.of(
      List.of("yyyy-MM-dd", "2024-11-13"), List.of("yyyy-MM-dd", "2024-02-30"), List.of("yyyy-MM-dd", "2024-13-01"), List.of("yyyy-MM-dd", "24-1-2"),
      List.of("yyyy-MM-dd", "2024-11-13 and more"), List.of("yyyy-MM-dd", "13.11.2024"), List.of("yyyy-MM-dd", ""), List.of("yyyy-MM-dd", " 2024-11-13"),
      List.of("yyyyMMdd", "20241113"), List.of("yyyyMMdd", "2024111"), List.of("yyyyMMddHHmmssSSS", "20241113143832229"),
      List.of("yyyy/MM/dd HH:mm:ss", "2024/11/13 14:38:32"), List.of("yyyy/MM/dd HH:mm:ss", "2024/11/13 25:61:61"),
      List.of(ISO, "2024-11-13T14:38:32.229Z"), List.of(ISO, "2024-11-13T14:38:32.229+02:00"), List.of(ISO, "2024-11-13T14:38:32.229-0530"),
      List.of(ISO, "2024-11-13T14:38:32Z"), List.of("yyyy-MM-dd'T'HH:mm:ss'Z'", "2024-11-13T14:38:32Z"),
      List.of("yyyy-MM-dd'T'HH:mm:ss.SSSSSS", "2024-11-13T14:38:32.229224"), List.of("yyyy-MM-dd HH:mm:ss.SSS", "2024-11-13 14:38:32.2"),
      List.of("EEE, dd MMM yyyy HH:mm:ss Z", "Wed, 13 Nov 2024 14:38:32 +0000"), List.of("EEE, dd MMM yyyy HH:mm:ss z", "Wed, 13 Nov 2024 14:38:32 GMT"),
      List.of("dd MMM yyyy", "13 november 2024"), List.of("dd.MM.yy", "01.02.24"), List.of("dd.MM.yy", "01.02.99"), List.of("hh:mm a", "02:38 PM"),
      List.of("hh:mm a", "12:00 am"), List.of("HH:mm:ss", "14:38:32"), List.of("yyyy-D", "2024-318"), List.of("Z", "+0100"), List.of("X", "+01"),
      List.of("yyyy", "2024"), List.of("y", "-5"), List.of("MM", "11"));

  private TimestampVectors() {}

  static void add(Vectors out) {
    List<Sample> forms = List.of(sample("string", Schema.STRING_SCHEMA, "2024-11-13T14:38:32.229Z"), sample("int64", Schema.INT64_SCHEMA, INSTANT),
        sample("date", DATE, date(DAY * 20_000)), sample("time", TIME, date(45_296_789L)), sample("timestamp", TIMESTAMP, date(INSTANT)),
        sample("schemaless-string", null, "2024-11-13T14:38:32.229Z"), sample("schemaless-long", null, INSTANT), sample("schemaless-date", null, date(INSTANT)),
        sample("optional-int64", Schema.OPTIONAL_INT64_SCHEMA, INSTANT), sample("before-1970", TIMESTAMP, date(-1)));
    List<Sample> wrong = List.of(sample("int32", Schema.INT32_SCHEMA, 5), sample("float64", Schema.FLOAT64_SCHEMA, 5.0),
        sample("boolean", Schema.BOOLEAN_SCHEMA, true), sample("bytes", Schema.BYTES_SCHEMA, bytes(1)), sample("decimal", decimal(0), big("5")),
        sample("schemaless-integer", null, 5), sample("schemaless-double", null, 1.5), sample("schemaless-boolean", null, true),
        sample("schemaless-map", null, map("a", 1)), sample("array", SchemaBuilder.array(Schema.INT64_SCHEMA).build(), list(1L)));
    for (String target : TARGETS) {
      Map<String, String> config = config("target.type", target, "format", ISO);
      for (Sample each : forms) out.transform("forms/" + each.name() + "-to-" + target, VALUE, config, of(each.schema(), each.value()));
    }
    for (Sample each : wrong) out.transform("wrong/" + each.name(), VALUE, config("target.type", "Timestamp"), of(each.schema(), each.value()));
    for (String precision : PRECISIONS) {
      for (long value : List.of(1_731_508_712_229_224L, 1_488_406_838_008_123L, -1L, 0L, 1_731_508_712L, Long.MAX_VALUE, -1_500L)) {
        Map<String, String> config = config("target.type", "Timestamp", "unix.precision", precision);
        // Where JavaScript has no such date, int64 to int64 still shows the arithmetic.
        out.transform("precision/" + precision + "-" + value + "-to-unix", VALUE, with(config, "target.type", "unix"), of(Schema.INT64_SCHEMA, value));
        out.transform("precision/" + precision + "-" + value, VALUE, config, of(Schema.INT64_SCHEMA, value));
      }
      for (long ms : List.of(INSTANT, -1L, -1_500L, 0L)) {
        out.transform("precision/" + ms + "-to-" + precision, VALUE, config("target.type", "unix", "unix.precision", precision), of(TIMESTAMP, date(ms)));
      }
    }
    fields(out);
    for (String format : FORMATS) {
      for (long ms : List.of(INSTANT, 1_704_067_200_000L + 3_723_004L)) {
        out.transform("formats/" + format + "-of-" + ms, VALUE, config("target.type", "string", "format", format), of(TIMESTAMP, date(ms)));
      }
    }
    for (List<String> each : PARSED) {
      Map<String, String> config = config("target.type", "Timestamp", "format", each.get(0));
      out.transform("parsed/" + each.get(0) + "-of-" + each.get(1), VALUE, config, of(Schema.STRING_SCHEMA, each.get(1)));
    }
    for (long ms : List.of(-62_135_596_800_000L, 253_402_300_799_999L, -1L, 951_782_400_000L)) {
      out.transform("edges/" + ms + "-to-string", VALUE, config("target.type", "string", "format", ISO), of(TIMESTAMP, date(ms)));
      out.transform("edges/" + ms + "-to-date", VALUE, config("target.type", "Date"), of(TIMESTAMP, date(ms)));
      out.transform("edges/" + ms + "-to-time", VALUE, config("target.type", "Time"), of(TIMESTAMP, date(ms)));
    }
    settings(out);
  }

  private static void fields(Vectors out) {
    Map<String, String> micros = config("field", "ts", "target.type", "Timestamp", "unix.precision", "microseconds");
    Schema schema = SchemaBuilder.struct().name("shop.Event").version(2).doc("An event").field("id", Schema.INT32_SCHEMA)
        .field("ts", Schema.OPTIONAL_INT64_SCHEMA).field("other", SchemaBuilder.int64().optional().defaultValue(9L).build()).build();
    for (Long value : new Long[] {1_731_508_712_229_224L, 1_488_406_838_008_123L, -1L, null}) {
      out.transform("fields/micros-" + value, VALUE, micros, of(struct(schema, "id", 1, "ts", value)));
      out.transform("fields/schemaless-micros-" + value, VALUE, micros, of(null, map("id", 1, "ts", value)));
    }
    out.transform("fields/schemaless-missing", VALUE, micros, of(null, map("id", 1)));
    out.transform("fields/missing", VALUE, micros, of(struct(Data.fields("id", Schema.INT32_SCHEMA).build(), "id", 1)));
    out.transform("fields/other-default-kept", VALUE, with(micros, "replace.null.with.default", "false"), of(struct(schema, "id", 1)));
    Schema defaulted = SchemaBuilder.struct().field("ts", SchemaBuilder.int64().optional().defaultValue(INSTANT).build()).build();
    out.transform("fields/default-taken", VALUE, config("field", "ts", "target.type", "Timestamp"), of(struct(defaulted)));
    out.transform("fields/default-not-taken", VALUE, config("field", "ts", "target.type", "Timestamp", "replace.null.with.default", "false"),
        of(struct(defaulted)));
    out.transform("fields/to-string", VALUE, config("field", "ts", "target.type", "string", "format", "yyyy"), of(struct(schema, "id", 1, "ts", INSTANT)));
    out.transform("fields/to-date", VALUE, config("field", "ts", "target.type", "Date"), of(struct(schema, "id", 1, "ts", INSTANT)));
    out.transform("fields/of-the-key", "TimestampConverter$Key", config("field", "ts", "target.type", "unix"),
        ofKey(null, map("ts", date(INSTANT))));
    out.transform("fields/dotted-name", VALUE, config("field", "a.ts", "target.type", "Timestamp"), of(null, map("a", map("ts", 1L))));
    out.transform("fields/name-with-a-dot", VALUE, config("field", "a.ts", "target.type", "Timestamp"), of(null, map("a.ts", 1L)));
    out.transform("fields/value-is-no-struct", VALUE, micros, of(Schema.INT64_SCHEMA, 5L));
    out.transform("fields/value-is-no-map", VALUE, micros, of(null, 5L));
    Schema optional = SchemaBuilder.struct().optional().field("ts", Schema.INT64_SCHEMA).build();
    out.transform("fields/optional-struct", VALUE, config("field", "ts", "target.type", "Timestamp"), of(struct(optional, "ts", 1L)));
    out.transform("fields/null-struct", VALUE, config("field", "ts", "target.type", "Timestamp"), of(optional, null));
    out.transform("fields/null-string", VALUE, config("field", "ts", "target.type", "Timestamp", "format", "yyyy"), of(null, map("ts", null)));
    Schema withDefault = withDefault(Data.fields("ts", Schema.INT64_SCHEMA), "ts", 5L);
    out.transform("fields/struct-with-default", VALUE, config("field", "ts", "target.type", "Timestamp"), of(struct(withDefault, "ts", 1L)));
    for (String target : TARGETS) {
      Map<String, String> config = config("target.type", target, "format", ISO);
      out.transform("tombstone-to-" + target, VALUE, config, of(null, null));
      out.transform("null-int64-to-" + target, VALUE, config, of(Schema.OPTIONAL_INT64_SCHEMA, null));
      out.transform("null-key-to-" + target, "TimestampConverter$Key", config, ofKey(null, null));
      out.transform("key-to-" + target, "TimestampConverter$Key", config, ofKey(Schema.INT64_SCHEMA, INSTANT));
    }
    Schema docs = Timestamp.builder().doc("When").parameter("a", "b").defaultValue(date(5)).build();
    out.transform("whole/doc-and-default", VALUE, config("target.type", "unix"), of(docs, date(6)));
  }

  private static void settings(Vectors out) {
    var record = of(TIMESTAMP, date(INSTANT));
    out.transform("settings/none", VALUE, config(), record);
    for (String target : List.of("STRING", "timestamp", "date", "", "int64")) {
      out.transform("settings/target-" + target, VALUE, config("target.type", target, "format", "yyyy"), record);
    }
    for (String precision : List.of("", "millis", "SECONDS", "minutes")) {
      out.transform("settings/precision-" + precision, VALUE, config("target.type", "unix", "unix.precision", precision), record);
    }
    for (String format : List.of("bad-format", "yyyy-MM-dd'T", "b", "qq", "yyyy-MM-ddTHH:mm", " ")) {
      out.transform("settings/format-" + format, VALUE, config("target.type", "string", "format", format), record);
    }
    out.transform("settings/string-without-format", VALUE, config("target.type", "string"), record);
    out.transform("settings/string-read-without-format", VALUE, config("target.type", "unix"), of(Schema.STRING_SCHEMA, "2024"));
    out.transform("settings/bad-format-unused", VALUE, config("target.type", "unix", "format", "bad-format"), record);
  }

  static void routers(Vectors out) {
    Input at = record().value(Schema.STRING_SCHEMA, "v").timestamp(INSTANT);
    out.transform("defaults", ROUTER, config(), at.source());
    List<List<String>> formats = List.of(List.of("${topic}", "yyyy"), List.of("${timestamp}", "yyyyMMddHH"), List.of("${timestamp}-${topic}", "yyyy-MM"),
        List.of("fixed", "yyyy"), List.of("${topic}_${topic}", "yyyy"), List.of("${TOPIC}-${timestamp}", "yyyy"), List.of("${topic}-${timestamp}", "HH-mm"),
        List.of("a$b-${timestamp}", "yyyy"), List.of("${topic}", "bad-format"), List.of("", "yyyy"), List.of("${topic}-${timestamp}", ""),
        List.of("${topic}-${timestamp}", "YYYY-ww"), List.of("${topic}-${timestamp}", "yyyy.MM.dd"), List.of("${topic}-${timestamp}", "D"),
        List.of("${unknown}-${topic}", "yyyy"), List.of("\\${topic}", "yyyy"), List.of("${topic}-${timestamp}", "'week'w"));
    for (List<String> each : formats) {
      out.transform(each.get(0) + "/" + each.get(1), ROUTER, config("topic.format", each.get(0), "timestamp.format", each.get(1)), at.source());
      out.transform("sink/" + each.get(0) + "/" + each.get(1), ROUTER, config("topic.format", each.get(0), "timestamp.format", each.get(1)), at.sink(3, 9));
    }
    for (long ms : List.of(0L, -1L, DAY - 1, 1_704_067_199_999L, 1_735_516_800_000L, 253_402_300_799_999L)) {
      out.transform("at-" + ms, ROUTER, config(), record().value(null, "v").timestamp(ms).source());
    }
    out.transform("no-timestamp", ROUTER, config(), of(Schema.STRING_SCHEMA, "v"));
    out.transform("tombstone", ROUTER, config(), record().timestamp(INSTANT).source());
    out.transform("sink-record", ROUTER, config(), at.sink(3, 7));
    out.transform("topic-with-a-dollar", ROUTER, config(), record().topic("a$1").timestamp(INSTANT).source());
    out.transform("topic-that-names-the-timestamp", ROUTER, config(), record().topic("${timestamp}").timestamp(INSTANT).source());
    out.transform("keeps-key-and-headers", ROUTER, config(), record().key(null, "k").value(null, 1).timestamp(1L).header("h", null, "x").source());
  }
}
