package sluice.vectors;

import static sluice.vectors.Data.*;

import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import sluice.vectors.Data.Sample;

/** The converters of single types: text, bytes, numbers and booleans. */
final class PrimitiveVectors {
  private static final String TEXT = "storage.StringConverter";
  private static final Map<String, Integer> NUMBERS = Map.of("Short", 2, "Integer", 4, "Long", 8, "Float", 4, "Double", 8);

  private PrimitiveVectors() {}

  static void texts(Vectors out) {
    for (Sample each : Samples.EACH_TYPE) {
      if (!each.name().equals("bytes")) out.write("write/" + each.name(), TEXT, config(), each.schema(), each.value());
    }
    for (Sample each : Samples.EACH_CLASS) {
      if (!each.name().equals("bytes")) out.write("write/classes/" + each.name(), TEXT, config(), null, each.value());
    }
    out.write("write/null", TEXT, config(), null, null);
    out.write("write/null-with-schema", TEXT, config(), Schema.OPTIONAL_STRING_SCHEMA, null);
    for (double number : List.of(1.0, 0.1, -0.0, 1e7, 1e21, 1e-7, Double.NaN, Double.POSITIVE_INFINITY, 123456.789)) {
      out.write("write/float64/" + number, TEXT, config(), Schema.FLOAT64_SCHEMA, number);
    }
    for (float number : List.of(1.0f, 0.1f, 1e10f, Float.NaN)) out.write("write/float32/" + number, TEXT, config(), Schema.FLOAT32_SCHEMA, number);
    List<String> texts = List.of("", "plain", "\u00fc", "\u4e2d\u6587", "\ud83d\ude00", "\u20ac", "a\nb", "\u0000", "\ufeffmark");
    for (String text : texts) {
      out.write("write/texts/" + text, TEXT, config(), Schema.STRING_SCHEMA, text);
      out.read("read/texts/" + text, TEXT, config(), utf8(text));
    }
    out.write("write/half-a-pair", TEXT, config(), Schema.STRING_SCHEMA, "a\ud83d");
    out.read("read/null", TEXT, config(), null);
    out.read("read/not-utf8", TEXT, config(), bytes(0x61, 0xff, 0x62));
    out.read("read/half-a-character", TEXT, config(), bytes(0xe4, 0xb8));
    for (String encoding : List.of("UTF-8", "utf8", "UTF8", "ISO-8859-1", "latin1", "US-ASCII", "ASCII", "UTF-16", "UTF-16LE", "UTF-16BE", "windows-1252",
        "Cp1252", "GBK", "GB18030", "Big5", "Shift_JIS", "EUC-JP", "EUC-KR", "KOI8-R", "ISO-8859-15", "UTF-32", "no-such", "")) {
      Map<String, String> config = config("converter.encoding", encoding);
      for (String text : List.of("abc", "\u00fc\u20ac", "\u4e2d\u6587")) {
        out.write("encodings/" + encoding + "/write-" + text, TEXT, config, Schema.STRING_SCHEMA, text);
        if (!encoding.isEmpty() && Charset.isSupported(encoding) && Charset.forName(encoding).newEncoder().canEncode(text)) {
          out.read("encodings/" + encoding + "/read-" + text, TEXT, config, text.getBytes(Charset.forName(encoding)));
        }
      }
      out.read("encodings/" + encoding + "/read-any-bytes", TEXT, config, bytes(0x80, 0xff, 0x41, 0x81));
    }
    out.write("settings/encoding-of-older-name", TEXT, config("encoding", "UTF-8"), null, "x");
  }

  static void byteArrays(Vectors out) {
    String converter = "converters.ByteArrayConverter";
    for (Sample each : Samples.EACH_TYPE) out.write("write/" + each.name(), converter, config(), each.schema(), each.value());
    for (Sample each : Samples.EACH_CLASS) out.write("write/classes/" + each.name(), converter, config(), null, each.value());
    out.write("write/null", converter, config(), null, null);
    out.write("write/null-bytes", converter, config(), Schema.OPTIONAL_BYTES_SCHEMA, null);
    out.write("write/null-text", converter, config(), Schema.OPTIONAL_STRING_SCHEMA, null);
    out.write("write/empty", converter, config(), Schema.BYTES_SCHEMA, bytes());
    out.write("write/buffer", converter, config(), Schema.BYTES_SCHEMA, ByteBuffer.wrap(bytes(1, 2)));
    out.read("read/null", converter, config(), null);
    out.read("read/empty", converter, config(), bytes());
    out.read("read/any", converter, config(), bytes(0, 255, 10));
    out.read("read/text", converter, config(), utf8("text"));
    out.read("settings/unknown", converter, config("encoding", "UTF-8"), bytes(1));
  }

