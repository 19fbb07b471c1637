package sluice.vectors;

import static sluice.vectors.Data.*;

import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import sluice.vectors.Data.Sample;

/** HeaderFrom, InsertHeader, DropHeaders, RegexRouter, Filter and the predicates. */
final class HeaderVectors {
  private static final Schema COUNT = SchemaBuilder.int32().optional().defaultValue(7).build();

  private HeaderVectors() {}

  static void headerFrom(Vectors out) {
    String value = "HeaderFrom$Value";
    for (Sample each : Samples.EACH_TYPE) {
      Object row = struct(Data.fields("f", each.schema(), "o", Schema.INT32_SCHEMA).build(), "f", each.value(), "o", 1);
      for (String operation : List.of("move", "copy")) {
        out.transform("types/" + each.name() + "-" + operation, value, config("fields", "f", "headers", "h", "operation", operation),
            of(((org.apache.kafka.connect.data.Struct) row)));
      }
    }
    for (Sample each : Samples.EACH_CLASS) {
      for (String operation : List.of("move", "copy")) {
        out.transform("classes/" + each.name() + "-" + operation, value, config("fields", "f", "headers", "h", "operation", operation),
            of(null, map("f", each.value(), "o", 1)));
      }
    }
    Schema schema = SchemaBuilder.struct().name("shop.Order").version(3).doc("An order").field("a", Schema.OPTIONAL_STRING_SCHEMA)
        .field("b", Schema.INT32_SCHEMA).field("count", COUNT).build();
    Map<String, String> copy = config("fields", "a,b", "headers", "x,y", "operation", "copy");
    Map<String, String> move = with(copy, "operation", "move");
    for (Map<String, String> config : List.of(copy, move)) {
      String name = config.get("operation");
      out.transform("several/" + name, value, config, of(struct(schema, "a", "1", "b", 2)));
      out.transform("several/" + name + "-null", value, config, of(struct(schema, "b", 2)));
      out.transform("several/" + name + "-schemaless", value, config, of(null, map("a", "1", "b", null, "c", 3)));
      out.transform("several/" + name + "-schemaless-missing", value, config, of(null, map("c", 3)));
      out.transform("several/" + name + "-behind-others", value, config,
          record().value(struct(schema, "a", "1", "b", 2)).header("x", Schema.STRING_SCHEMA, "old").header("z", null, 1).source());
      out.transform("same-header/" + name, value, with(config, "headers", "x,x"), of(struct(schema, "a", "1", "b", 2)));
      out.transform("same-field/" + name, value, with(config, "fields", "a,a"), of(struct(schema, "a", "1", "b", 2)));
      out.transform("default-taken/" + name, value, with(config, "fields", "count", "headers", "c"), of(struct(schema, "b", 2)));
      out.transform("default-not-taken/" + name, value, with(config, "fields", "count", "headers", "c", "replace.null.with.default", "false"),
          of(struct(schema, "b", 2)));
      out.transform("missing/" + name, value, with(config, "fields", "a,zzz"), of(struct(schema, "a", "1", "b", 2)));
      out.transform("optional-struct/" + name, value, with(config, "fields", "a", "headers", "x"),
          of(struct(SchemaBuilder.struct().optional().field("a", Schema.INT32_SCHEMA).build(), "a", 1)));
      out.transform("dotted/" + name, value, with(config, "fields", "a.b", "headers", "x"), of(null, map("a", map("b", 1), "a.b", 2)));
      out.transform("key/" + name, "HeaderFrom$Key", with(config, "fields", "a", "headers", "x"), ofKey(null, map("a", 1, "b", 2)));
      out.transform("key-null/" + name, "HeaderFrom$Key", with(config, "fields", "a", "headers", "x"), ofKey(null, null));
    }
    FieldVectors.wrongValues(out, value, config("fields", "id", "headers", "h", "operation", "copy"));
    for (Map<String, String> config : List.of(config(), config("fields", "a"), config("fields", "a", "headers", "x"), with(copy, "operation", "drop"),
        with(copy, "operation", "MOVE"), with(copy, "headers", "x"), with(copy, "fields", ""), with(copy, "headers", ""), with(copy, "operation", ""),
        with(copy, "headers", " x , y "))) {
      out.transform("settings/" + config, value, config, of(null, map("a", "1", "b", 2)));
    }
  }

