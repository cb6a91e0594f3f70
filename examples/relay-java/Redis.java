import static java.nio.charset.StandardCharsets.UTF_8;
import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.security.MessageDigest;
import java.util.*;

/** The part of a Redis client that a node needs: scripts, one call at a time. */
final class Redis {
    private final URI url = URI.create(Relay.text("REDIS_URL", "redis://127.0.0.1:6379"));
    private final Map<String, byte[]> scripts = new HashMap<>();
    private final int milliseconds;
    private Socket socket;
    private DataInputStream in;

    Redis(int milliseconds) throws Exception {
        this.milliseconds = milliseconds;
        Path folder = Path.of(Relay.text("SCRIPTS", "../../docs/node-contract"));
        for (String name : List.of("register", "beat", "claim-rooms", "release", "leave"))
            scripts.put(name, Files.readAllBytes(folder.resolve(name + ".lua")));
    }

    /** @throws Exception if there is no answer; the call may have been written all the same */
    Object run(String name, List<Object> rest) throws Exception {
        byte[] text = scripts.get(name), digest = MessageDigest.getInstance("SHA-1").digest(text);
        try {
            if (socket == null) connect();
            Object answer = call("EVALSHA", HexFormat.of().formatHex(digest), rest);
            return answer == null ? call("EVAL", text, rest) : answer;
        } catch (Exception error) {
            // An answer that comes later must not be taken for that of the next call.
            if (socket != null) socket.close();
            socket = null;
            throw error;
        }
    }

    private void connect() throws IOException {
        socket = new Socket();
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(milliseconds);
        socket.connect(new InetSocketAddress(url.getHost(), url.getPort() < 0 ? 6379 : url.getPort()), milliseconds);
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        if (url.getUserInfo() == null) return;
        String[] login = url.getUserInfo().split(":", 2);
        call("AUTH", login[0].isEmpty() ? "default" : login[0], List.of(login[1]));
    }

    private Object call(String command, Object first, List<Object> rest) throws IOException {
        List<Object> words = new ArrayList<>(List.of(command, first));
        words.addAll(rest);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(("*" + words.size() + "\r\n").getBytes());
        for (Object word : words) {
            byte[] data = word instanceof byte[] bytes ? bytes : word.toString().getBytes(UTF_8);
            out.writeBytes(("$" + data.length + "\r\n").getBytes());
            out.writeBytes(data);
            out.writeBytes("\r\n".getBytes());
        }
        socket.getOutputStream().write(out.toByteArray());
        return answer();
    }

    /** Returns null if the server does not have the script. No script returns nil. */
    @SuppressWarnings("deprecation")
    private Object answer() throws IOException {
        String line = in.readLine();
        if (line == null) throw new EOFException("Redis has disconnected");
        String rest = line.substring(1);
        switch (line.charAt(0)) {
            case '-':
                if (rest.startsWith("NOSCRIPT")) return null;
                throw new ProtocolException(rest);
            case ':': return Long.valueOf(rest);
            case '$':
                byte[] data = new byte[Integer.parseInt(rest) + 2];
                in.readFully(data);
                return new String(data, 0, data.length - 2, UTF_8);
            case '*':
                List<Object> list = new ArrayList<>();
                for (int left = Integer.parseInt(rest); left > 0; left--) list.add(answer());
                return list;
            default: return rest;
        }
    }
}
