package sluice.vectors;

import static sluice.vectors.Data.*;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;

/** Transforms and predicates as the configuration of a connector names them: their order, conditions, and what is wrong. */
final class ChainVectors {
  private static final String T = "org.apache.kafka.connect.transforms.";
  private static final Map<String, String> A = config("transforms.a.type", T + "RegexRouter", "transforms.a.regex", "(.*)", "transforms.a.replacement", "$1-a");
  private static final Map<String, String> B = config("transforms.b.type", T + "RegexRouter", "transforms.b.regex", "(.*)", "transforms.b.replacement", "$1-b");
  private static final Map<String, String> TOMBSTONE = config("predicates", "p", "predicates.p.type", T + "predicates.RecordIsTombstone");

  private ChainVectors() {}

  static void add(Vectors out) {
    Map<String, String> both = with(A, B.entrySet().stream().flatMap(each -> List.of(each.getKey(), each.getValue()).stream()).toArray(String[]::new));
    var value = of(Schema.STRING_SCHEMA, "v");
    var tombstone = of(null, null);
    for (String transforms : List.of("a,b", "b,a", " a , b ", "a", "", " ", "a,a", "a,,b", ",a", "a,b,a", "a b", "A,b")) {
      out.chain("order/" + transforms, with(both, "transforms", transforms), value);
    }
    out.chain("order/none", config(), value);
    Map<String, String> conditional = with(with(A, "transforms", "a", "transforms.a.predicate", "p"), "predicates", "p", "predicates.p.type",
        T + "predicates.RecordIsTombstone");
    for (String negate : new String[] {null, "true", "false", "TRUE", "yes", "", " true "}) {
      Map<String, String> config = negate == null ? conditional : with(conditional, "transforms.a.negate", negate);
      out.chain("negate/" + negate + "/value", config, value);
      out.chain("negate/" + negate + "/tombstone", config, tombstone);
    }
    out.chain("negate/without-predicate", with(A, "transforms", "a", "transforms.a.negate", "true"), value);
    out.chain("negate/false-without-predicate", with(A, "transforms", "a", "transforms.a.negate", "false"), value);
    out.chain("predicates/undefined", with(A, "transforms", "a", "transforms.a.predicate", "q"), value);
    out.chain("predicates/not-listed", with(conditional, "predicates", ""), value);
    out.chain("predicates/empty-name", with(conditional, "transforms.a.predicate", ""), value);
    out.chain("predicates/twice", with(conditional, "predicates", "p,p"), value);
    out.chain("predicates/unused", with(with(A, "transforms", "a"), "predicates", "p", "predicates.p.type", T + "predicates.RecordIsTombstone"), value);
    out.chain("predicates/wrong-and-unused", with(with(A, "transforms", "a"), "predicates", "p", "predicates.p.type", "none"), value);
    out.chain("predicates/without-type", with(conditional, "predicates", "p,q", "transforms.a.predicate", "q"), value);
    out.chain("predicates/with-the-alias-of-a-transform", with(with(A, "transforms", "a", "transforms.a.predicate", "a"), "predicates", "a",
        "predicates.a.type", T + "predicates.TopicNameMatches", "predicates.a.pattern", "orders"), value);
    out.chain("predicates/missing-setting", with(conditional, "predicates.p.type", T + "predicates.HasHeaderKey"), value);
    out.chain("predicates/wrong-pattern", with(conditional, "predicates.p.type", T + "predicates.TopicNameMatches", "predicates.p.pattern", "("), value);
    out.chain("predicates/shared", with(with(both, "transforms", "a,b", "transforms.a.predicate", "p", "transforms.b.predicate", "p", "transforms.b.negate", "true"),
        "predicates", "p", "predicates.p.type", T + "predicates.RecordIsTombstone"), value);
    out.chain("predicates/see-what-came-before", with(with(both, "transforms", "a,b", "transforms.b.predicate", "p"), "predicates", "p", "predicates.p.type",
        T + "predicates.TopicNameMatches", "predicates.p.pattern", "orders-a"), value);
    out.chain("predicates/as-a-transform", config("transforms", "a", "transforms.a.type", T + "predicates.RecordIsTombstone"), value);
    out.chain("types/missing", config("transforms", "a"), value);
    out.chain("types/unknown", config("transforms", "a", "transforms.a.type", T + "Nothing"), value);
    out.chain("types/empty", config("transforms", "a", "transforms.a.type", ""), value);
    out.chain("types/abstract", config("transforms", "a", "transforms.a.type", T + "Cast", "transforms.a.spec", "string"), value);
    out.chain("types/last-part", config("transforms", "a", "transforms.a.type", "Filter"), value);
    out.chain("types/last-part-of-a-nested-class", config("transforms", "a", "transforms.a.type", "HoistField$Value", "transforms.a.field", "f"), value);
    out.chain("types/blanks-around", with(A, "transforms", "a", "transforms.a.type", " " + T + "RegexRouter "), value);
    out.chain("aliases/with-a-dot", config("transforms", "a.b", "transforms.a.b.type", T + "HoistField$Value", "transforms.a.b.field", "f"), value);
    out.chain("aliases/of-others", with(both, "transforms", "a"), value);
    out.chain("aliases/missing-setting", config("transforms", "a", "transforms.a.type", T + "HoistField$Value"), value);
    out.chain("drops/then-fails", config("transforms", "a,b", "transforms.a.type", T + "Filter", "transforms.b.type", T + "ExtractField$Value", "transforms.b.field", "x"), value);
    out.chain("drops/fails-before", config("transforms", "b,a", "transforms.a.type", T + "Filter", "transforms.b.type", T + "ExtractField$Value", "transforms.b.field", "x"), value);
    out.chain("drops/tombstones", with(TOMBSTONE, "transforms", "a", "transforms.a.type", T + "Filter", "transforms.a.predicate", "p"), tombstone);
    out.chain("drops/not-values", with(TOMBSTONE, "transforms", "a", "transforms.a.type", T + "Filter", "transforms.a.predicate", "p"), value);
    out.chain("several/hoist-insert-cast", config("transforms", "h,i,c", "transforms.h.type", T + "HoistField$Value", "transforms.h.field", "v",
        "transforms.i.type", T + "InsertField$Value", "transforms.i.static.field", "s", "transforms.i.static.value", "5", "transforms.c.type", T + "Cast$Value",
        "transforms.c.spec", "s:int32"), value);
    out.chain("several/value-to-key-and-extract", config("transforms", "k,e", "transforms.k.type", T + "ValueToKey", "transforms.k.fields", "id",
        "transforms.e.type", T + "ExtractField$Key", "transforms.e.field", "id"), of(null, map("id", 5L, "name", "x")));
    tombstones(out);
  }

