import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Both ends of a flow between two clusters, with RocketMQ's Java client; prints one line per message, each after the word "peer".
 * load <namesrv> <topic>: sends messages of every kind, and prints how many consumers will see
 * dump <namesrv> <topic> <group>: prints broker, queue, offset, message id, born time, length and CRC32 of the body, and then keys, tag and all
 * other properties that no cluster makes for itself, in Base64, of all messages
 */
public final class FlowPeer {
    private static final int TIMEOUT_MS = 30_000;

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "load" -> load(args[1], args[2]);
            case "dump" -> dump(args[1], args[2], args[3]);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void say(String line) {
        System.out.println("peer " + line);
    }

    /** A busy machine takes longer than a client's own three seconds. */
    private static void connect(ClientConfig client, String namesrv) {
        client.setNamesrvAddr(namesrv);
        client.setMqClientApiTimeout(TIMEOUT_MS);
    }

    private static Message message(String topic, String tag, String keys, String body) {
        return new Message(topic, tag, keys, body.getBytes(StandardCharsets.UTF_8));
    }

    private static void load(String namesrv, String topic) throws Exception {
        int count = 0;
        DefaultMQProducer producer = new DefaultMQProducer("flow-peer");
        connect(producer, namesrv);
        producer.start();
        for (int n = 0; n < 40; n++) {
            Message plain = message(topic, "T1", "k1 k" + n, "plain " + n);
            plain.putUserProperty("lines", "one\ntwo");
            plain.putUserProperty("emoji", "\uD83D\uDE80");
            plain.setFlag(n);
            producer.send(plain, TIMEOUT_MS);
            count++;
        }
        Message binary = new Message(topic, new byte[] {0, 1, 2, (byte) 0xff, (byte) 0xfe, 0});
        producer.send(binary, TIMEOUT_MS);
        count++;
        List<Message> batch = new ArrayList<>();
        for (int n = 0; n < 20; n++) batch.add(message(topic, "batch", "b" + n, "of a batch " + n));
        producer.send(batch, TIMEOUT_MS);
        count += batch.size();
        Message delayed = message(topic, "delayed", "level", "by level");
        delayed.setDelayTimeLevel(1);
        producer.send(delayed, TIMEOUT_MS);
        Message timed = message(topic, "delayed", "timer", "by timer");
        timed.setDelayTimeSec(2);
        producer.send(timed, TIMEOUT_MS);
        count += 2;
        producer.shutdown();
        for (String type : List.of("ZLIB", "LZ4", "ZSTD")) {
            System.setProperty("rocketmq.message.compressType", type);
            DefaultMQProducer compressing = new DefaultMQProducer("flow-peer-" + type);
            connect(compressing, namesrv);
            compressing.setInstanceName(type);
            compressing.setCompressMsgBodyOverHowmuch(100);
            compressing.start();
            compressing.send(message(topic, type, type, (type + " text ").repeat(2_000)), TIMEOUT_MS);
            count++;
            compressing.shutdown();
        }
        System.clearProperty("rocketmq.message.compressType");
        TransactionMQProducer transactional = new TransactionMQProducer("flow-peer-transactions");
        connect(transactional, namesrv);
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
        transactional.start();
        transactional.sendMessageInTransaction(message(topic, "tx", "kept", "committed"), LocalTransactionState.COMMIT_MESSAGE);
        transactional.sendMessageInTransaction(message(topic, "tx", "dropped", "rolled back"), LocalTransactionState.ROLLBACK_MESSAGE);
        count++;
        transactional.shutdown();
        say("SENT " + count);
    }

    private static void dump(String namesrv, String topic, String group) throws Exception {
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(group);
        connect(consumer, namesrv);
        consumer.start();
        List<MessageQueue> queues = new ArrayList<>(consumer.fetchSubscribeMessageQueues(topic));
        queues.sort(Comparator.comparing(MessageQueue::getBrokerName).thenComparing(MessageQueue::getQueueId));
        for (MessageQueue queue : queues) {
            long end = consumer.maxOffset(queue);
            long offset = consumer.minOffset(queue);
            while (offset < end) {
                PullResult result = consumer.pull(queue, "*", offset, 32, TIMEOUT_MS);
                if (result.getMsgFoundList() != null) {
                    for (MessageExt message : result.getMsgFoundList()) print(queue, message);
                }
                offset = result.getNextBeginOffset();
            }
        }
        consumer.shutdown();
    }

    private static void print(MessageQueue queue, MessageExt message) {
        CRC32 crc = new CRC32();
        crc.update(message.getBody());
        Map<String, String> properties = new TreeMap<>(message.getProperties());
        String all = Base64.getEncoder().encodeToString(properties.toString().getBytes(StandardCharsets.UTF_8));
        String own = Base64.getEncoder().encodeToString(
            (message.getKeys() + "|" + message.getTags() + "|" + properties.get("lines") + "|" + properties.get("emoji"))
                .getBytes(StandardCharsets.UTF_8));
        String isBarrier = String.valueOf(properties.containsKey("sluice-b"));
        say(String.join(" ", queue.getBrokerName(), String.valueOf(queue.getQueueId()), String.valueOf(message.getQueueOffset()),
            message.getMsgId(), String.valueOf(message.getBornTimestamp()), String.valueOf(message.getFlag()),
            String.valueOf(message.getBody().length), String.valueOf(crc.getValue()), own, isBarrier, all));
    }
}