  static void insertHeader(Vectors out) {
    for (String literal : LiteralVectors.SOME) {
      out.transform("literals/" + literal, "InsertHeader", config("header", "h", "value.literal", literal), of(null, "v"));
    }
    Input input = record().key(null, "k").value(Schema.STRING_SCHEMA, "v").timestamp(5L).header("h", Schema.STRING_SCHEMA, "old").header("g", null, null);
    out.transform("behind-others", "InsertHeader", config("header", "h", "value.literal", "new"), input.source());
    out.transform("sink-record", "InsertHeader", config("header", "h", "value.literal", "new"), input.sink(1, 2));
    out.transform("tombstone", "InsertHeader", config("header", "h", "value.literal", "x"), of(null, null));
    for (Map<String, String> config : List.of(config(), config("header", "h"), config("value.literal", "x"), config("header", "", "value.literal", "x"),
        config("header", " h ", "value.literal", " x "))) {
      out.transform("settings/" + config, "InsertHeader", config, of(null, "v"));
    }
  }

  static void dropHeaders(Vectors out) {
    Input input = record().value(null, "v").header("a", Schema.STRING_SCHEMA, "1").header("b", Schema.BYTES_SCHEMA, bytes(0, 1)).header("a", null, null)
        .header("c", Schema.INT32_SCHEMA, 5).header("A", Schema.STRING_SCHEMA, "capital");
    for (String headers : List.of("a", "b", "a,b,c,A", "nothing", "A", "a, b", "", ",", "a,a", "a,,b", "*", "a.*")) {
      out.transform(headers, "DropHeaders", config("headers", headers), input.source());
    }
    out.transform("sink-record", "DropHeaders", config("headers", "a"), input.sink(1, 2));
    out.transform("no-headers", "DropHeaders", config("headers", "a"), of(null, "v"));
    out.transform("tombstone", "DropHeaders", config("headers", "a"), record().header("a", null, 1).source());
    out.transform("settings/none", "DropHeaders", config(), input.source());
  }

  static void regexRouter(Vectors out) {
    List<List<String>> cases = List.of(List.of("orders", "x"), List.of("(.*)", "$1-copy"), List.of("ord(.*)", "$1"), List.of("(o)(r)(.*)", "$3$2$1"),
        List.of("rde", "x"), List.of("o.*s", "x"), List.of("ORDERS", "x"), List.of("(?i)ORDERS", "x"), List.of("(?<n>or).*", "${n}-x"), List.of(".*", "$0-$0"),
        List.of("(orders)", "$2"), List.of("(orders)", "\\$1"), List.of("(orders)", "a\\b"), List.of("(orders)", "$"), List.of("(orders)", "${none}"),
        List.of("(orders)", "$10"), List.of("(o|x)rders", "$1"), List.of("(x)?orders", "[$1]"), List.of("orders$", "x"), List.of("^orders$", "x"),
        List.of("", "x"), List.of("orders", ""), List.of("[a-z]+", "x"), List.of("\\w+", "x"), List.of("\\p{Lower}+", "x"), List.of("\\p{L}+", "x"),
        List.of("[[a-z]&&[^x]]+", "x"), List.of("o++rders", "x"), List.of("(?>ord)ers", "x"), List.of("\\Qorders\\E", "x"), List.of("or\\x64ers", "x"),
        List.of("(?x) orders # a comment", "x"), List.of("(?s).*", "x"), List.of("(?<=x)orders|orders", "x"), List.of("orders\\z", "x"), List.of("\\Aorders\\Z", "x"),
        List.of("o{1}rders", "x"), List.of("o{1,2}r.*", "x"), List.of("(unclosed", "x"), List.of("[a", "x"), List.of("*", "x"), List.of("a{2,1}", "x"),
        List.of("\\", "x"), List.of("\\h*orders", "x"), List.of("\\R?orders", "x"), List.of("(?-i)orders", "x"), List.of("\\k<n>", "x"), List.of("(o)\\1?rders", "$1"));
    for (List<String> each : cases) {
      out.transform(each.get(0) + " to " + each.get(1), "RegexRouter", config("regex", each.get(0), "replacement", each.get(1)), of(null, "v"));
    }
    for (String topic : List.of("dbserver1.inventory.customers", "a-1", "%RETRY%g", "UPPER", "with_underscore")) {
      out.transform("topics/" + topic, "RegexRouter", config("regex", "(.*)[._-](.*)", "replacement", "$2_$1"), record().topic(topic).value(null, 1).source());
    }
    for (List<String> each : List.of(List.of("(orders)", "shop.$1"), List.of("(x)?orders", "[$1]"), List.of("orders", ""), List.of("(orders)", "\\$1"))) {
      out.transform("sink/" + each.get(0) + " to " + each.get(1), "RegexRouter", config("regex", each.get(0), "replacement", each.get(1)),
          record().value(null, 1).sink(3, 9));
    }
    out.transform("tombstone", "RegexRouter", config("regex", "(.*)", "replacement", "$1-x"), of(null, null));
    out.transform("keeps-the-rest", "RegexRouter", config("regex", "(.*)", "replacement", "$1-x"),
        record().key(Schema.STRING_SCHEMA, "k").value(Schema.STRING_SCHEMA, "v").timestamp(5L).header("h", null, 1).sink(3, 9));
    for (Map<String, String> config : List.of(config(), config("regex", "a"), config("replacement", "a"))) {
      out.transform("settings/" + config, "RegexRouter", config, of(null, "v"));
    }
  }