  /** A tombstone with a key and a header through each transform of values. */
  private static void tombstones(Vectors out) {
    List<Map<String, String>> each = new ArrayList<>();
    each.add(config("type", "Cast$Value", "spec", "string"));
    each.add(config("type", "DropHeaders", "headers", "h"));
    each.add(config("type", "ExtractField$Value", "field", "a"));
    each.add(config("type", "Filter"));
    each.add(config("type", "Flatten$Value"));
    each.add(config("type", "HeaderFrom$Value", "fields", "a", "headers", "x", "operation", "move"));
    each.add(config("type", "HoistField$Value", "field", "a"));
    each.add(config("type", "InsertField$Value", "static.field", "a", "static.value", "x"));
    each.add(config("type", "InsertHeader", "header", "x", "value.literal", "1"));
    each.add(config("type", "MaskField$Value", "fields", "a"));
    each.add(config("type", "RegexRouter", "regex", "orders", "replacement", "x"));
    each.add(config("type", "ReplaceField$Value", "exclude", "a"));
    each.add(config("type", "SetSchemaMetadata$Value", "schema.name", "n"));
    each.add(config("type", "TimestampConverter$Value", "target.type", "unix"));
    each.add(config("type", "TimestampRouter"));
    each.add(config("type", "ValueToKey", "fields", "a"));
    for (Map<String, String> one : each) {
      Map<String, String> config = config("transforms", "t");
      one.forEach((name, setting) -> config.put("transforms.t." + name, name.equals("type") ? T + setting : setting));
      Input input = record().key(Schema.STRING_SCHEMA, "k").timestamp(INSTANT).header("h", Schema.STRING_SCHEMA, "v");
      out.chain("tombstones/" + one.get("type"), config, input.sink(1, 2));
      out.chain("tombstones/with-schema/" + one.get("type"), config, input.value(Data.fields("a", Schema.OPTIONAL_INT64_SCHEMA).optional().build(), null).sink(1, 2));
    }
  }
}
