import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * Runs RocketMQ's administration tool for each line of its input, until that ends: the start of a JVM takes longer than a command.
 * A line has the arguments with a tab between them; the answer is one line too, of all that the tool printed, in Base64.
 */
public final class MqadminLoop {
    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String command = commands.readLine(); command != null; command = commands.readLine()) {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            PrintStream printing = new PrintStream(printed, true, StandardCharsets.UTF_8);
            System.setOut(printing);
            System.setErr(printing);
            MQAdminStartup.main0(command.split("\t", -1), null);
            answers.println(Base64.getEncoder().encodeToString(printed.toByteArray()));
            answers.flush();
        }
        // Threads of the tool's clients may still run.
        System.exit(0);
    }
}
