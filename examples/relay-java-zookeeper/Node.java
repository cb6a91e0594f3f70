import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.locks.*;
import java.util.stream.Stream;
import org.apache.curator.framework.api.CuratorWatcher;
import org.apache.curator.framework.api.transaction.CuratorOp;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.zookeeper.*;
import org.apache.zookeeper.data.Stat;

/**
 * Keeps the contract: registration, lease, claims, admission and doors. No claim or release is under way while the node
 * registers. The monitor guards all other state, and is never held during a call.
 */
final class Node {
    static final String LEAVING = "the node is leaving: ask again";
    private static final String MOVED = "the room moved: ask again", CALL_ENDED = "the call ended";
    private static final long LINGER = Relay.number("LINGER", 20_000), PATIENCE = Relay.number("PATIENCE", 2000);
    private static final int BATCH = 100, MAX_TRIES = 8, SEATS_PER_ROOM = 32, USED_KEPT = 300_000;
    private static final int SUSPEND_MS = 600_000, TICK_MS = 100, CLAIM_AGAIN_MS = 30_000, MAX_REPORT_MS = 3000;

    final class Room {
        final String key;
        final Map<WebSocket, String> seats = new ConcurrentHashMap<>(); // Roles, by the WebSockets of the clients.
        final CuratorWatcher watcher = this::changed;
        final Object claiming = new Object();
        volatile boolean isUnread; // The room may have changed since it was read for the end of its call.
        String claimedBy; // The member of the last claim.
        int expected; // Clients that are about to enter.
        long number; // Of the last claim.
        long openedAt; // 0: not claimed.
        volatile boolean isDoorOpen;
        boolean isOpen; // A client has entered, and the room was not closed since.
        Moment shutSince, aloneSince;

        Room(String key) { this.key = key; }

        private void changed(WatchedEvent event) {
            if (event.getType() == Watcher.Event.EventType.None) return;
            isUnread = true;
            background.execute(Node.this::readUnread);
        }
    }

    record Moment(long monotonic, long wall) {
        static Moment now() { return new Moment(System.nanoTime() / 1_000_000, System.currentTimeMillis()); }

        /** By both clocks: a suspended machine stops the monotonic one, and an operator sets the other. */
        long age() { return Math.max(now().monotonic - monotonic, now().wall - wall); }
    }

    private final ReadWriteLock registration = new ReentrantReadWriteLock(true);
    private final Semaphore hurry = new Semaphore(0);
    private final ExecutorService background = Executors.newSingleThreadExecutor();
    private final Map<String, Room> rooms = new LinkedHashMap<>();
    private final Map<String, Room> unreleased = new ConcurrentHashMap<>();
    private final Map<String, Long> ended = new HashMap<>();
    private final Set<String> incarnations = new HashSet<>(), used = new LinkedHashSet<>();
    private final Map<String, Object> keys;
    private final String id = Relay.ID;
    private final Store store;
    private String incarnation = "", pending = Store.random(16), written = "";
    private long startedAt, number, session;
    private volatile long timeout = Store.SESSION; // Of the session, in milliseconds.
    private Moment heard, leaseSince;
    private volatile boolean isDraining, isOver, hasLapsed = true;
    private String order; // As JSON, "" for none. Null: unknown.
    private long emptyAt; // After the deadline of an ordered drain. 0: stays.

    Node(Map<String, Object> keys) throws Exception {
        this.keys = keys;
        store = new Store(Relay.text("ZOOKEEPER", "127.0.0.1:2181"), this::hear);
    }

