import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Users of one site of a flow, with RocketMQ's Java client. Bodies begin with the site, a number and the kind of message.
 * load <namesrv> <topic> <site> <pauseMs>: sends messages of every kind, again and again, until its input ends; then prints "acked" or
 * "rolled-back" with the number of each message whose send was answered so
 * read <namesrv> <topic> <group>: prints "message", broker, queue, site, number, whether it is a copy (or "barrier" or "other" in place of
 * the last three), and a checksum of all that a copy has to keep
 */
public final class FlowSite {
    private static final int TIMEOUT_MS = 10_000;
    private static final int PLAIN_PER_ROUND = 10;
    private static final int BATCH = 10;
    private static final StringBuilder ANSWERED = new StringBuilder();

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "load" -> load(args[1], args[2], args[3], Long.parseLong(args[4]));
            case "read" -> read(args[1], args[2], args[3]);
            default -> throw new IllegalArgumentException(args[0]);
        }
        System.out.println("done");
        System.exit(0);
    }

    private interface Send {
        Object run() throws Exception;
    }

    /** What is not answered in time may be stored or not: it is never sent again, so that each number is stored once at most. */
    private static void send(int number, int count, Send send) throws InterruptedException {
        try {
            if (send.run() instanceof SendResult result && result.getSendStatus() != SendStatus.SEND_OK) return;
            for (int n = number; n < number + count; n++) ANSWERED.append("acked ").append(n).append('\n');
        } catch (InterruptedException ended) {
            throw ended;
        } catch (Exception unavailable) {
            Thread.sleep(200);
        }
    }

    private static <C extends DefaultMQProducer> C started(C producer, String namesrv, String instance) throws Exception {
        connect(producer, namesrv, instance);
        producer.setRetryTimesWhenSendFailed(0);
        producer.setSendMsgTimeout(TIMEOUT_MS);
        producer.start();
        return producer;
    }

    private static void connect(ClientConfig client, String namesrv, String instance) {
        client.setNamesrvAddr(namesrv);
        client.setInstanceName(instance);
        client.setMqClientApiTimeout(TIMEOUT_MS);
    }

    private static Message message(String topic, String site, int number, String kind, String more) {
        Message message = new Message(topic, "T1", "k1 k" + number, (site + " " + number + " " + kind + more).getBytes(StandardCharsets.UTF_8));
        message.putUserProperty("lines", "one\ntwo");
        message.putUserProperty("emoji", "\uD83D\uDE80");
        message.putUserProperty("__SHARDINGKEY", "shard " + number % 7);
        message.setFlag(number);
        return message;
    }

    private static void load(String namesrv, String topic, String site, long pauseMs) throws Exception {
        DefaultMQProducer producer = started(new DefaultMQProducer("flow-load"), namesrv, "plain");
        List<String> types = List.of("ZLIB", "LZ4", "ZSTD");
        List<DefaultMQProducer> compressing = new ArrayList<>();
        for (String type : types) {
            System.setProperty("rocketmq.message.compressType", type);
            DefaultMQProducer each = new DefaultMQProducer("flow-load-" + type);
            each.setCompressMsgBodyOverHowmuch(100);
            compressing.add(started(each, namesrv, type));
        }
        TransactionMQProducer transactional = new TransactionMQProducer("flow-load-transactions");
        transactional.setTransactionListener(new TransactionListener() {
            @Override
            public LocalTransactionState executeLocalTransaction(Message message, Object state) {
                return (LocalTransactionState) state;
            }

            @Override
            public LocalTransactionState checkLocalTransaction(MessageExt message) {
                return LocalTransactionState.UNKNOW;
            }
        });
        started(transactional, namesrv, "transactions");
        System.out.println("loading");
        int next = 0;
        while (System.in.available() == 0) {
            for (int n = 0; n < PLAIN_PER_ROUND; n++) {
                int number = next++;
                send(number, 1, () -> producer.send(message(topic, site, number, "plain", "")));
                Thread.sleep(pauseMs);
            }
            List<Message> batch = new ArrayList<>();
            int first = next;
            for (int n = 0; n < BATCH; n++) batch.add(message(topic, site, next++, "batch", ""));
            send(first, BATCH, () -> producer.send(batch));
            for (int n = 0; n < types.size(); n++) {
                int number = next++;
                String type = types.get(n);
                DefaultMQProducer with = compressing.get(n);
                send(number, 1, () -> with.send(message(topic, site, number, type, (" " + type).repeat(300))));
            }
            int delayed = next++;
            Message late = message(topic, site, delayed, "delayed", "");
            late.setDelayTimeLevel(1);
            send(delayed, 1, () -> producer.send(late));
            int timed = next++;
            Message timer = message(topic, site, timed, "timer", "");
            timer.setDelayTimeMs(2_000);
            send(timed, 1, () -> producer.send(timer));
            int committed = next++;
            LocalTransactionState commit = LocalTransactionState.COMMIT_MESSAGE;
            // How a transaction ends is told one way: no answer says that it was committed.
            send(committed, 0, () -> transactional.sendMessageInTransaction(message(topic, site, committed, "committed", ""), commit));
            int dropped = next++;
            LocalTransactionState rollback = LocalTransactionState.ROLLBACK_MESSAGE;
            send(dropped, 0, () -> transactional.sendMessageInTransaction(message(topic, site, dropped, "dropped", ""), rollback));
            ANSWERED.append("rolled-back ").append(dropped).append('\n');
            Thread.sleep(pauseMs);
        }
        System.out.print(ANSWERED);
    }

    private static void read(String namesrv, String topic, String group) throws Exception {
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(group);
        connect(consumer, namesrv, "reader");
        consumer.start();
        List<MessageQueue> queues = new ArrayList<>(consumer.fetchSubscribeMessageQueues(topic));
        queues.sort(Comparator.comparing(MessageQueue::getBrokerName).thenComparing(MessageQueue::getQueueId));
        StringBuilder lines = new StringBuilder();
        for (MessageQueue queue : queues) {
            long end = consumer.maxOffset(queue);
            for (long offset = consumer.minOffset(queue); offset < end;) {
                PullResult result = consumer.pull(queue, "*", offset, 512, TIMEOUT_MS);
                if (result.getMsgFoundList() != null) {
                    for (MessageExt message : result.getMsgFoundList()) lines.append(lineOf(queue, message)).append('\n');
                }
                offset = result.getNextBeginOffset();
            }
        }
        System.out.print(lines);
    }

    private static String lineOf(MessageQueue queue, MessageExt message) {
        String place = "message " + queue.getBrokerName() + " " + queue.getQueueId() + " ";
        if (message.getProperty("sluice-b") != null) return place + "barrier";
        String[] words = new String(message.getBody(), StandardCharsets.UTF_8).split(" ");
        if (words.length < 3) return place + "other";
        boolean isCopy = message.getProperty("sluice-hops") != null;
        return place + words[0] + " " + words[1] + " " + isCopy + " " + checksum(message);
    }

    private static String checksum(MessageExt message) {
        TreeMap<String, String> kept = new TreeMap<>();
        for (String name : List.of("KEYS", "TAGS", "UNIQ_KEY", "lines", "emoji", "__SHARDINGKEY")) kept.put(name, message.getProperty(name));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(message.getBody());
        bytes.writeBytes((kept + "|" + message.getFlag() + "|" + message.getBornTimestamp()).getBytes(StandardCharsets.UTF_8));
        CRC32 crc = new CRC32();
        crc.update(bytes.toByteArray());
        return Long.toHexString(crc.getValue());
    }
}
