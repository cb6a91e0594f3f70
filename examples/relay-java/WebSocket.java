import static java.nio.charset.StandardCharsets.UTF_8;
import java.io.*;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** The server's side of a WebSocket (RFC 6455). One thread reads it, another one writes. */
final class WebSocket {
    private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final int CONTINUATION = 0, TEXT = 1, CLOSE = 8, PING = 9, PONG = 10;
    private static final int MAX_HEAD = 16_384, MAX_MESSAGE = 4 * 1024 * 1024, MAX_UNSENT = 16 * 1024 * 1024;
    private static final int HANDSHAKE_SECONDS = 10, CLOSE_SECONDS = 5, SILENT_SECONDS = 60;
    private static final byte[] END = new byte[0];
    static final ScheduledExecutorService TIMER = Executors.newSingleThreadScheduledExecutor();

    private final Socket socket;
    private final BlockingQueue<byte[]> unsent = new LinkedBlockingQueue<>();
    private final AtomicLong unsentBytes = new AtomicLong();
    private final Thread writer = new Thread(this::write);
    private DataInputStream in;
    private volatile boolean isClosing;
    /** What the client offered; empty for none. */
    String signature = "";

    WebSocket(Socket socket) { this.socket = socket; }

    /** Answers the handshake, and returns whether it was one. */
    boolean shakeHands() throws Exception {
        Future<?> limit = TIMER.schedule(this::terminate, HANDSHAKE_SECONDS, TimeUnit.SECONDS);
        // A client that has vanished must not keep its seat.
        socket.setKeepAlive(true);
        socket.setOption(jdk.net.ExtendedSocketOptions.TCP_KEEPIDLE, SILENT_SECONDS);
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        Map<String, String> headers = readHead();
        writer.start();
        limit.cancel(false);
        String key = headers.getOrDefault("sec-websocket-key", "");
        String[] offered = headers.getOrDefault("sec-websocket-protocol", "").split("\\s*,\\s*");
        boolean isUpgrade = headers.get("").startsWith("GET ") && "websocket".equalsIgnoreCase(headers.get("upgrade"))
            && "13".equals(headers.get("sec-websocket-version")) && key.length() == 24
            && offered[0].equals("cobrowse.v1");
        byte[] digest = MessageDigest.getInstance("SHA-1").digest((key + GUID).getBytes());
        String accept = Base64.getEncoder().encodeToString(digest);
        if (offered.length == 2) signature = offered[1];
        send((!isUpgrade ? "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            : "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + accept + "\r\nSec-WebSocket-Protocol: cobrowse.v1\r\n\r\n").getBytes());
        return isUpgrade;
    }

    /** The request line is under the empty name. */
    private Map<String, String> readHead() throws IOException {
        StringBuilder head = new StringBuilder(":");
        while (head.indexOf("\r\n\r\n", head.length() - 4) < 0) {
            if (head.length() == MAX_HEAD) throw new IOException("the head is too long");
            head.append((char) in.readUnsignedByte());
        }
        Map<String, String> headers = new HashMap<>();
        for (String line : head.toString().split("\r\n")) {
            String[] parts = line.split(":", 2);
            headers.put(parts[0].toLowerCase(Locale.ROOT), parts[parts.length - 1].strip());
        }
        return headers;
    }

    /** Calls back with each message as a frame to send, until the connection is closed. */
    void listen(Consumer<byte[]> onMessage) throws Exception {
        int kind = CONTINUATION;
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        while (true) {
            int first = in.readUnsignedByte(), opcode = first & 0x0f;
            boolean isLast = first >= 0x80, isControl = opcode >= CLOSE;
            Refused.check((first & 0x70) == 0 && (opcode & 7) <= 2 && (isLast || !isControl), 1002, "an unknown frame");
            byte[] data = readData(isControl ? 125 : MAX_MESSAGE - message.size());
            if (opcode == CLOSE) break;
            if (opcode == PING) send(frame(PONG, data));
            if (isControl) continue;
            Refused.check((opcode == CONTINUATION) == (kind != CONTINUATION), 1002, "a fragment out of order");
            kind = Math.max(kind, opcode);
            message.writeBytes(data);
            if (!isLast) continue;
            byte[] all = message.toByteArray();
            // Java replaces what is not UTF-8.
            Refused.check(kind != TEXT || Arrays.equals(all, new String(all, UTF_8).getBytes(UTF_8)), 1007, "no UTF-8");
            if (!isClosing) onMessage.accept(frame(kind, all));
            kind = CONTINUATION;
            message.reset();
        }
        close(1000, "");
    }

    private byte[] readData(int space) throws Exception {
        int second = in.readUnsignedByte();
        long size = second & 0x7f;
        if (size > 125) size = size == 126 ? in.readUnsignedShort() : in.readLong();
        Refused.check(second >= 0x80, 1002, "a frame without a mask");
        Refused.check(size >= 0 && size <= space, 1009, "the message is too long");
        byte[] mask = in.readNBytes(4), data = new byte[(int) size];
        in.readFully(data);
        for (int at = 0; at < size; at++) data[at] ^= mask[at & 3];
        return data;
    }

    private static byte[] frame(int opcode, byte[] data) {
        ByteBuffer frame = ByteBuffer.allocate(data.length + 10).put((byte) (0x80 | opcode));
        if (data.length < 126) frame.put((byte) data.length);
        else if (data.length < 65_536) frame.put((byte) 126).putShort((short) data.length);
        else frame.put((byte) 127).putLong(data.length);
        return Arrays.copyOf(frame.put(data).array(), frame.position());
    }

    /** Never waits: a client that reads too slowly loses its connection. */
    void send(byte[] frame) {
        if (isClosing) return;
        unsent.add(frame);
        if (unsentBytes.addAndGet(frame.length) > MAX_UNSENT) terminate();
    }

    void close(int code, String reason) {
        byte[] text = Arrays.copyOf(reason.getBytes(UTF_8), Math.min(123, reason.length()));
        send(frame(CLOSE, ByteBuffer.allocate(2 + text.length).putShort((short) code).put(text).array()));
        isClosing = true;
        TIMER.schedule(this::terminate, CLOSE_SECONDS, TimeUnit.SECONDS);
    }

    private void write() {
        try {
            for (byte[] data = unsent.take(); data != END; data = unsent.take()) {
                socket.getOutputStream().write(data);
                unsentBytes.addAndGet(-data.length);
            }
        } catch (IOException | InterruptedException error) {
            terminate();
        }
    }

    /** Reads to the end, too: unread data would reset the connection, and the client would not see the close code. */
    void finish() throws Exception {
        TIMER.schedule(this::terminate, CLOSE_SECONDS, TimeUnit.SECONDS);
        unsent.add(END);
        writer.join();
        socket.shutdownOutput();
        while (in.read() >= 0) in.skip(in.available());
    }

    void terminate() {
        unsent.add(END);
        try {
            socket.close();
        } catch (IOException error) {
            // It is closed.
        }
    }
}
