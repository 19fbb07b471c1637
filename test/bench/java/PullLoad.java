import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Reads all queues of a topic with RocketMQ's Java pull consumer, one thread a queue, from the first message to the last:
 * PullLoad <namesrv> <topic> <group> <queues> <messages to read per pull> <queue's messages>. Prints "ready", waits for a
 * line on stdin, reads, prints "done <messages> <milliseconds>".
 */
public final class PullLoad {
    public static void main(String[] args) throws Exception {
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(args[2]);
        consumer.setNamesrvAddr(args[0]);
        consumer.start();
        int queues = Integer.parseInt(args[3]);
        int perPull = Integer.parseInt(args[4]);
        long end = Long.parseLong(args[5]);
        MessageQueue[] all = consumer.fetchSubscribeMessageQueues(args[1]).toArray(new MessageQueue[0]);
        if (all.length != queues) throw new IllegalStateException(all.length + " queues");
        System.out.println("ready");
        System.in.read();
        long started = System.nanoTime();
        AtomicLong total = new AtomicLong();
        CountDownLatch finished = new CountDownLatch(queues);
        for (MessageQueue queue : all) {
            Thread thread = new Thread(() -> {
                try {
                    total.addAndGet(read(consumer, queue, perPull, end));
                } catch (Exception error) {
                    error.printStackTrace();
                    System.exit(1);
                }
                finished.countDown();
            });
            thread.start();
        }
        finished.await();
        System.out.println("done " + total.get() + " " + (System.nanoTime() - started) / 1_000_000);
        System.in.read();
        System.exit(0);
    }

    private static long read(DefaultMQPullConsumer consumer, MessageQueue queue, int perPull, long end) throws Exception {
        long offset = 0;
        long read = 0;
        while (offset < end) {
            PullResult result = consumer.pull(queue, "*", offset, perPull);
            if (result.getPullStatus() == PullStatus.FOUND) read += result.getMsgFoundList().size();
            offset = result.getNextBeginOffset();
        }
        return read;
    }
}
