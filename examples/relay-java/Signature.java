import static java.nio.charset.StandardCharsets.UTF_8;
import java.security.MessageDigest;
import java.util.*;
import java.util.regex.*;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** A signature that is good. */
record Signature(Map<String, Object> claims, boolean isJoinOnly) {
    static final long TTL = Relay.number("TTL", 15), SKEW = Relay.number("SKEW", 5);
    private static final String TEXT = "\"([^\"\\\\\\x00-\\x1f]*+(?:\\\\.[^\"\\\\\\x00-\\x1f]*+)*+)\"";
    private static final Pattern MEMBER = Pattern.compile(
        "\\s*" + TEXT + "\\s*:\\s*(?:" + TEXT + "|(-?\\d{1,15})|-?[\\d.eE+-]+|true|false|null)\\s*([,}])\\s*");
    private static final Pattern ESCAPE = Pattern.compile("\\\\(?:u(\\p{XDigit}{4})|(.))");

    /** @param now in milliseconds */
    static Signature verify(String text, Map<String, Object> keys, String incarnation, long now) throws Refused {
        try {
            String[] segments = text.split("\\.", -1);
            check(text.length() <= 4096 && segments.length == 3, "too long, or not three segments");
            Map<String, Object> header = readFlatJson(new String(decode(segments[0]), UTF_8));
            check("HS256".equals(header.get("alg")), "another algorithm");
            check(!header.containsKey("crit"), "a critical header");
            boolean isJoinOnly = "cobrowse-join+jwt".equals(header.get("typ"));
            check(isJoinOnly || "cobrowse+jwt".equals(header.get("typ")), "another type");
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(keys.get(header.get("kid")).toString().getBytes(UTF_8), "HmacSHA256"));
            byte[] expected = mac.doFinal(text.substring(0, text.lastIndexOf('.')).getBytes(UTF_8));
            check(MessageDigest.isEqual(decode(segments[2]), expected), "wrong MAC");
            Map<String, Object> claims = readFlatJson(new String(decode(segments[1]), UTF_8));
            checkClaims(claims, isJoinOnly ? Relay.ID : Relay.ID + "/" + incarnation, now / 1000.0);
            return new Signature(claims, isJoinOnly);
        } catch (Exception | StackOverflowError error) {
            // Whatever is thrown at the text of a client is the client's fault.
            throw new Refused(4401, error.toString());
        }
    }

    private static void checkClaims(Map<String, Object> claims, String audience, double now) throws Refused {
        check("fastify-cobrowse".equals(claims.get("iss")), "another issuer");
        check(audience.equals(claims.get("aud")), "for another node or incarnation");
        for (String name : List.of("tenant", "room", "sub", "name", "jti"))
            check(claims.get(name) instanceof String value && !value.isEmpty(), "no " + name);
        check("recorder".equals(claims.get("role")) || "replayer".equals(claims.get("role")), "unknown role");
        long iat = (Long) claims.get("iat"), exp = (Long) claims.get("exp");
        check(0 < exp - iat && exp - iat <= TTL, "lives too long");
        check(iat <= now + SKEW && exp > now - SKEW, "not yet valid, or expired");
    }

    private static byte[] decode(String segment) throws Refused {
        byte[] data = Base64.getUrlDecoder().decode(segment);
        boolean isCanonical = Base64.getUrlEncoder().withoutPadding().encodeToString(data).equals(segment);
        check(isCanonical && !segment.isEmpty(), "not canonical Base64url");
        return data;
    }

    /** Gateways write nothing but texts and numbers; whole numbers become Long, other numbers and words null. */
    static Map<String, Object> readFlatJson(String text) throws Refused {
        Map<String, Object> object = new HashMap<>();
        Matcher member = MEMBER.matcher(text);
        check(text.startsWith("{"), "no JSON object");
        for (int at = 1; at < text.length(); at = member.end()) {
            check(member.find(at) && member.start() == at, "no flat JSON object");
            check(member.group(4).equals("}") == (member.end() == text.length()), "text after the JSON object");
            Object number = member.group(3) == null ? null : Long.valueOf(member.group(3));
            object.put(unescape(member.group(1)), member.group(2) == null ? number : unescape(member.group(2)));
        }
        return object;
    }

    private static String unescape(String text) {
        return ESCAPE.matcher(text).replaceAll(match -> Matcher.quoteReplacement("" + (match.group(1) == null
            ? "\b\f\n\r\t\"\\/".charAt("bfnrt\"\\/".indexOf(match.group(2)))
            : (char) Integer.parseInt(match.group(1), 16))));
    }

    private static void check(boolean isGood, String reason) throws Refused {
        Refused.check(isGood, 4401, reason);
    }

    String text(String name) { return (String) claims.get(name); }
    long milliseconds(String name) { return (Long) claims.get(name) * 1000; }
}
