import static java.nio.charset.StandardCharsets.UTF_8;
import java.security.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * Keeps the contract: registration, lease, claims, admission and doors. Calls of the store are made one after the
 * other, in a turn; the monitor guards all other state, and is never held during a call.
 */
final class Node {
    static final String LEAVING = "the node is leaving: ask again";
    private static final String MOVED = "the room moved: ask again", CALL_ENDED = "the call ended";
    private static final String ROOM_KEY = "{cobrowse}:room:";
    private static final List<String> COMMON_KEYS = Stream.of("leases", "nodes", "meta", "ids", "releases", "ended",
        "orders", "history").map(name -> "{cobrowse}:" + name).toList();
    private static final long LEASE = Relay.number("LEASE", 6000), HEARTBEAT = Relay.number("HEARTBEAT", 2000);
    private static final long LINGER = Relay.number("LINGER", 20_000), PATIENCE = Relay.number("PATIENCE", 2000);
    private static final long CALL_MS = Math.min(1000, LEASE / 2), CLAIM_MS = Math.max(90_000, LEASE + 60_000);
    private static final int BATCH = 250, MAX_TRIES = 6, SEATS_PER_ROOM = 32, USED_KEPT = 300_000;
    private static final int BY_SIGNATURE = 0, BEHIND_SHUT_DOOR = 1, OPEN = 2, SUSPEND_MS = 600_000, TICK_MS = 100;

    static final class Room {
        final String key;
        final Map<WebSocket, String> seats = new ConcurrentHashMap<>(); // Roles, by the WebSockets of the clients.
        int expected; // Clients that are about to enter.
        long number; // Of the last claim.
        long openedAt; // By the store's clock. 0: not claimed.
        boolean isDoorOpen;
        boolean isOpen; // A client has entered, and the room was not closed since.
        Moment shutSince, aloneSince;

        Room(String key) { this.key = key; }
    }

    record Moment(long monotonic, long wall) {
        static Moment now() { return new Moment(System.nanoTime() / 1_000_000, System.currentTimeMillis()); }

        /** By both clocks: a suspended machine stops the monotonic one, and an operator sets the other. */
        long age() { return Math.max(now().monotonic - monotonic, now().wall - wall); }
    }

    private final Redis redis = new Redis((int) CALL_MS);
    private final ReentrantLock turn = new ReentrantLock(true);
    private final Semaphore hurry = new Semaphore(0);
    private final ExecutorService background = Executors.newSingleThreadExecutor();
    private final Map<String, Room> rooms = new LinkedHashMap<>();
    private final Map<String, Long> ended = new HashMap<>();
    private final Set<String> incarnations = new HashSet<>(), used = new LinkedHashSet<>();
    private final Map<String, Object> keys;
    private final String id = Relay.ID;
    private String epoch = "", memory = "", incarnation = "", pending = newIncarnation();
    private List<?> heard = List.of();
    private long startedAt, storeTime, number;
    private Moment storeSentAt = Moment.now(), leaseSentAt;
    private volatile boolean isDraining, isOver;
    private String order; // As JSON, "" for none. Null: unknown.
    private long emptyAt; // By the store's clock, after the deadline of an ordered drain. 0: stays.

    Node(Map<String, Object> keys) throws Exception { this.keys = keys; }

