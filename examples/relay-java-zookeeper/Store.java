import static java.nio.charset.StandardCharsets.UTF_8;
import java.security.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.*;
import java.util.regex.*;
import org.apache.curator.framework.*;
import org.apache.curator.framework.api.CuratorWatcher;
import org.apache.curator.framework.api.transaction.*;
import org.apache.curator.framework.state.*;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.*;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.data.Stat;

/**
 * The znodes of the registry, and the transactions on them. A transaction is never sent again blindly: after a failed
 * operation, or a lost answer, everything is read again first.
 */
final class Store {
    static final String ROOT = "/cobrowse";
    static final int SESSION = (int) Relay.number("SESSION", 6000);
    static final int CALL_MS = Math.min(1000, SESSION / 3);
    private static final int MAX_TRIES = 8;
    private static final Pattern BINDING = Pattern.compile(
        "(?:([\\w.:-]{1,64}\\|[\\w.:-]{1,64})|\\|)"
            + "\\|(assigned|claimed|released|ended|(?:moving|moved)(?:>[\\w.:-]{1,64})?)"
            + "\\|(\\d{1,16})\\|(\\d{1,16})\\|[\\w-]+(?:\\|\\[.*\\])?");

    /** A room as it was read: both versions together identify its state. */
    record RoomState(String key, int bucketVersion, Integer version, Binding binding) {}

    /** @param member null: none */
    record Binding(String member, String state, long claims, long endedAt) {
        static Binding parse(String text) throws Unreadable {
            Matcher parts = BINDING.matcher(text);
            if (!parts.matches()) throw new Unreadable();
            return new Binding(
                parts.group(1), parts.group(2), Long.parseLong(parts.group(3)), Long.parseLong(parts.group(4)));
        }

        /** Whether an operator moves the room away from this node, which may have registered anew since. */
        boolean isMovedFrom(String other) {
            return state.startsWith("mov") && member != null && idOf(member).equals(idOf(other));
        }

        /** The binding without this claim, or null if there is nothing to release. */
        Binding released(String owner, long number) {
            if (state.startsWith("moving") && isMovedFrom(owner))
                return new Binding(member, state.replaceFirst("moving", "moved"), claims, endedAt);
            boolean isOurs = owner.equals(member) && state.equals("claimed") && claims <= number;
            return isOurs ? new Binding(member, "released", number, endedAt) : null;
        }

        private static String idOf(String member) { return member.substring(0, member.indexOf('|')); }

        /** The random end makes each text unique, so that an unchanged text proves that nobody wrote. */
        byte[] toBytes() {
            String owner = member == null ? "|" : member;
            return String.join("|", owner, state, "" + claims, "" + endedAt, random(9)).getBytes(UTF_8);
        }
    }

    /** @param number of the claim, @param date of the signature or of the opening, in milliseconds */
    record Claim(String key, long number, long date) {}

    /** @param word ok, elsewhere, ended, moved, stale or failed */
    record Claimed(String word, long endedAt) {}

    /** The text of a room is no binding. It is left as it is: a room that is in use could be split otherwise. */
    @SuppressWarnings("serial")
    static final class Unreadable extends Exception {
        Unreadable() { super("the binding cannot be read"); }
    }

    /** The transaction was refused: the operation with this index failed. */
    @SuppressWarnings("serial")
    static final class FailedOperation extends Exception {
        final int index;
        final boolean isMissing;

        FailedOperation(int index, KeeperException.Code code) {
            super(code + " at operation " + index);
            this.index = index;
            isMissing = code == KeeperException.Code.NONODE;
        }
    }

    private final CuratorFramework curator;
    private final Consumer<ConnectionState> onState;
    private volatile boolean isConnected;