  static void filter(Vectors out) {
    out.transform("value", "Filter", config(), of(Schema.STRING_SCHEMA, "v"));
    out.transform("tombstone", "Filter", config(), of(null, null));
    out.transform("sink-record", "Filter", config(), record().value(null, 1).sink(0, 0));
    out.transform("settings/unknown", "Filter", config("condition", "x"), of(null, 1));
  }

  static void predicates(Vectors out) {
    Input headers = record().value(null, 1).header("a", Schema.STRING_SCHEMA, "1").header("b", null, null).header("a", null, 2);
    for (String name : List.of("a", "b", "c", "A", "", " a ", "a.*")) {
      out.predicate(name, "HasHeaderKey", config("name", name), headers.source());
    }
    out.predicate("no-headers", "HasHeaderKey", config("name", "a"), of(null, 1));
    out.predicate("tombstone", "HasHeaderKey", config("name", "a"), record().header("a", null, 1).source());
    out.predicate("settings/none", "HasHeaderKey", config(), headers.source());
    out.predicate("value", "RecordIsTombstone", config(), of(Schema.STRING_SCHEMA, "v"));
    out.predicate("null", "RecordIsTombstone", config(), of(null, null));
    out.predicate("null-with-schema", "RecordIsTombstone", config(), of(Schema.OPTIONAL_STRING_SCHEMA, null));
    out.predicate("null-key", "RecordIsTombstone", config(), ofKey(null, null));
    out.predicate("empty-text", "RecordIsTombstone", config(), of(null, ""));
    out.predicate("empty-bytes", "RecordIsTombstone", config(), of(Schema.BYTES_SCHEMA, bytes()));
    out.predicate("null-with-default", "RecordIsTombstone", config(), of(COUNT, null));
    for (String pattern : List.of("orders", "ord", ".*", "ord.*", "ORDERS", "(?i)ORDERS", "orders|x", "x|orders", "^orders$", "rders", "[a-z]+", "\\w{6}", "",
        "(unclosed", "*", "[a-z&&[^o]]+", "\\p{Lower}+", "o++rders", "\\Qorders\\E", "orders\\z", " orders ")) {
      out.predicate(pattern, "TopicNameMatches", config("pattern", pattern), of(null, 1));
    }
    out.predicate("with-a-dot", "TopicNameMatches", config("pattern", "a.b"), record().topic("a.b").source());
    out.predicate("settings/none", "TopicNameMatches", config(), of(null, 1));
  }
}
