import java.io.*;
import java.net.*;
import java.util.*;
import java.util.concurrent.*;

/** Starts the node. With `--verify`, only checks the signatures in stdin. */
final class Relay {
    private static final long PORT = number("PORT", 8443), DRAIN_DEADLINE = number("DRAIN_DEADLINE", 60_000);
    private static final int MAX_CONNECTIONS = 5000;
    private static final Set<WebSocket> CONNECTIONS = ConcurrentHashMap.newKeySet();
    static final String ID = text("NODE_ID", "node-1");
    static final String WSS_URL = text("WSS_URL", "ws://127.0.0.1:" + PORT + "/ws/cobrowse/1");

    static String text(String name, String otherwise) { return System.getenv().getOrDefault(name, otherwise); }
    static long number(String name, long otherwise) { return Long.parseLong(text(name, "" + otherwise)); }

    public static void main(String[] args) throws Exception {
        Map<String, Object> keys = Signature.readFlatJson(text("COBROWSE_OTHER_KEYS", "{"));
        keys.put(text("COBROWSE_KEY_ID", "sample"), text("COBROWSE_KEY", "a sample key, for loopback alone"));
        if (List.of(args).contains("--verify")) {
            verify(keys, new BufferedReader(new InputStreamReader(System.in)));
            return;
        }
        // Browsers connect as soon as the node is registered: until it accepts them, they wait in the backlog.
        ServerSocket server = new ServerSocket((int) PORT, 1024, InetAddress.getLoopbackAddress());
        Node node = new Node(keys);
        node.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> drain(node)));
        System.out.println(ID + " is registered, and listens at port " + PORT);
        ExecutorService threads = Executors.newCachedThreadPool();
        while (true) {
            Socket socket = server.accept();
            threads.execute(() -> connect(node, socket));
        }
    }

    private static void connect(Node node, Socket socket) {
        WebSocket client = new WebSocket(socket);
        CONNECTIONS.add(client);
        try {
            if (client.shakeHands()) attend(node, client);
            client.finish();
        } catch (Exception error) {
            // A client that disconnects, or sends too much or nothing, costs nobody else anything.
        } finally {
            client.terminate();
            CONNECTIONS.remove(client);
        }
    }

    private static void attend(Node node, WebSocket client) throws Exception {
        Node.Room entered = null;
        try {
            Refused.check(CONNECTIONS.size() <= MAX_CONNECTIONS, 4429, "no seat is free");
            // Messages wait in the connection until the client is admitted.
            Node.Room room = entered = node.admit(client);
            client.listen(frame -> {
                for (WebSocket other : room.seats.keySet()) if (other != client) other.send(frame);
            });
        } catch (Refused refusal) {
            client.close(refusal.code, refusal.getMessage());
        } finally {
            if (entered != null) node.vacate(entered, client);
        }
    }

    /** No new rooms; at the deadline the node leaves, and then sends the clients to other nodes. */
    private static void drain(Node node) {
        try {
            node.drain(DRAIN_DEADLINE);
            node.leave();
            node.closeAll(Node.LEAVING + " within 2000 ms");
            for (int left = 20; left > 0 && !CONNECTIONS.isEmpty(); left--) Thread.sleep(100);
        } catch (Exception error) {
            System.out.println("the node could not leave: " + error);
        }
        Runtime.getRuntime().halt(0);
    }

    /** The first line has a time in milliseconds and an incarnation, each further line a signature. */
    private static void verify(Map<String, Object> keys, BufferedReader lines) throws Exception {
        String[] first = lines.readLine().split(" ");
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            try {
                Signature signature = Signature.verify(line, keys, first[1], Long.parseLong(first[0]));
                System.out.println(signature.isJoinOnly() ? "join-only" : "valid");
            } catch (Refused refusal) {
                System.out.println("bad: " + refusal.getMessage());
            }
        }
    }
}