    Store(String hosts, Consumer<ConnectionState> onState) throws Exception {
        this.onState = onState;
        // An unanswered call must not hold up the others for long.
        ZKClientConfig config = new ZKClientConfig();
        config.setProperty(ZKClientConfig.ZOOKEEPER_REQUEST_TIMEOUT, "" + CALL_MS);
        // No retries: Curator would send a transaction again whose answer was lost. The node reads first.
        curator = CuratorFrameworkFactory.builder().connectString(hosts).zkClientConfig(config)
            .sessionTimeoutMs(SESSION).connectionTimeoutMs(CALL_MS).retryPolicy(new RetryNTimes(0, 1)).build();
        curator.getConnectionStateListenable().addListener((client, state) -> hear(state));
        curator.start();
        if (!curator.blockUntilConnected(SESSION, TimeUnit.MILLISECONDS)) throw new TimeoutException("no ZooKeeper");
    }

    private void hear(ConnectionState state) {
        isConnected = state.isConnected();
        onState.accept(state);
    }

    void close() { curator.close(); }

    /** 0: there is no session that could own a znode. */
    long session() throws Exception {
        if (!isConnected) throw new IllegalStateException("not connected to ZooKeeper");
        return curator.getZookeeperClient().getZooKeeper().getSessionId();
    }

    /** Milliseconds that the server granted. */
    int sessionTimeout() throws Exception {
        int granted = curator.getZookeeperClient().getZooKeeper().getSessionTimeout();
        return granted > 0 ? granted : SESSION;
    }

    static String random(int bytes) {
        byte[] data = new byte[bytes];
        new SecureRandom().nextBytes(data);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(data);
    }

