package sluice.vectors;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.TimeZone;
import java.util.function.Consumer;

/** Writes all vectors into the folder that the first argument names. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) throws IOException {
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    Locale.setDefault(Locale.US);
    Path folder = Path.of(arguments[0]);
    write(folder, "cast", CastVectors::add);
    write(folder, "timestamp-converter", TimestampVectors::add);
    write(folder, "timestamp-router", TimestampVectors::routers);
    write(folder, "extract-field", FieldVectors::extract);
    write(folder, "hoist-field", FieldVectors::hoist);
    write(folder, "insert-field", FieldVectors::insert);
    write(folder, "replace-field", FieldVectors::replace);
    write(folder, "value-to-key", FieldVectors::valueToKey);
    write(folder, "flatten", ShapeVectors::flatten);
    write(folder, "mask-field", ShapeVectors::mask);
    write(folder, "set-schema-metadata", ShapeVectors::metadata);
    write(folder, "header-from", HeaderVectors::headerFrom);
    write(folder, "insert-header", HeaderVectors::insertHeader);
    write(folder, "drop-headers", HeaderVectors::dropHeaders);
    write(folder, "regex-router", HeaderVectors::regexRouter);
    write(folder, "filter", HeaderVectors::filter);
    write(folder, "predicates", HeaderVectors::predicates);
    write(folder, "chains", ChainVectors::add);
    write(folder, "json-converter", JsonVectors::add);
    write(folder, "string-converter", PrimitiveVectors::texts);
    write(folder, "byte-array-converter", PrimitiveVectors::byteArrays);
    write(folder, "number-converters", PrimitiveVectors::numbers);
    write(folder, "boolean-converter", PrimitiveVectors::booleans);
    write(folder, "simple-header-converter", LiteralVectors::add);
  }

  private static void write(Path folder, String name, Consumer<Vectors> family) throws IOException {
    Vectors vectors = new Vectors();
    family.accept(vectors);
    vectors.save(folder.resolve(name + ".jsonl"));
    System.out.println(name + ": " + vectors.size());
  }
}
