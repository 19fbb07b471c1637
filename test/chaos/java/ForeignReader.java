import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * A consumer that knows nothing of Sluice reads all queues of a topic, from the first message to the last:
 * ForeignReader <namesrv> <topic> <group> <pattern>. What the pattern's groups find in a body names a record. Prints, after
 * the word "foreign", how many messages are records, how many of them came before, and how many messages are none.
 */
public final class ForeignReader {
    public static void main(String[] args) throws Exception {
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(args[2]);
        consumer.setNamesrvAddr(args[0]);
        consumer.start();
        Pattern pattern = Pattern.compile(args[3]);
        Set<String> seen = new HashSet<>();
        long records = 0;
        long others = 0;
        for (MessageQueue queue : consumer.fetchSubscribeMessageQueues(args[1])) {
            long end = consumer.maxOffset(queue);
            for (long offset = consumer.minOffset(queue); offset < end;) {
                PullResult result = consumer.pull(queue, "*", offset, 512);
                if (result.getPullStatus() == PullStatus.FOUND) {
                    for (MessageExt message : result.getMsgFoundList()) {
                        Matcher matcher = pattern.matcher(new String(message.getBody(), StandardCharsets.UTF_8));
                        if (!matcher.find()) {
                            others++;
                            continue;
                        }
                        StringBuilder name = new StringBuilder();
                        for (int group = 1; group <= matcher.groupCount(); group++) name.append(matcher.group(group)).append('/');
                        records++;
                        seen.add(name.toString());
                    }
                }
                offset = result.getNextBeginOffset();
            }
        }
        System.out.println("foreign " + records + " " + (records - seen.size()) + " " + others);
        System.exit(0);
    }
}
