package sluice.vectors;

import static sluice.vectors.Data.*;

import java.math.BigInteger;
import java.util.List;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import sluice.vectors.Data.Sample;

/** SimpleHeaderConverter: what texts of headers are read as, and how values of headers are written. */
final class LiteralVectors {
  private static final String CONVERTER = "storage.SimpleHeaderConverter";

  /** Literals that InsertHeader takes as well. */
  static final List<String> SOME = List.of("text", "", " ", "0", "1", "-1", "+5", "127", "128", "-129", "32768", "2147483647", "2147483648",
      "9223372036854775807", "9223372036854775808", "0012", "1e3", "1.0", "1.5", "1.50", "0.1", "-0.0", "true", "false", "TRUE", "null", "NULL", "NaN",
      "2024-11-13", "14:38:32.229Z", "2024-11-13T14:38:32.229Z", "[1,2,3]", "[1,\"a\"]", "{\"a\":1}", "{}", "[]", "\"quoted\"", "a,b", "a:b", "{broken");

  private static final List<String> NUMBERS = List.of("00", "-0", "+0", "007", "1_000", "1,000", "1 000", "12a", "a12", "0x1F", "1L", "1f", "1d", ".5", "5.",
      "-.5", "+.5", "--1", "+-1", "1e", "1e400", "1E-400", "1e-3", "-1e3", "1E+3", "1e19", "1e18", "100.0", "1.00", "0.0", "0.00", "3.4028235E38", "3.5E38",
      "1e39", "1e38", "1.7976931348623157E308", "1.8e308", "-9223372036854775808", "-9223372036854775809", "18446744073709551616",
      "123456789012345678901234567890", "123456789.123456789", "0.123456789012345678901", "16777217.5", "0.30000001192092896", "1e5", "1.5e1", "15e-1",
      "12345678901234567890.5", "-128", "-32768", "-32769", "-2147483648", "-2147483649", "1.", "\u0661\u0662", "\u00bd", "Infinity", "-Infinity", "0b1", "1e1000000000");

  private static final List<String> TEXTS = List.of("a", "null ", " null", "nullable", "true ", " true", "True", "trueish", "true}", "false]", "yes", " text ", "\t", "\n",
      "a\nb", "\u00fc\u4e2d\ud83d\ude00", "\\", "\\\"", "a\\b", "\"", "\"a", "a\"", "\"a\"b", "\"\"", "'a'", "a=b", ":", ",", "::", "a:1", "user@host", "$", "%", "/path/to",
      "http://host:80/x?y=z", "550e8400-e29b-41d4-a716-446655440000", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "1.2.3", "v1.2", "10.0.0.1",
      "text/plain; charset=utf-8", "a b c", "{", "}", "[", "]", "{}x", "[]x", "x[]", "<xml/>", "undefined", "-", "+", "1-2", "2024", "1/2", "5%", "\u0000");

  private static final List<String> TIMES = List.of("2024-1-1", "2024-13-01", "2024-02-30", "0000-00-00", "9999-12-31", "2024-11-13T", "2024-11-13 14:38:32",
      "2024-11-13T14:38:32Z", "2024-11-13T14:38:32.229", "2024-11-13T14:38:32.229+02:00", "2024-11-13T25:61:61.229Z", "14:38:32", "14:38", "25:00:00.000Z",
      "14:38:32.2290Z", "14\\:38\\:32.229Z", "2024-11-13T14\\:38\\:32.229Z", "1969-12-31", "1969-12-31T23:59:59.999Z", "00:00:00.000Z", "23:59:59.999Z",
      "2024/11/13", "13-11-2024", "20241113", "1234-567-89", "2024-11-13x", "\"2024-11-13\"", "12345-01-01", "2024-11-1a", "24:00:00.000Z");