    static String roomKey(String... names) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (String name : names) digest.update((name.getBytes(UTF_8).length + ":" + name).getBytes(UTF_8));
        return Base64.getUrlEncoder().withoutPadding().encodeToString(digest.digest());
    }

    static String nodePath(String member) { return ROOT + "/nodes/" + member.replace('|', '~'); }
    static String orderPath(String id) { return ROOT + "/orders/" + id + "~"; }
    static String idPath(String id) { return ROOT + "/ids/" + id + "~"; }
    private static String bucketPath(String key) { return ROOT + "/rooms/" + key.substring(0, 2); }
    private static String roomPath(String key) { return bucketPath(key) + "/" + key; }

    Stat exists(String path) throws Exception { return curator.checkExists().forPath(path); }

    /** Returns null for a missing znode. */
    String read(String path, Stat stat) throws Exception {
        try {
            return new String(curator.getData().storingStatIn(stat).forPath(path), UTF_8);
        } catch (KeeperException.NoNodeException missing) {
            return null;
        }
    }

    /** Creates the persistent znodes that all transactions need. */
    void createParents() throws Exception {
        for (String path : List.of("/nodes", "/ids", "/rooms")) createPersistent(ROOT + path);
    }

    private void createPersistent(String path) throws Exception {
        try {
            curator.create().creatingParentsIfNeeded().forPath(path, new byte[0]);
        } catch (KeeperException.NodeExistsException present) {
            // Another process created it.
        }
    }

    TransactionOp op() { return curator.transactionOp(); }

    /** Runs all operations or none. */
    void run(List<CuratorOp> ops) throws Exception {
        try {
            curator.transaction().forOperations(ops);
        } catch (KeeperException error) {
            List<OpResult> results = error.getResults();
            for (int at = 0; results != null && at < results.size(); at++) {
                if (!(results.get(at) instanceof OpResult.ErrorResult result) || result.getErr() == 0) continue;
                throw new FailedOperation(at, KeeperException.Code.get(result.getErr()));
            }
            throw error;
        }
    }

    /** Asks the leader, since a follower that is cut off from it answers reads alone. */
    void askLeader() throws Exception { run(List.of(op().check().forPath(ROOT + "/nodes"))); }

    /** The bucket first: a deletion that only the second reading sees makes the version of the first one old. */
    private RoomState readRoom(String key) throws Exception {
        Stat bucket = exists(bucketPath(key));
        if (bucket == null) createPersistent(bucketPath(key));
        if (bucket == null) return readRoom(key);
        Stat stat = new Stat();
        String text = read(roomPath(key), stat);
        if (text == null) return new RoomState(key, bucket.getVersion(), null, null);
        return new RoomState(key, bucket.getVersion(), stat.getVersion(), Binding.parse(text));
    }

    private List<CuratorOp> check(RoomState room) throws Exception {
        return List.of(op().check().withVersion(room.bucketVersion).forPath(bucketPath(room.key)),
            op().check().withVersion(room.version).forPath(roomPath(room.key)));
    }

    private List<CuratorOp> write(RoomState room, Binding next) throws Exception {
        CuratorOp bucket = op().check().withVersion(room.bucketVersion).forPath(bucketPath(room.key));
        return List.of(bucket, room.version == null
            ? op().create().withMode(CreateMode.PERSISTENT).forPath(roomPath(room.key), next.toBytes())
            : op().setData().withVersion(room.version).forPath(roomPath(room.key), next.toBytes()));
    }

    /**
     * Claims the rooms that are free, in one transaction with the first operations.
     *
     * @param replaced the node's own earlier registration, which ends in the same transaction, or null
     * @throws FailedOperation if one of the first operations failed
     */
    List<Claimed> claim(List<CuratorOp> first, String member, String replaced, List<Claim> claims) throws Exception {
        for (int tries = 0; tries < MAX_TRIES; tries++) {
            List<CuratorOp> ops = new ArrayList<>(first);
            List<Claimed> answer = new ArrayList<>();
            for (Claim claim : claims) answer.add(want(claim, member, replaced, ops));
            try {
                run(ops);
                return answer;
            } catch (FailedOperation failure) {
                if (failure.index < first.size()) throw failure;
                // Another client wrote one of the rooms, so everything is read again.
            }
        }
        throw new IllegalStateException("the rooms kept changing");
    }

    private Claimed want(Claim claim, String member, String replaced, List<CuratorOp> ops) throws Exception {
        RoomState room;
        try {
            room = readRoom(claim.key);
        } catch (Unreadable unreadable) {
            return new Claimed("failed", 0);
        }
        Binding found = room.binding;
        long endedAt = found == null ? 0 : found.endedAt;
        if (found != null && claim.date <= endedAt) return new Claimed("ended", endedAt);
        if (found != null && found.isMovedFrom(member)) return new Claimed("moved", System.currentTimeMillis());
        boolean isOwn = found != null && member.equals(found.member);
        if (isOwn && found.state.equals("released") && claim.number <= found.claims) return new Claimed("stale", endedAt);
        boolean isFree = found == null || isOwn || found.member == null || found.member.equals(replaced);
        if (!isFree && exists(nodePath(found.member)) != null) return new Claimed("elsewhere", endedAt);
        if (isOwn && found.state.equals("claimed") && found.claims >= claim.number) ops.addAll(check(room));
        else {
            long number = isOwn ? Math.max(claim.number, found.claims) : claim.number;
            ops.addAll(write(room, new Binding(member, "claimed", number, endedAt)));
        }
        return new Claimed("ok", endedAt);
    }

    /** Releases a room that the last client left, or gives it up if an operator moves it. */
    void release(String key, String member, long number, ObjLongConsumer<String> hearEnd) throws Exception {
        for (int tries = 0; tries < MAX_TRIES; tries++) {
            RoomState room = readRoom(key);
            Binding released = room.binding == null ? null : room.binding.released(member, number);
            if (released == null) return;
            // A late release may find a room that was opened again before it moves. The node closes it first.
            if (released.isMovedFrom(member)) hearEnd.accept(key, System.currentTimeMillis());
            try {
                run(write(room, released));
                return;
            } catch (FailedOperation changed) {
                // Another client wrote the room, so it is read again.
            }
        }
        throw new IllegalStateException("the room kept changing");
    }

    /**
     * Sets a watch on the room, and returns the end of its call.
     *
     * @param watcher called once when the room may have changed: the same object for each reading of a room
     */
    long watchEnd(String key, String member, CuratorWatcher watcher) throws Exception {
        try {
            byte[] data = curator.getData().usingWatcher(watcher).forPath(roomPath(key));
            Binding found = Binding.parse(new String(data, UTF_8));
            // The node must close a room that moves, so its own clock dates the move.
            return found.isMovedFrom(member) ? System.currentTimeMillis() : found.endedAt;
        } catch (KeeperException.NoNodeException | Unreadable missing) {
            return 0;
        }
    }
}
