/** Ends the connection of a client. */
@SuppressWarnings("serial") final class Refused extends Exception {
    final int code;

    Refused(int code, String reason) {
        super(reason);
        this.code = code;
    }

    static void check(boolean isGood, int code, String reason) throws Refused {
        if (!isGood) throw new Refused(code, reason);
    }
}