  private static final List<String> LISTS = List.of("[1]", "[1, 2]", " [1,2] ", "[ ]", "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1", "1]", "[1]]", "[[1],[2]]", "[[1],[\"a\"]]",
      "[null]", "[null,null]", "[1,null]", "[null,1]", "[1,300]", "[1,300,70000]", "[1,70000,9999999999]", "[1,1.5]", "[1.5,1]", "[1.5,1e300]", "[9999999999,1.5]",
      "[true,false]", "[true,1]", "[\"a\",\"b\"]", "[a,b]", "[a]", "[\"a\",1]", "[\"1\",\"2\"]", "[\"a\\\"b\"]", "[\"a,b\"]", "[\"a:b\"]", "[\"a\", null]",
      "[{\"a\":1}]", "[{\"a\":1},{\"b\":2}]", "[2024-11-13]", "[\"2024-11-13\"]", "[\"2024-11-13\",\"2024-11-14\"]", "[\"2024-11-13\",\"x\"]",
      "[14:38:32.229Z]", "[0.5]", "[1e19]", "[9223372036854775808]", "[9223372036854775808,1]", "[[]]", "[{}]", "[1,2,3]x", "[\"\"]", "[ \"a\" , \"b\" ]", "[-1,+2]",
      "[[1,2],[3]]", "[[1],[300]]", "[[null],[1]]", "[true]", "[TRUE]", "[\"a]\"]", "[\"[\"]", "[a:b]", "[\"\u00fc\"]", "[1.0,2.5]");

  private static final List<String> MAPS = List.of("{\"a\":1}", "{\"a\":1,\"b\":2}", " { \"a\" : 1 } ", "{\"a\":1,}", "{,\"a\":1}", "{\"a\":1,,\"b\":2}", "{\"a\"}", "{\"a\":}",
      "{\"a\"", "{\"a\":1", "{:1}", "{\"a\":1}}", "{a:1}", "{\"a\":b}", "{1:2}", "{1:\"a\"}", "{1:1,300:2}", "{1.5:1}", "{true:1}", "{null:1}", "{\"a\":null}",
      "{\"a\":null,\"b\":1}", "{\"a\":null,\"b\":null}", "{\"a\":1,\"b\":300}", "{\"a\":1,\"b\":1.5}", "{\"a\":1,\"b\":\"x\"}", "{\"a\":1,1:2}", "{\"a\":[1]}", "{\"a\":[]}",
      "{\"a\":{\"b\":1}}", "{\"a\":{}}", "{\"a\":1 \"b\":2}", "{\"a\":\"x\",\"a\":\"y\"}", "{\"a\":true}", "{\"a\":2024-11-13}", "{\"a\":\"2024-11-13\"}",
      "{\"2024-11-13\":1}", "{\"a\":\"b:c\"}", "{\"a:b\":1}", "{\"\":1}", "{\"a\":\"\"}", "{\"a\":1}x", "{\"a\":\"x\",\"b\":[1,{\"c\":2}]}",
      "{\"id\":5,\"name\":\"x\"}", "{\"a\":\"x\",\"b\":\"y\"}", "{\"a\"::1}", "{\"a\":1;\"b\":2}", "{\"a\\\"b\":1}", "{1:{2:3}}", "{[1]:2}");

  private LiteralVectors() {}

  static void add(Vectors out) {
    for (List<String> texts : List.of(SOME, NUMBERS, TEXTS, TIMES, LISTS, MAPS)) {
      String family = texts == SOME ? "some" : texts == NUMBERS ? "numbers" : texts == TEXTS ? "texts" : texts == TIMES ? "times" : texts == LISTS ? "lists" : "maps";
      for (String text : texts) out.readHeader("read/" + family + "/" + text, CONVERTER, config(), utf8(text));
    }
    out.readHeader("read/null", CONVERTER, config(), null);
    out.readHeader("read/bytes/not-utf8", CONVERTER, config(), bytes(0xff, 0xfe, 0));
    out.readHeader("read/bytes/half-a-character", CONVERTER, config(), bytes(0x61, 0xe4, 0xb8));
    out.readHeader("read/bytes/of-an-int32", CONVERTER, config(), bytes(0, 0, 0, 5));
    out.readHeader("read/bytes/mark-of-byte-order", CONVERTER, config(), bytes(0xef, 0xbb, 0xbf, 0x31));
    write(out);
  }

