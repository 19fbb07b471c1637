import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jpountz.lz4.LZ4FrameOutputStream;
import net.jpountz.lz4.LZ4FrameOutputStream.BLOCKSIZE;
import net.jpountz.lz4.LZ4FrameOutputStream.FLG;
import org.apache.rocketmq.common.compression.CompressionType;
import org.apache.rocketmq.common.compression.CompressorFactory;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.sysflag.MessageSysFlag;
import org.apache.rocketmq.remoting.protocol.LanguageCode;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.SerializeType;

/**
 * Prints libs/rocketmq/src/wire/wire-bytes.golden.json: bytes that RocketMQ's own classes make.
 * Run: java -cp '<jar cache>/lib/*' test/interop/java/GoldenWireBytes.java '<LZ4 frame of linked blocks, base64>',
 * the argument being `lz4 -9 -B4 -BD -BX --content-size -c plain.txt | base64 -w0` of the text that `text()` makes.
 */
public final class GoldenWireBytes {
    private static final List<String> BODIES = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        byte[] text = text();
        if (args.length == 0) {
            System.out.write(text);
            System.out.flush();
            return;
        }
        byte[] noise = noise();
        for (CompressionType type : CompressionType.values()) {
            body(type + " of RocketMQ, text", type.name(), text, CompressorFactory.getCompressor(type).compress(text, 5));
            body(type + " of RocketMQ, noise", type.name(), noise, CompressorFactory.getCompressor(type).compress(noise, 5));
        }
        body("LZ4 independent blocks, all checksums", "LZ4", text, independent(text, FLG.Bits.CONTENT_CHECKSUM, FLG.Bits.BLOCK_CHECKSUM));
        body("LZ4 independent blocks, content checksum, noise", "LZ4", noise, independent(noise, FLG.Bits.CONTENT_CHECKSUM));
        body("LZ4 linked blocks of the lz4 tool", "LZ4", text, Base64.getDecoder().decode(args[0]));

        System.out.println("{");
        System.out.println("  \"comment\": \"Made by test/interop/java/GoldenWireBytes.java with the classes of RocketMQ 5.5.0; the linked LZ4 frame by lz4 1.9.4\",");
        System.out.println("  \"bodies\": [\n" + String.join(",\n", BODIES) + "\n  ],");
        System.out.println("  \"innerBatch\": \"" + hex(innerBatch()) + "\",");
        System.out.println("  \"binaryHeader\": \"" + hex(binaryHeader()) + "\"");
        System.out.println("}");
    }

    private static byte[] text() {
        StringBuilder text = new StringBuilder();
        for (int line = 0; line < 4000; line++) {
            text.append("line ").append(line / 40).append(" of the same text, ").append(line % 7).append('\n');
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] noise() {
        byte[] noise = new byte[300];
        int state = 1;
        for (int at = 0; at < noise.length; at++) {
            state = state * 1103515245 + 12345;
            noise[at] = (byte) (state >>> 16);
        }
        return noise;
    }

    private static byte[] independent(byte[] plain, FLG.Bits... checksums) throws Exception {
        FLG.Bits[] bits = new FLG.Bits[checksums.length + 1];
        bits[0] = FLG.Bits.BLOCK_INDEPENDENCE;
        System.arraycopy(checksums, 0, bits, 1, checksums.length);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (LZ4FrameOutputStream out = new LZ4FrameOutputStream(bytes, BLOCKSIZE.SIZE_64KB, bits)) {
            out.write(plain);
        }
        return bytes.toByteArray();
    }

    /** A message of a BatchCQ topic as the broker stores it. */
    private static byte[] innerBatch() throws Exception {
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Message message = new Message("inner", "tag" + i, "key" + i, ("body " + i).getBytes(StandardCharsets.UTF_8));
            message.setFlag(i * 10);
            messages.add(message);
        }
        MessageExt outer = new MessageExt();
        outer.setTopic("inner");
        outer.setBody(MessageDecoder.encodeMessages(messages));
        outer.setQueueId(2);
        outer.setQueueOffset(100);
        outer.setSysFlag(MessageSysFlag.NEED_UNWRAP_FLAG | MessageSysFlag.INNER_BATCH_FLAG);
        outer.setBornTimestamp(1_700_000_000_001L);
        outer.setStoreTimestamp(1_700_000_000_002L);
        outer.setBornHost(new InetSocketAddress("127.0.0.1", 1));
        outer.setStoreHost(new InetSocketAddress("127.0.0.1", 2));
        MessageAccessor.putProperty(outer, MessageConst.PROPERTY_INNER_NUM, "3");
        return MessageDecoder.encode(outer, false);
    }

    private static byte[] binaryHeader() throws Exception {
        RemotingCommand command = RemotingCommand.createRequestCommand(11, null);
        command.setLanguage(LanguageCode.OTHER);
        command.setVersion(513);
        command.setOpaque(7);
        command.setSerializeTypeCurrentRPC(SerializeType.ROCKETMQ);
        command.setBody("body".getBytes(StandardCharsets.UTF_8));
        Map<String, String> fields = new java.util.HashMap<>();
        fields.put("topic", "t");
        fields.put("queueId", "3");
        command.setExtFields((java.util.HashMap<String, String>) fields);
        ByteBuffer frame = command.encode();
        byte[] bytes = new byte[frame.remaining()];
        frame.get(bytes);
        return bytes;
    }

    private static void body(String title, String type, byte[] plain, byte[] compressed) throws Exception {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("title", title);
        fields.put("type", type);
        fields.put("plainBytes", String.valueOf(plain.length));
        fields.put("plainSha256", hex(MessageDigest.getInstance("SHA-256").digest(plain)));
        fields.put("compressed", Base64.getEncoder().encodeToString(compressed));
        List<String> lines = new ArrayList<>();
        fields.forEach((name, value) -> lines.add("      \"" + name + "\": "
            + (name.equals("plainBytes") ? value : "\"" + value + "\"")));
        BODIES.add("    {\n" + String.join(",\n", lines) + "\n    }");
    }

    private static String hex(byte[] bytes) {
        StringBuilder hex = new StringBuilder();
        for (byte value : bytes) hex.append(String.format("%02x", value));
        return hex.toString();
    }
}