  static void numbers(Vectors out) {
    for (String name : List.of("Short", "Integer", "Long", "Float", "Double")) {
      String converter = "converters." + name + "Converter";
      for (Sample each : Samples.EACH_TYPE) out.write("write/" + each.name(), converter, config(), each.schema(), each.value());
      for (Sample each : Samples.EACH_CLASS) out.write("write/classes/" + each.name(), converter, config(), null, each.value());
      out.write("write/null", converter, config(), null, null);
      out.write("write/null-with-schema", converter, config(), Schema.OPTIONAL_INT32_SCHEMA, null);
      int length = NUMBERS.get(name);
      for (int first : List.of(0, 1, 0x7f, 0x80, 0xff, 0x3f, 0xbf)) {
        byte[] bytes = new byte[length];
        bytes[0] = (byte) first;
        bytes[length - 1] = 7;
        out.read("read/first-" + first, converter, config(), bytes);
      }
      for (int wrong : List.of(0, 1, length - 1, length + 1)) {
        if (wrong != 1 || length != 2) out.read("read/length-" + wrong, converter, config(), new byte[wrong]);
      }
      byte[] ones = new byte[length];
      Arrays.fill(ones, (byte) -1);
      out.read("read/ones", converter, config(), ones);
      out.read("read/null", converter, config(), null);
      out.read("read/text", converter, config(), utf8("42"));
      out.readHeader("header/read", converter, config(), new byte[length]);
    }
    edges(out, "Short", Schema.INT16_SCHEMA, Short.MIN_VALUE, Short.MAX_VALUE, (short) 0, (short) -1);
    edges(out, "Integer", Schema.INT32_SCHEMA, Integer.MIN_VALUE, Integer.MAX_VALUE, 0, -1);
    edges(out, "Long", Schema.INT64_SCHEMA, Long.MIN_VALUE, Long.MAX_VALUE, 0L, -1L);
    edges(out, "Float", Schema.FLOAT32_SCHEMA, Float.NaN, Float.POSITIVE_INFINITY, -0f, 0.1f, Float.MIN_VALUE, Float.MAX_VALUE);
    edges(out, "Double", Schema.FLOAT64_SCHEMA, Double.NaN, Double.NEGATIVE_INFINITY, -0.0, 0.1, Double.MIN_VALUE, Double.MAX_VALUE);
  }

  private static void edges(Vectors out, String name, Schema schema, Object... values) {
    for (Object value : values) out.write("write/edges/" + value, "converters." + name + "Converter", config(), schema, value);
  }

  static void booleans(Vectors out) {
    String converter = "converters.BooleanConverter";
    for (Sample each : Samples.EACH_TYPE) out.write("write/" + each.name(), converter, config(), each.schema(), each.value());
    for (Sample each : Samples.EACH_CLASS) out.write("write/classes/" + each.name(), converter, config(), null, each.value());
    out.write("write/false", converter, config(), Schema.BOOLEAN_SCHEMA, false);
    out.write("write/null", converter, config(), null, null);
    out.write("write/null-with-schema", converter, config(), Schema.OPTIONAL_BOOLEAN_SCHEMA, null);
    out.write("write/null-of-another-schema", converter, config(), Schema.OPTIONAL_STRING_SCHEMA, null);
    out.write("write/optional", converter, config(), SchemaBuilder.bool().optional().build(), true);
    for (byte[] bytes : List.of(bytes(0), bytes(1), bytes(2), bytes(255), bytes(), bytes(0, 0), bytes(0, 1), utf8("true"))) {
      out.read("read/" + HexFormat.of().formatHex(bytes), converter, config(), bytes);
    }
    out.read("read/null", converter, config(), null);
    out.readHeader("header/read", converter, config(), bytes(1));
  }
}