    void start() throws Exception {
        try {
            inTurn(() -> register(epoch));
        } catch (Exception error) {
            // A registration without an answer may have been written.
            leave();
            throw error;
        }
        new Thread(this::beatForever).start();
        WebSocket.TIMER.scheduleAtFixedRate(this::watchDoors, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
    }

    void leave() throws Exception {
        isOver = true;
        inTurn(() -> run("leave", epoch, List.of(), Stream.of(incarnation, pending == null ? "" : pending)
            .filter(name -> !name.isEmpty()).map(name -> id + "|" + name).toList()));
    }

    /** Each answer is taken before the next call is made. */
    private <T> T inTurn(Callable<T> work) throws Exception {
        if (!turn.tryLock(CALL_MS, TimeUnit.MILLISECONDS)) throw new TimeoutException("no turn in time");
        try {
            return work.call();
        } finally {
            turn.unlock();
        }
    }

    private List<?> run(String script, String epoch, List<Room> rooms, Object... args) throws Exception {
        List<Object> words = new ArrayList<>(List.of(COMMON_KEYS.size() + rooms.size()));
        words.addAll(COMMON_KEYS);
        for (Room room : rooms) words.add(room.key);
        words.addAll(List.of((epoch + " " + memory).strip(), newIncarnation(), LEASE, HEARTBEAT, LINGER));
        for (Object arg : args) words.addAll(arg instanceof List<?> list ? list : List.of(arg));
        List<?> answer = redis.run(script, words) instanceof List<?> list ? list : List.of("done");
        if (answer.get(0).equals("ok")) memory = (String) answer.get(4);
        return answer;
    }

    private void beatForever() {
        Moment begun = Moment.now();
        for (long wait = HEARTBEAT; !isOver;) {
            try {
                hurry.tryAcquire(Math.max(0, wait - begun.age()), TimeUnit.MILLISECONDS);
                hurry.drainPermits();
                begun = Moment.now();
                wait = HEARTBEAT;
                inTurn(this::beat);
                claimAgain(false);
                claimAgain(true);
            } catch (Exception error) {
                System.out.println("no heartbeat: " + error);
                wait = HEARTBEAT / 4;
            }
        }
    }

    private Void beat() throws Exception {
        if (isOver) return null;
        // The pending registration may be in the store, and have ended the lease of the one before.
        if (pending != null) return register(epoch);
        boolean isDue = isVacant() || storeTime + storeSentAt.age() >= emptyAt;
        if (emptyAt > 0 && isDue && !isDraining) return empty();
        Moment sentAt = Moment.now();
        List<?> answer = run("beat", epoch, List.of(), member(), record(), CLAIM_MS, BEHIND_SHUT_DOOR, heard);
        if (answer.get(0).equals("ok")) return accept(sentAt, List.of(), answer);
        if (answer.get(0).equals("epoch")) return register((String) answer.get(1));
        lapse();
        return register(epoch);
    }

    /** Leaves first, so that clients that ask again get another node, and returns without rooms. */
    private Void empty() throws Exception {
        run("leave", epoch, List.of(), member());
        emptyAt = 0;
        lapse();
        closeAll(LEAVING);
        return register(epoch);
    }

    /** Registers the same incarnation while its lease is valid, in a new epoch; otherwise another one. */
    private Void register(String inEpoch) throws Exception {
        String replaces = incarnation;
        for (int tries = 0; tries < MAX_TRIES; tries++) {
            boolean isValid = valid();
            if (!isValid && pending == null) pending = newIncarnation();
            String tried = pending == null ? incarnation : pending;
            List<Room> batch = nextBatch(isValid);
            Moment sentAt = Moment.now();
            List<?> answer = run("register", inEpoch, batch, id + "|" + tried, record(), CLAIM_MS,
                isValid ? OPEN : BEHIND_SHUT_DOOR, replaces, numbered(batch, 0));
            if (answer.get(0).equals("ok")) return registered(inEpoch, tried, sentAt, batch, answer);
            if (answer.get(0).equals("epoch")) inEpoch = (String) answer.get(1);
            else if (answer.get(0).equals("lapsed")) {
                lapse();
                replaces = incarnation = tried;
                pending = null;
            } else {
                replaces = (String) answer.get(1);
                if (startedAt == 0 || replaces.isEmpty()) continue;
                System.out.println("another process has taken the id: this one serves no longer");
                isOver = true;
                return closeAll(LEAVING);
            }
        }
        throw new IllegalStateException("the node cannot be registered");
    }

    private synchronized Void registered(
            String inEpoch, String tried, Moment sentAt, List<Room> batch, List<?> answer) throws Refused {
        epoch = inEpoch;
        incarnation = tried;
        pending = null;
        incarnations.add(tried);
        if (startedAt == 0) startedAt = (Long) answer.get(1);
        return accept(sentAt, batch, answer);
    }

    private synchronized Void accept(Moment sentAt, List<Room> batch, List<?> answer) throws Refused {
        long now = (Long) answer.get(1);
        redate(now);
        storeTime = now;
        storeSentAt = sentAt;
        if (isCertain(sentAt)) leaseSentAt = sentAt;
        if (isOver || !valid()) return null;
        hearOrder((String) answer.get(5));
        heard = (List<?>) answer.get(2);
        for (int at = 0; at < heard.size(); at += 2)
            hearEnd(ROOM_KEY + heard.get(at), Long.parseLong((String) heard.get(at + 1)));
        settle(batch, answer);
        // A room that an operator moves waits for the acknowledgement.
        if (!heard.isEmpty()) hurry.release();
        return null;
    }

    /** Follows an operator: no new rooms, and after the deadline of a drain no rooms at all. */
    private void hearOrder(String told) throws Refused {
        // A new process has no rooms that would have to leave.
        boolean isNew = order != null && !told.equals(order);
        order = told;
        if (!isNew) return;
        Map<String, Object> given = told.contains("\"kind\":\"drain\"") ? Signature.readFlatJson(told) : Map.of();
        emptyAt = given.isEmpty() ? 0 : (Long) given.get("at") + (Long) given.get("deadline");
        hurry.release();
    }

    private String member() { return id + "|" + incarnation; }

    private synchronized String record() {
        long count = rooms.values().stream().filter(room -> room.openedAt > 0).count();
        return String.format("{\"wssUrl\":\"%s\",\"rooms\":%d,\"draining\":%b}", Relay.WSS_URL, count,
            isDraining || order != null && !order.isEmpty());
    }

    private static String newIncarnation() {
        byte[] bytes = new byte[16];
        new SecureRandom().nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** Reads both clocks, since a timer alone fires too late after a pause. */
    private synchronized boolean valid() {
        if (leaseSentAt != null && !isCertain(leaseSentAt)) lapse();
        return leaseSentAt != null;
    }

    private static boolean isCertain(Moment sentAt) { return sentAt.age() < LEASE - Math.min(500, LEASE / 12); }

    private synchronized void lapse() {
        leaseSentAt = null;
        hurry.release();
        for (Room room : rooms.values()) room.isDoorOpen = false;
    }

    /** Replaces dates in the future, since the store's clock was set back, and forgets ends that are too old. */
    private void redate(long now) {
        long previous = now - storeSentAt.age();
        for (Room room : rooms.values()) if (room.openedAt > now + HEARTBEAT) room.openedAt = previous;
        ended.values().removeIf(at -> at < now - LINGER - LEASE);
        ended.replaceAll((key, at) -> at > now + LINGER ? previous : at);
    }

    private synchronized Stream<Room> claimed(boolean isDoorOpen) {
        return List.copyOf(rooms.values()).stream().filter(room -> room.openedAt > 0 && room.isDoorOpen == isDoorOpen);
    }

    /** Claims the shut rooms, or some open ones in turn, since the store may have lost their bindings. */
    private void claimAgain(boolean isDoorOpen) throws Exception {
        long count = claimed(isDoorOpen).count();
        long share = isDoorOpen ? Math.min(count, Math.max(BATCH, count / 3 + 1)) : count;
        for (; share > 0 && valid(); share -= BATCH)
            inTurn(() -> claim(nextBatch(isDoorOpen), isDoorOpen ? OPEN : BEHIND_SHUT_DOOR, 0));
    }

    /** The rooms that were claimed least recently. */
    private synchronized List<Room> nextBatch(boolean isDoorOpen) {
        List<Room> batch = claimed(isDoorOpen).limit(BATCH).toList();
        for (Room room : batch) rooms.put(room.key, rooms.remove(room.key));
        return batch;
    }

    /** @param date 0: that of the opening */
    private synchronized List<Long> numbered(List<Room> batch, long date) {
        for (Room room : batch) room.number = ++number;
        return batch.stream().flatMap(room -> Stream.of(room.number, date > 0 ? date : room.openedAt)).toList();
    }

    /** Returns the last word of the store. */
    private String claim(List<Room> batch, int kind, long date) throws Exception {
        List<?> answer = run("claim-rooms", epoch, batch, member(), CLAIM_MS, kind, numbered(batch, date));
        if (!answer.get(0).equals("ok")) return (String) answer.get(0);
        synchronized (this) { return valid() ? settle(batch, answer) : "lapsed"; }
    }

    private String settle(List<Room> batch, List<?> answer) {
        List<?> words = (List<?>) answer.get(3);
        for (int at = 0; at < batch.size(); at++) {
            Room room = batch.get(at);
            // The store has no claim of ours.
            if (List.of("elsewhere", "ended").contains(words.get(2 * at))) room.number = 0;
            hearEnd(room.key, (Long) words.get(2 * at + 1));
            // The last client may have left in the meantime.
            if (rooms.get(room.key) != room) continue;
            if (words.get(2 * at).equals("elsewhere")) close(room, MOVED);
            if (!words.get(2 * at).equals("ok")) continue;
            if (room.openedAt == 0) room.openedAt = (Long) answer.get(1);
            room.isDoorOpen = true;
            room.shutSince = room.aloneSince = null;
            review(room);
        }
        return batch.isEmpty() ? "ok" : (String) words.get(words.size() - 2);
    }

    private void hearEnd(String key, long at) {
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
            signature = Signature.verify(client.signature, keys, incarnation, storeTime + storeSentAt.age());
            Refused.check(!used.contains(signature.text("jti")), 4408, "used before");
            String key = roomKey(signature.text("tenant"), signature.text("room"));
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

    private static String roomKey(String... names) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (String name : names) digest.update((name.getBytes(UTF_8).length + ":" + name).getBytes(UTF_8));
        return ROOM_KEY + Base64.getUrlEncoder().withoutPadding().encodeToString(digest.digest());
    }

    private Room enter(Room room, Signature signature, WebSocket client) throws Refused {
        for (int tries = 0; tries < MAX_TRIES; tries++) {
            synchronized (this) {
                Refused.check(valid(), 4410, "lapsed");
                if (room.isDoorOpen) return take(room, signature, client);
                Refused.check(signature.milliseconds("iat") > ended.getOrDefault(room.key, 0L), 4410, CALL_ENDED);
            }
            String word = claimBySignature(room, signature.milliseconds("iat"));
            boolean isKnown = List.of("elsewhere", "ended", "lapsed").contains(word);
            Refused.check(List.of("ok", "epoch").contains(word), isKnown ? 4410 : 4503, "the store says " + word);
        }
        throw new Refused(4503, "the store says epoch again and again");
    }

    private String claimBySignature(Room room, long date) throws Refused {
        try {
            return inTurn(() -> {
                if (room.isDoorOpen) return "ok";
                String word = claim(List.of(room), BY_SIGNATURE, date);
                if (word.equals("epoch")) beat();
                if (word.equals("lapsed")) lapse();
                return word;
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
        Refused.check(endsAt > storeTime + storeSentAt.age(), 4401, "expired");
        Refused.check(signature.milliseconds("iat") > ended.getOrDefault(room.key, 0L), 4410, CALL_ENDED);
        Refused.check(room.seats.size() < SEATS_PER_ROOM, 4429, "no seat is free");
        Refused.check(used.add(signature.text("jti")), 4408, "used before");
        if (used.size() > USED_KEPT) used.remove(used.iterator().next());
        room.seats.put(client, signature.text("role"));
        room.isOpen = true;
        return room;
    }

    synchronized void vacate(Room room, WebSocket client) { if (room.seats.remove(client) != null) review(room); }

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
        if (!isNeeded && rooms.remove(room.key, room) && room.number > 0) background.execute(() -> release(room));
    }

    private void release(Room room) {
        try {
            inTurn(() -> run("release", epoch, List.of(room), member(), room.number));
        } catch (Exception error) {
            System.out.println("a room was not released, so its claim has to expire: " + error);
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
        if (room.shutSince.age() >= SUSPEND_MS) close(room, "the store was out of reach for too long: ask again");
    }
}