  private static void write(Vectors out) {
    for (Sample each : Samples.EACH_TYPE) {
      out.writeHeader("write/" + each.name(), CONVERTER, config(), each.schema(), each.value());
    }
    for (Sample each : Samples.EACH_CLASS) out.writeHeader("write/classes/" + each.name(), CONVERTER, config(), null, each.value());
    out.writeHeader("write/null", CONVERTER, config(), null, null);
    out.writeHeader("write/null-with-schema", CONVERTER, config(), Schema.OPTIONAL_STRING_SCHEMA, null);
    for (String text : List.of("", "a", "1", "true", "null", "[1]", "a\"b", "a\\b", "{\"a\":1}", "\u00fc\u4e2d", " a ", "2024-11-13")) {
      out.writeHeader("write/texts/" + text, CONVERTER, config(), Schema.STRING_SCHEMA, text);
    }
    for (double number : List.of(0.0, -0.0, 1.0, 1.5, 0.1, 1e7, 1e-3, 1e-4, 123456789.0, 1e21, Double.NaN, Double.NEGATIVE_INFINITY, Double.MIN_VALUE)) {
      out.writeHeader("write/float64/" + number, CONVERTER, config(), Schema.FLOAT64_SCHEMA, number);
    }
    for (float number : List.of(0.1f, 1.0f, 16777216f, 1e-5f, 3.4028235E38f)) {
      out.writeHeader("write/float32/" + number, CONVERTER, config(), Schema.FLOAT32_SCHEMA, number);
    }
    for (long ms : List.of(0L, 1L, DAY - 1, DAY, DAY * 3 + 5, -1L, INSTANT)) {
      out.writeHeader("write/timestamp/" + ms, CONVERTER, config(), TIMESTAMP, date(ms));
    }
    for (String number : List.of("0", "1.50", "1E+3", "0.0000001", "-12345678901234567890.123")) {
      out.writeHeader("write/decimal/" + number, CONVERTER, config(), decimal(big(number).scale()), big(number));
    }
    out.writeHeader("write/lists/numbers", CONVERTER, config(), SchemaBuilder.array(Schema.INT8_SCHEMA).build(), list((byte) 1, (byte) 2));
    out.writeHeader("write/lists/texts", CONVERTER, config(), SchemaBuilder.array(Schema.STRING_SCHEMA).build(), list("a", "b\"c", "d\\e", ""));
    out.writeHeader("write/lists/mixed", CONVERTER, config(), null, list("a", 1, null, true, 1.5, list(2)));
    out.writeHeader("write/lists/empty", CONVERTER, config(), null, list());
    out.writeHeader("write/lists/dates", CONVERTER, config(), SchemaBuilder.array(TIMESTAMP).build(), list(date(INSTANT), date(0)));
    out.writeHeader("write/lists/bytes", CONVERTER, config(), SchemaBuilder.array(Schema.BYTES_SCHEMA).build(), list(bytes(1, 2)));
    out.writeHeader("write/maps/several", CONVERTER, config(), null, map("a", 1, "b", "x", "c", null, "d", map("e", list(1))));
    out.writeHeader("write/maps/empty", CONVERTER, config(), null, map());
    out.writeHeader("write/maps/number-keys", CONVERTER, config(), null, map(1, "x", 2, null));
    out.writeHeader("write/maps/quoted-keys", CONVERTER, config(), null, map("a\"b", 1));
    out.writeHeader("write/big-integer", CONVERTER, config(), null, new BigInteger("12345678901234567890"));
    Schema nested = Data.fields("a", Samples.ADDRESS, "l", SchemaBuilder.array(Schema.STRING_SCHEMA).build(), "n", Schema.OPTIONAL_INT32_SCHEMA).build();
    out.writeHeader("write/struct-nested", CONVERTER, config(), nested,
        struct(nested, "a", struct(Samples.ADDRESS, "street", "Elm \"1\""), "l", list("x")));
  }
}
