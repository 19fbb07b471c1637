import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/**
 * Runs a main class for each line of its input, until that ends: the start of a JVM takes longer than most of what is run.
 * A line has the class and its arguments with a tab between them. The answer is one line too: "ok", or "failed" where the class threw or is
 * none, a space, and all that was printed, in Base64.
 */
public final class MainLoop {
    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split("\t", -1);
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            PrintStream printing = new PrintStream(printed, true, StandardCharsets.UTF_8);
            System.setOut(printing);
            System.setErr(printing);
            String outcome = "ok";
            try {
                Object arguments = Arrays.copyOfRange(words, 1, words.length);
                Class.forName(words[0]).getMethod("main", String[].class).invoke(null, arguments);
            } catch (ReflectiveOperationException e) {
                e.printStackTrace(printing);
                outcome = "failed";
            }
            answers.println(outcome + " " + Base64.getEncoder().encodeToString(printed.toByteArray()));
            answers.flush();
        }
        // Threads of clients may still run.
        System.exit(0);
    }
}