    void start() throws Exception {
        try {
            store.createParents();
            holding(registration.writeLock(), this::register);
        } catch (Exception error) {
            // A registration without an answer may have been written.
            leave();
            throw error;
        }
        new Thread(this::beatForever).start();
        WebSocket.TIMER.scheduleAtFixedRate(this::watchDoors, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
    }

    /** Withdraws the id together with the znode: a node that is missing and keeps its id counts as dead, not as gone. */
    void leave() throws Exception {
        isOver = true;
        holding(registration.writeLock(), this::withdraw);
        store.close();
    }

    private Void withdraw() throws Exception {
        for (String name : Stream.of(incarnation, pending == null ? "" : pending).filter(it -> !it.isEmpty()).toList()) {
            List<CuratorOp> ops = new ArrayList<>();
            Stat stat = new Stat();
            if (name.equals(store.read(Store.idPath(id), stat)))
                ops.add(store.op().delete().withVersion(stat.getVersion()).forPath(Store.idPath(id)));
            String path = Store.nodePath(id + "|" + name);
            if (store.exists(path) != null) ops.add(store.op().delete().forPath(path));
            if (!ops.isEmpty()) store.run(ops);
        }
        return null;
    }

    private <T> T holding(Lock lock, Callable<T> work) throws Exception {
        if (!lock.tryLock(Store.CALL_MS, TimeUnit.MILLISECONDS)) throw new TimeoutException("the node registers");
        try {
            return work.call();
        } finally {
            lock.unlock();
        }
    }

    /** SUSPENDED changes nothing: the session may live on. After LOST its znode is deleted, or soon will be. */
    private void hear(ConnectionState state) {
        if (state == ConnectionState.LOST) lapse();
        if (!state.isConnected()) return;
        // A change may have been missed without a connection.
        synchronized (this) { for (Room room : rooms.values()) room.isUnread = room.openedAt > 0; }
        background.execute(this::readUnread);
        hurry.release();
    }

    private void beatForever() {
        while (!isOver) {
            Moment begun = Moment.now();
            long wait = timeout / 3;
            hurry.drainPermits();
            try {
                beat();
                background.execute(this::catchUp);
            } catch (Exception error) {
                System.out.println("no heartbeat: " + error);
                wait /= 4;
            }
            try {
                hurry.tryAcquire(Math.max(0, wait - begun.age()), TimeUnit.MILLISECONDS);
            } catch (InterruptedException error) {
                return;
            }
        }
    }

    /** Work that must not delay the next heartbeat. */
    private void catchUp() {
        try {
            readUnread();
            releaseAll();
            claimAgain(false);
            claimAgain(true);
        } catch (Exception error) {
            System.out.println("to be tried again: " + error);
        }
    }

    private Void beat() throws Exception {
        if (isOver) return null;
        // The pending registration may be in the store, and have ended the one before.
        if (pending != null) return holding(registration.writeLock(), this::register);
        // A znode of another session vanishes with that session.
        if (store.session() != session) return registerAnew();
        if (hasToEmpty()) return empty();
        Moment sentAt = Moment.now();
        String path = Store.nodePath(member()), record = record();
        CuratorOp first = record.equals(written) ? store.op().check().forPath(path)
            : store.op().setData().forPath(path, record.getBytes());
        try {
            store.run(List.of(first));
        } catch (Store.FailedOperation failure) {
            return registerAnew();
        }
        written = record;
        renew(sentAt);
        String told = store.read(Store.orderPath(id), new Stat());
        hearOrder(told == null ? "" : told);
        return null;
    }

    /** Follows an operator: no new rooms, and after the deadline of a drain no rooms at all. */
    private synchronized void hearOrder(String told) throws Refused {
        // A new process has no rooms that would have to leave.
        if (told.equals(order)) return;
        boolean isFirst = order == null;
        order = told;
        hurry.release();
        if (isFirst) return;
        Map<String, Object> given = told.contains("\"kind\":\"drain\"") ? Signature.readFlatJson(told) : Map.of();
        emptyAt = given.isEmpty() ? 0 : (Long) given.get("at") + (Long) given.get("deadline");
    }

    private synchronized boolean hasToEmpty() {
        // A drain of the program itself ends in a leave for good.
        boolean isOrdered = emptyAt > 0 && !isDraining;
        return isOrdered && (isVacant() || System.currentTimeMillis() >= emptyAt);
    }

    /** Leaves first, so that clients that ask again get another node, and returns without rooms. */
    private Void empty() throws Exception {
        holding(registration.writeLock(), this::withdraw);
        synchronized (this) {
            emptyAt = 0;
            lapse();
            closeAll(LEAVING);
        }
        return holding(registration.writeLock(), this::register);
    }

    private Void registerAnew() throws Exception {
        lapse();
        return holding(registration.writeLock(), this::register);
    }

    /** Registers a new incarnation, the same one until it is known whether it was written. */
    private Void register() throws Exception {
        for (int tries = 0; tries < MAX_TRIES; tries++) {
            if (pending == null) pending = Store.random(16);
            refresh();
            Moment sentAt = Moment.now();
            long sentIn = store.session();
            Stat stat = new Stat();
            String found = store.read(Store.idPath(id), stat), present = found == null ? "" : found;
            String path = Store.nodePath(id + "|" + pending), record = record();
            List<CuratorOp> first = new ArrayList<>();
            if (present.equals(pending)) {
                // The answer to an earlier try was lost.
                Stat own = store.exists(path);
                boolean isOurs = own != null && own.getEphemeralOwner() == sentIn;
                if (!isOurs) incarnation = pending;
                if (!isOurs) pending = null;
                if (!isOurs) continue;
                first.add(store.op().check().forPath(path));
            } else {
                if (startedAt > 0 && !present.isEmpty() && !present.equals(incarnation)) return displaced();
                byte[] data = pending.getBytes();
                first.add(found == null ? store.op().create().forPath(Store.idPath(id), data)
                    : store.op().setData().withVersion(stat.getVersion()).forPath(Store.idPath(id), data));
                first.add(store.op().create().withMode(CreateMode.EPHEMERAL).forPath(path, record.getBytes()));
                String old = Store.nodePath(id + "|" + present);
                if (!present.isEmpty() && store.exists(old) != null) first.add(store.op().delete().forPath(old));
            }
            List<Room> batch = nextBatch(false);
            String replaced = present.isEmpty() ? null : id + "|" + present;
            try {
                List<Store.Claimed> answer =
                    store.claim(first, id + "|" + pending, replaced, numbered(batch, id + "|" + pending, 0));
                return registered(sentAt, sentIn, record, batch, answer);
            } catch (Store.FailedOperation failure) {
                // Another process wrote the id, or deleted a parent.
                if (failure.isMissing) store.createParents();
            }
        }
        throw new IllegalStateException("the node cannot be registered");
    }

    /** Lets the leader hear of the session, so that the registration begins with a lease, no matter which server dies. */
    private void refresh() throws Exception {
        timeout = store.sessionTimeout();
        synchronized (this) {
            if (session != store.session()) heard = leaseSince = null;
            session = store.session();
            if (leaseSince != null && leaseSince.age() < timeout / 3) return;
        }
        Moment sentAt = Moment.now();
        store.askLeader();
        synchronized (this) { heard = leaseSince = sentAt; }
        Thread.sleep(reportMs());
    }

    /** After so many milliseconds, a follower has told the leader of which sessions it heard. */
    private long reportMs() { return Math.min(MAX_REPORT_MS, timeout / 4); }

    private Void displaced() {
        System.out.println("another process has taken the id: this one serves no longer");
        isOver = true;
        return closeAll(LEAVING);
    }

    private synchronized Void registered(
            Moment sentAt, long sentIn, String record, List<Room> batch, List<Store.Claimed> answer) {
        incarnation = pending;
        pending = null;
        session = sentIn;
        written = record;
        incarnations.add(incarnation);
        if (startedAt == 0) startedAt = sentAt.wall;
        renew(sentAt);
        if (!isOver && valid()) settle(batch, answer, sentAt);
        return null;
    }

    /** The lease counts from the heartbeat before the last: the server that got the last one may die with it. */
    private synchronized void renew(Moment sentAt) {
        if (heard == null) heard = leaseSince = sentAt;
        if (sentAt.monotonic - heard.monotonic >= reportMs()) {
            leaseSince = heard;
            heard = sentAt;
        }
        if (isCertain()) hasLapsed = false;
        long now = System.currentTimeMillis();
        ended.values().removeIf(at -> at < now - LINGER - timeout);
    }

    private String member() { return id + "|" + incarnation; }

    private synchronized String record() {
        long count = rooms.values().stream().filter(room -> room.openedAt > 0).count();
        return String.format("{\"wssUrl\":\"%s\",\"rooms\":%d,\"draining\":%b}", Relay.WSS_URL, count,
            isDraining || order != null && !order.isEmpty());
    }

    /** Reads both clocks, since a timer alone fires too late after a pause. */
    private synchronized boolean valid() {
        if (!isCertain() && !hasLapsed) lapse();
        return !hasLapsed;
    }

    private boolean isCertain() {
        return leaseSince != null && leaseSince.age() < timeout - Math.min(500, timeout / 12);
    }

    private synchronized void lapse() {
        hasLapsed = true;
        for (Room room : rooms.values()) room.isDoorOpen = false;
    }

    private Stream<Room> claimed(boolean isDoorOpen) {
        return List.copyOf(rooms.values()).stream().filter(room -> room.openedAt > 0 && room.isDoorOpen == isDoorOpen);
    }

    /** Claims the shut rooms, or some open ones in turn. */
    private void claimAgain(boolean isDoorOpen) throws Exception {
        long count;
        synchronized (this) { count = claimed(isDoorOpen).count(); }
        long share = isDoorOpen ? (count * timeout / 3 + CLAIM_AGAIN_MS - 1) / CLAIM_AGAIN_MS : count;
        for (; share > 0 && valid(); share -= BATCH)
            holding(registration.readLock(), () -> claim(nextBatch(isDoorOpen), 0));
    }

    /** The rooms that were claimed least recently. */
    private synchronized List<Room> nextBatch(boolean isDoorOpen) {
        List<Room> batch = claimed(isDoorOpen).limit(BATCH).toList();
        for (Room room : batch) rooms.put(room.key, rooms.remove(room.key));
        return batch;
    }

    /** @param date 0: that of the opening */
    private synchronized List<Store.Claim> numbered(List<Room> batch, String member, long date) {
        return batch.stream().map(room -> {
            room.number = ++number;
            room.claimedBy = member;
            unreleased.remove(room.key);
            return new Store.Claim(room.key, room.number, date > 0 ? date : room.openedAt);
        }).toList();
    }

    /** Claims in one transaction, which fails if the znode of this registration is gone. Returns the last word. */
    private String claim(List<Room> batch, long date) throws Exception {
        if (batch.isEmpty()) return "ok";
        String member = member();
        Moment sentAt = Moment.now();
        try {
            if (store.session() != session) throw new Store.FailedOperation(0, KeeperException.Code.SESSIONEXPIRED);
            List<CuratorOp> first = List.of(store.op().check().forPath(Store.nodePath(member)));
            List<Store.Claimed> answer = store.claim(first, member, null, numbered(batch, member, date));
            synchronized (this) { return valid() ? settle(batch, answer, sentAt) : "lapsed"; }
        } catch (Store.FailedOperation failure) {
            lapse();
            hurry.release();
            return "lapsed";
        }
    }

    private String settle(List<Room> batch, List<Store.Claimed> answer, Moment sentAt) {
        String word = "ok";
        for (int at = 0; at < batch.size(); at++) {
            Room room = batch.get(at);
            word = answer.get(at).word();
            // There is no claim of ours.
            if (List.of("elsewhere", "ended").contains(word)) room.number = 0;
            hearEnd(room.key, answer.get(at).endedAt());
            // The last client may have left in the meantime.
            if (rooms.get(room.key) != room) continue;
            if (word.equals("elsewhere")) close(room, MOVED);
            if (!word.equals("ok")) continue;
            if (room.openedAt == 0) {
                room.openedAt = sentAt.wall;
                room.isUnread = true;
                background.execute(this::readUnread);
            }
            room.isDoorOpen = true;
            room.shutSince = room.aloneSince = null;
            review(room);
        }
        return word;
    }

    /** Reads the rooms that may have changed, and watches them. Rooms that cannot be read are read again later. */
    private void readUnread() {
        List<Room> unread;
        synchronized (this) { unread = rooms.values().stream().filter(room -> room.isUnread).toList(); }
        for (Room room : unread) {
            try {
                store.session();
                room.isUnread = false;
                long endedAt = store.watchEnd(room.key, member(), room.watcher);
                hearEnd(room.key, endedAt);
            } catch (Exception error) {
                room.isUnread = true;
                return;
            }
        }
    }

    private synchronized void hearEnd(String key, long at) {
        if (at == 0) return;
        ended.merge(key, at, Math::max);
        Room room = rooms.get(key);
        // A room that was opened later belongs to the next call.
        if (room != null && room.openedAt > 0 && room.openedAt <= at) close(room, CALL_ENDED);
    }

    /** Returns the room that the client has entered. */
    Room admit(WebSocket client) throws Exception {
        Signature signature;
        Room room;
        synchronized (this) {
            Refused.check(!isOver, 4410, LEAVING);
            signature = Signature.verify(client.signature, keys, incarnation, System.currentTimeMillis());
            Refused.check(!used.contains(signature.text("jti")), 4408, "used before");
            String key = Store.roomKey(signature.text("tenant"), signature.text("room"));
            if (signature.isJoinOnly()) return rejoin(rooms.get(key), signature, client);
            room = rooms.computeIfAbsent(key, Room::new);
            room.expected++;
        }
        try {
            return enter(room, signature, client);
        } finally {
            synchronized (this) {
                room.expected--;
                review(room);
            }
        }
    }

    private Room enter(Room room, Signature signature, WebSocket client) throws Refused {
        synchronized (this) {
            Refused.check(valid(), 4410, "lapsed");
            if (room.isDoorOpen) return take(room, signature, client);
            Refused.check(signature.milliseconds("iat") > ended.getOrDefault(room.key, 0L), 4410, CALL_ENDED);
        }
        String word = claimBySignature(room, signature.milliseconds("iat"));
        boolean isKnown = List.of("elsewhere", "ended", "moved", "lapsed").contains(word);
        Refused.check(word.equals("ok"), isKnown ? 4410 : 4503, "the store says " + word);
        synchronized (this) {
            Refused.check(valid() && room.isDoorOpen, 4410, "lapsed");
            return take(room, signature, client);
        }
    }

    private String claimBySignature(Room room, long date) throws Refused {
        try {
            return holding(registration.readLock(), () -> {
                // Of several clients of a room, the first one claims.
                synchronized (room.claiming) { return room.isDoorOpen ? "ok" : claim(List.of(room), date); }
            });
        } catch (Exception error) {
            throw new Refused(4503, error.toString());
        }
    }

    private Room rejoin(Room room, Signature signature, WebSocket client) throws Refused {
        Object known = signature.claims().get("inc");
        long margin = incarnations.contains(known) ? -999 : known == null ? 0 : Signature.SKEW * 1000;
        Refused.check(signature.milliseconds("iat") >= startedAt + margin, 4410, "join-only, from before this process");
        Refused.check(room != null && room.isOpen, 4410, "join-only, and the room is not open");
        return take(room, signature, client);
    }

    private Room take(Room room, Signature signature, WebSocket client) throws Refused {
        Refused.check(!isOver, 4410, LEAVING);
        boolean isPresent = signature.isJoinOnly() || signature.text("aud").endsWith("/" + incarnation);
        Refused.check(isPresent, 4410, "registered anew");
        long endsAt = signature.milliseconds("exp") + Signature.SKEW * 1000;
        Refused.check(endsAt > System.currentTimeMillis(), 4401, "expired");
        Refused.check(signature.milliseconds("iat") > ended.getOrDefault(room.key, 0L), 4410, CALL_ENDED);
        Refused.check(room.seats.size() < SEATS_PER_ROOM, 4429, "no seat is free");
        Refused.check(used.add(signature.text("jti")), 4408, "used before");
        if (used.size() > USED_KEPT) used.remove(used.iterator().next());
        room.seats.put(client, signature.text("role"));
        room.isOpen = true;
        return room;
    }

    synchronized void vacate(Room room, WebSocket client) {
        if (room.seats.remove(client) != null) review(room);
    }

    /** No new rooms from now on. Returns when the last client has left, or at the deadline. */
    void drain(long deadline) throws InterruptedException {
        isDraining = true;
        hurry.release();
        for (Moment begun = Moment.now(); begun.age() < deadline && !isVacant();) Thread.sleep(TICK_MS);
    }

    private synchronized boolean isVacant() {
        return rooms.values().stream().allMatch(room -> room.seats.isEmpty() && room.expected == 0);
    }

    synchronized Void closeAll(String reason) {
        for (Room room : List.copyOf(rooms.values())) close(room, reason);
        return null;
    }

    private void close(Room room, String reason) {
        room.openedAt = 0;
        room.isDoorOpen = room.isOpen = false;
        sendAway(room, reason);
        review(room);
    }

    private void sendAway(Room room, String reason) {
        for (WebSocket client : room.seats.keySet()) client.close(4410, reason);
        room.seats.clear();
    }

    /** Gives up a room that nobody needs. Behind a shut door it stays open for clients that return. */
    private void review(Room room) {
        boolean isNeeded = !room.seats.isEmpty() || room.expected > 0 || (room.isOpen && !room.isDoorOpen);
        if (isNeeded || !rooms.remove(room.key, room)) return;
        if (room.number > 0) background.execute(() -> release(room));
    }

    /** A claim never expires while the node lives, so a release that fails is tried again with the next heartbeat. */
    private void release(Room room) {
        unreleased.put(room.key, room);
        releaseAll();
    }

    private void releaseAll() {
        try {
            for (Room room : List.copyOf(unreleased.values())) holding(registration.readLock(), () -> {
                if (!unreleased.remove(room.key, room)) return null;
                try {
                    store.release(room.key, room.claimedBy, room.number, this::hearEnd);
                } catch (Store.Unreadable unreadable) {
                    // There is no claim to give up, and the next rooms must not wait for this one.
                } catch (Exception error) {
                    unreleased.putIfAbsent(room.key, room);
                    throw error;
                }
                return null;
            });
        } catch (Exception error) {
            System.out.println("a room was not released: " + error);
        }
    }

    private synchronized void watchDoors() {
        valid();
        claimed(false).forEach(this::watchDoor);
    }

    /** Behind a shut door, the other side of a lone client may be on another node by now. */
    private void watchDoor(Room room) {
        boolean isAlone = Set.copyOf(room.seats.values()).size() == 1;
        if (room.shutSince == null) room.shutSince = Moment.now();
        if (!isAlone || room.aloneSince == null) room.aloneSince = isAlone ? Moment.now() : null;
        if (isAlone && room.aloneSince.age() >= PATIENCE) sendAway(room, "the other side may be elsewhere: ask again");
        if (room.shutSince.age() >= SUSPEND_MS) close(room, "ZooKeeper was out of reach for too long: ask again");
    }
}
