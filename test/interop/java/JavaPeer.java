import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * RocketMQ's Java client at the other end of a topic; prints one line per message, each after the word "peer".
 * send <namesrv> <topic> <broker> <queue> <type,type,...>: one compressed message per type, with the tag
 * "tag-<type>" and the user property "from", prints type and offset
 * sendBatch <namesrv> <topic> <broker> <queue> <count>: one batch, prints "BATCH" and its offset
 * sendDelayed <namesrv> <topic> <broker> <queue> <level>: one delayed message, prints "DELAYED" and the status
 * moveOffset <namesrv> <topic> <broker> <queue> <to> <group>: prints "OFFSET" and the group's offset before, then sets it
 * read <namesrv> <topic> <broker> <queue> <offset> <count> <group>: prints offset, length, CRC32, hex of the first
 * bytes, keys, tag and the user property "from" of each message
 * readStored, with the same arguments: prints offset, length, CRC32, keys, flag, system flag and born time of each
 * message
 */
public final class JavaPeer {
    private static final int TIMEOUT_MS = 30_000;

    public static void main(String[] args) throws Exception {
        MessageQueue queue = new MessageQueue(args[2], args[3], Integer.parseInt(args[4]));
        switch (args[0]) {
            case "send" -> send(args[1], queue, args[5].split(","));
            case "sendBatch" -> sendBatch(args[1], queue, Integer.parseInt(args[5]));
            case "sendDelayed" -> sendDelayed(args[1], queue, Integer.parseInt(args[5]));
            case "moveOffset" -> moveOffset(args[1], queue, Long.parseLong(args[5]), args[6]);
            case "read", "readStored" -> read(args, queue);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    /** With a mark, for some clients print the state of their log there too. */
    private static void say(String line) {
        System.out.println("peer " + line);
    }

    /** A busy machine takes longer than a client's own three seconds. */
    private static void connect(ClientConfig client, String namesrv) {
        client.setNamesrvAddr(namesrv);
        client.setMqClientApiTimeout(TIMEOUT_MS);
    }

    /** 70,000 bytes with long and short repetitions; JavaPeer and the spec make the same. */
    private static byte[] body() {
        byte[] body = new byte[70_000];
        for (int at = 0; at < body.length; at++) body[at] = (byte) (at % 251 ^ (at >> 10));
        return body;
    }

    private static void send(String namesrv, MessageQueue queue, String[] types) throws Exception {
        for (String type : types) {
            // Clients of every version that knows these types take the one of a new producer from here.
            System.setProperty("rocketmq.message.compressType", type);
            DefaultMQProducer producer = new DefaultMQProducer("java-peer-" + type);
            connect(producer, namesrv);
            producer.setInstanceName(type);
            producer.setCompressMsgBodyOverHowmuch(100);
            producer.start();
            Message message = new Message(queue.getTopic(), "tag-" + type, type, body());
            message.putUserProperty("from", "java " + type);
            SendResult result = producer.send(message, queue, TIMEOUT_MS);
            say(type + " " + result.getQueueOffset());
            producer.shutdown();
        }
    }

    private static void sendBatch(String namesrv, MessageQueue queue, int count) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer("java-peer-batch");
        connect(producer, namesrv);
        producer.start();
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            messages.add(new Message(queue.getTopic(), "tag" + i, "key" + i, ("body " + i).getBytes()));
        }
        say("BATCH " + producer.send(messages, queue, TIMEOUT_MS).getQueueOffset());
        producer.shutdown();
    }

    private static void sendDelayed(String namesrv, MessageQueue queue, int level) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer("java-peer-delayed");
        connect(producer, namesrv);
        producer.start();
        Message message = new Message(queue.getTopic(), "tag-delayed", "delayed", "delayed by Java".getBytes());
        message.setDelayTimeLevel(level);
        say("DELAYED " + producer.send(message, queue, TIMEOUT_MS).getSendStatus());
        producer.shutdown();
    }

    private static void moveOffset(String namesrv, MessageQueue queue, long to, String group) throws Exception {
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(group);
        connect(consumer, namesrv);
        consumer.start();
        consumer.fetchSubscribeMessageQueues(queue.getTopic());
        long found = consumer.fetchConsumeOffset(queue, true);
        consumer.getDefaultMQPullConsumerImpl().getOffsetStore().updateConsumeOffsetToBroker(queue, to, false);
        say("OFFSET " + found);
        consumer.shutdown();
    }

    private static void read(String[] args, MessageQueue queue) throws Exception {
        long from = Long.parseLong(args[5]);
        int count = Integer.parseInt(args[6]);
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(args[7]);
        connect(consumer, args[1]);
        consumer.start();
        TreeMap<Long, MessageExt> messages = new TreeMap<>();
        long offset = from;
        for (int pulls = 0; messages.size() < count && pulls < 50; pulls++) {
            PullResult result = consumer.pullBlockIfNotFound(queue, "*", offset, 32);
            if (result.getMsgFoundList() != null) {
                for (MessageExt message : result.getMsgFoundList()) messages.put(message.getQueueOffset(), message);
            }
            offset = result.getNextBeginOffset();
        }
        for (MessageExt message : messages.values()) {
            byte[] body = message.getBody();
            CRC32 crc = new CRC32();
            crc.update(body);
            if (args[0].equals("readStored")) {
                say(message.getQueueOffset() + " " + body.length + " " + crc.getValue() + " " + message.getKeys() + " "
                    + message.getFlag() + " " + message.getSysFlag() + " " + message.getBornTimestamp());
                continue;
            }
            String start = HexFormat.of().formatHex(body, 0, Math.min(8, body.length));
            say(message.getQueueOffset() + " " + body.length + " " + crc.getValue() + " " + start + " " + message.getKeys()
                + " " + message.getTags() + " " + message.getUserProperty("from"));
        }
        consumer.shutdown();
    }
}
